"""Invalid arguments are refused with a message, and nothing changes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bad_values import LABELS, WRONG_BETAS, WRONG_COUNTS, WRONG_FLAGS, X, fit, network
from snapshot import refused

import cep

NOT_RATES = {"negative": -0.1, "nan": np.nan, "infinite": np.inf}
COUNTED: dict[str, tuple[str, Callable[[cep.Network, Any], object]]] = {
    "free_phase": ("steps", lambda net, n: net.free_phase(X, n)),
    "nudged_phase": ("steps", lambda net, n: net.nudged_phase(LABELS, 0.5, n)),
    "predict": ("steps", lambda net, n: net.predict(X, n)),
    "evaluate": ("steps", lambda net, n: cep.evaluate(net, (X, LABELS), n)),
    "fit, epochs": ("epochs", lambda net, n: fit(net, (X, LABELS), epochs=n)),
    "fit, batch_size": ("batch_size", lambda net, n: fit(net, (X, LABELS), batch_size=n)),
    "EP, free": ("free_steps", lambda net, n: cep.EP(n, 3, 0.5, 0.1)),
    "EP, nudged": ("nudged_steps", lambda net, n: cep.EP(5, n, 0.5, 0.1)),
    "CEP, free": ("free_steps", lambda net, n: cep.CEP(n, 3, 0.5, 0.1)),
    "CEP, nudged": ("nudged_steps", lambda net, n: cep.CEP(5, n, 0.5, 0.1)),
}


@pytest.mark.parametrize("counted", COUNTED)
def test_invalid_counts(counted: str) -> None:
    net = network()
    name, call = COUNTED[counted]
    for value, error, words in WRONG_COUNTS.values():
        if value is None and counted in ("predict", "evaluate"):
            call(net, None)  # Takes the steps it needs.
            continue
        with refused(net, error, f"^{name} .*{words}"):
            call(net, value)


@pytest.mark.parametrize("counted", COUNTED)
def test_counts_of_any_integer_type(counted: str) -> None:
    for kind in (np.int8, np.uint64, np.int32):
        COUNTED[counted][1](network(), kind(2))


FLAGS: dict[str, Callable[[Any], bool]] = {
    "clamp": lambda flag: cep.Network([2, 2, 2], clamp=flag).options["clamp"],
    "follows_energy": lambda flag: cep.Network(
        [2, 2, 2], setting="real-time", follows_energy=flag
    ).options["follows_energy"],
    "accumulate": lambda flag: cep.EP(5, 3, 0.5, accumulate=flag).accumulate,
    "write_every_step": lambda flag: cep.CEP(5, 3, 0.5, write_every_step=flag).write_every_step,
}


@pytest.mark.parametrize("flag", FLAGS)
def test_invalid_flags(flag: str) -> None:
    for value, words in WRONG_FLAGS.values():
        with pytest.raises(TypeError, match=f"^{flag} must be True or False, got {words}$"):
            FLAGS[flag](value)


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("value", [True, False])
def test_flags_are_kept_as_those_of_python(flag: str, value: bool) -> None:
    assert FLAGS[flag](value) is value
    assert FLAGS[flag](np.bool_(value)) is value


@pytest.mark.parametrize("kind", WRONG_BETAS)
def test_invalid_betas(kind: str) -> None:
    net = network()
    value, error, words = WRONG_BETAS[kind]
    for call in (
        lambda: net.nudged_phase(LABELS, value, 3),
        lambda: cep.EP(5, 3, value, 0.1),
        lambda: cep.CEP(5, 3, value, 0.1),
    ):
        with refused(net, error, words):
            call()


def test_a_beta_beyond_floating_point() -> None:
    with pytest.raises((TypeError, ValueError), match=r"^beta must be"):
        cep.EP(5, 3, 10**400, 0.1)


@pytest.mark.parametrize("rule", [cep.EP, cep.CEP])
@pytest.mark.parametrize("count", [1, 3, 7])
def test_wrong_number_of_learning_rates(rule: Any, count: int) -> None:
    net = network()
    wrong = rule(5, 3, 0.5, [0.1] * count)
    message = rf"learning_rates has {count} values; the network has 2 connections"
    with refused(net, ValueError, message):
        cep.train_batch(net, X, LABELS, wrong)
    with refused(net, ValueError, message):
        cep.fit(net, (X, LABELS), wrong, 1, progress=False)


@pytest.mark.parametrize("rule", [cep.EP, cep.CEP])
@pytest.mark.parametrize("value", NOT_RATES.values(), ids=NOT_RATES)
def test_invalid_learning_rates(rule: Any, value: float) -> None:
    for rates in (value, [0.1, value], np.array([value, 0.1])):
        with pytest.raises(ValueError, match=f"learning_rates must be finite.*{value}"):
            rule(5, 3, 0.5, rates)
    with pytest.raises(ValueError, match="learning_rates"):
        cep.train_batch(network(), X, LABELS, rule(5, 3, 0.5, []))


@pytest.mark.parametrize("rule", [cep.EP, cep.CEP])
@pytest.mark.parametrize("rates", ["0.1", b"0.1", 0.1j, [0.1, "0.1"], [[0.1, 0.1]], [0.1, None]])
def test_learning_rates_of_another_type(rule: Any, rates: Any) -> None:
    with pytest.raises(TypeError, match=r"learning_rates.* must be a real number"):
        rule(5, 3, 0.5, rates)


@pytest.mark.parametrize("seed", [-1, -(2**63), 2**64, 2**100])
def test_seeds_out_of_range(seed: int) -> None:
    net = network()
    for call in (
        lambda: cep.Network([4, 3, 2], seed=seed),
        lambda: fit(net, (X, LABELS), seed=seed),
    ):
        with refused(net, ValueError, f"^seed .*{seed}"):
            call()


@pytest.mark.parametrize("seed", [1.0, "1", True, [1], np.random.default_rng(0)], ids=str)
def test_seeds_of_another_type(seed: Any) -> None:
    net = network()
    for call in (
        lambda: cep.Network([4, 3, 2], seed=seed),
        lambda: fit(net, (X, LABELS), seed=seed),
    ):
        with refused(net, TypeError, "^seed must be an integer, got"):
            call()


@pytest.mark.parametrize("sizes", [[], [4], [4, 2]], ids=str)
def test_too_few_layers(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match=rf"at least 3 layers.*got {len(sizes)}"):
        cep.Network(sizes)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_layers_of_impossible_size(layer: int) -> None:
    for units in (0, -1, -(2**63), 2**31, 2**62, 2**63 - 1):
        sizes = [4, 3, 2]
        sizes[layer] = units
        with pytest.raises(ValueError, match=rf"layer {layer} has {units} units; expected 1 to"):
            cep.Network(sizes)


@pytest.mark.parametrize("units", [2**63, 2**64, 2**64 + 4, -(2**64) + 4, 10**30])
def test_sizes_beyond_64_bits(units: int) -> None:
    with pytest.raises(ValueError, match=rf"sizes\[1\] must fit into 64 bits, got {units}"):
        cep.Network([4, units, 2])


@pytest.mark.parametrize(
    "sizes",
    [[10**9, 10**9, 10], [2**31 - 1] * 3, [4, 10**5, 2**31 - 1, 10], [4, 10**6, 10**8, 2]],
    ids=str,
)
def test_networks_larger_than_memory(sizes: list[int]) -> None:
    for dtype, feedback in (("float32", "tied"), ("float64", "untied")):
        with pytest.raises(MemoryError, match=r"parameters.*memory"):
            cep.Network(sizes, dtype=dtype, feedback=feedback)


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_sizes_of_another_type(layer: int) -> None:
    for size in (3.0, "3", True, None, [3], np.float32(3)):
        sizes: list[Any] = [4, 3, 2]
        sizes[layer] = size
        with pytest.raises(TypeError, match=rf"sizes\[{layer}\] must be an integer, got"):
            cep.Network(sizes)


@pytest.mark.parametrize("sizes", [None, 4, 4.5], ids=repr)
def test_sizes_must_be_a_sequence(sizes: Any) -> None:
    with pytest.raises(TypeError, match="sizes must be a sequence of integers or layers, got"):
        cep.Network(sizes)


@pytest.mark.parametrize(
    ("name", "known"),
    [("setting", "real-time"), ("activation", "hard_sigmoid"), ("feedback", "untied")],
)
def test_unknown_words(name: str, known: str) -> None:
    for value in ("", "prototypica", "TANH", None, 0, b"tied"):
        with pytest.raises(ValueError, match=f"^{name} must be .*{known}") as caught:
            cep.Network([4, 3, 2], **{name: value})
        assert repr(value) in str(caught.value)


@pytest.mark.parametrize(
    "dtype", ["float16", "float128", "int32", "bool", "object", "nonsense", np.complex64, 5, None]
)
def test_unknown_dtypes(dtype: Any) -> None:
    with pytest.raises(ValueError, match=r"^dtype must be 'float32' or 'float64', got"):
        cep.Network([4, 3, 2], dtype=dtype)


@pytest.mark.parametrize("dt", [0, -0.1, 1.001, np.nan, np.inf])
def test_time_steps_out_of_range(dt: float) -> None:
    with pytest.raises(ValueError, match=r"dt must be in \(0, 1\], got"):
        cep.Network([4, 3, 2], setting="real-time", dt=dt)


@pytest.mark.parametrize("angle", [-1, 180.5, np.nan, np.inf])
def test_feedback_angles_out_of_range(angle: float) -> None:
    with pytest.raises(ValueError, match="feedback angle must be 0 to 180 degrees, got"):
        cep.Network([4, 3, 2], feedback="untied", feedback_angle=angle)


@pytest.mark.parametrize("name", ["dt", "feedback_angle"])
@pytest.mark.parametrize("value", ["0.5", None, 0.5j, [0.5]], ids=repr)
def test_real_numbers_of_another_type(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be a real number, got"):
        cep.Network([4, 3, 2], **{name: value})


def test_good_arguments_are_not_refused() -> None:
    cep.Network([4, 3, 2], setting="real-time", dt=1, feedback="untied", feedback_angle=180)
    cep.train_batch(network(), X, LABELS, cep.EP(1, 1, -1, (0, 5)))
    assert len(fit(network(), (X, LABELS), seed=2**62, epochs=1)) == 1
