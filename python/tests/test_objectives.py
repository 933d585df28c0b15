"""Losses, nudgings, readouts, activations and skip connections."""

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cep

SKIPS = [(0, 2), (1, 3), (0, 3)]
NETWORKS: dict[str, Callable[..., cep.Network]] = {
    "squared error, inside": lambda **o: cep.Network([64, 12, 9, 10], nudging="inside", **o),
    "squared error, skips": lambda **o: cep.Network([64, 12, 9, 10], connections=SKIPS, **o),
    "cross-entropy": lambda **o: cep.Network([64, 12, 9, 10], loss="cross_entropy", **o),
    "readout": lambda **o: cep.Network([64, 12, 9, cep.Readout(10)], **o),
    "readout, skip": lambda **o: cep.Network(
        [64, 12, 9, cep.Readout(10)], connections=[(0, 2)], **o
    ),
}


@pytest.mark.parametrize("feedback", ["tied", "untied"])
@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
@pytest.mark.parametrize("name", NETWORKS)
def test_bptt_equals_central_differences(
    name: str, setting: str, feedback: str, digits: Any
) -> None:
    options: dict[str, Any] = {"setting": setting, "feedback": feedback}
    if setting == "real-time":
        options["clamp"] = False
        if "inside" in name:
            pytest.skip("nudging inside belongs to the prototypical setting")
    if feedback == "untied":
        options["feedback_angle"] = 50.0
    net = NETWORKS[name](activation="sigmoid", dtype="float64", seed=3, **options)
    x, y = digits[0][:20], digits[1][:20]
    estimate = cep.gradient(net, x, y, cep.BPTT(12))
    gradients = [*estimate.weights, *estimate.biases]
    gradients += [v for v in estimate.feedback_weights if v is not None]
    random = np.random.default_rng(0)
    parameters = list(net.parameters())
    directions = [random.standard_normal(array.shape) for array in parameters]
    assert [g.shape for g in gradients] == [p.shape for p in parameters]

    def loss(step: float) -> float:
        for array, direction in zip(parameters, directions, strict=True):
            array += step * direction
        value = cep.evaluate(net, (x, y), 12).loss
        for array, direction in zip(parameters, directions, strict=True):
            array -= step * direction
        return value

    expected = (loss(1e-5) - loss(-1e-5)) / 2e-5
    found = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
    assert abs(found - expected) < 1e-7 * max(1, abs(expected))


@pytest.mark.parametrize("loss", ["cross-entropy", "readout"])
def test_ep_tends_to_recurrent_backpropagation(loss: str, digits: Any) -> None:
    net = NETWORKS[loss](activation="sigmoid", dtype="float64", seed=1)
    x, y = digits[0][:10], digits[1][:10]
    exact = cep.gradient(net, x, y, cep.RBP(300))
    errors = []
    for beta in (0.02, 0.01):
        estimate = cep.gradient(net, x, y, cep.EP(300, 300, beta, beta_sign="symmetric"))
        errors.append(estimate.relative_error(exact))
    # The error is quadratic in beta. No factor is missing here: the output is linear, or outside
    # the dynamics.
    assert errors[1] < 1e-3
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.2)


def test_layers_can_be_written_out() -> None:
    written = cep.Network([cep.Input(64), cep.Dense(12), cep.Dense(10)], seed=4)
    short = cep.Network([64, 12, 10], seed=4)
    assert written.layers == short.layers == (cep.Input(64), cep.Dense(12), cep.Dense(10))
    assert all(np.array_equal(a, b) for a, b in zip(written.weights, short.weights, strict=True))


def test_skip_connections_are_listed_after_the_chain() -> None:
    net = cep.Network([4, 5, 3, cep.Readout(2)], connections=[(0, 2)], feedback="untied", seed=0)
    assert net.edges == ((0, 1), (1, 2), (2, 3), (0, 2))
    assert [w.shape for w in net.weights] == [(5, 4), (3, 5), (2, 3), (3, 4)]
    assert [b.shape for b in net.biases] == [(5,), (3,), (2,)]
    assert [v is None for v in net.feedback_weights] == [True, False, True, True]
    assert net.feedback_angles()[2:] == [None, None]
    assert net.parameter_count == sum(array.size for array in net.parameters())
    assert len(net.states) == 3


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_go_through_files_and_pickles(name: str, tmp_path: Path, digits: Any) -> None:
    net = NETWORKS[name](seed=2)
    rule = cep.EP(20, 5, 0.5, 0.05)
    cep.train_batch(net, digits[0][:20], digits[1][:20], rule)
    net.save(tmp_path / "net.safetensors")
    for copy in (cep.load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(net))):
        assert copy.options == net.options
        assert copy.layers == net.layers
        pairs = zip(copy.parameters(), net.parameters(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)
        assert np.array_equal(copy.predict(digits[0], 20), net.predict(digits[0], 20))


def test_activations_of_each_layer() -> None:
    net = cep.Network([3, 4, 2], activation=["tanh", "half_hard_sigmoid"], seed=0, dtype="float64")
    x = np.array([[0.5, 0.1, 0.9]])
    net.free_phase(x, 1)
    np.testing.assert_allclose(net.states[1], np.tanh(x @ net.weights[0].T + net.biases[0]))
    np.testing.assert_allclose(net.states[2], np.clip(net.biases[1] / 2, 0, 1)[None])
    assert net.activation == ("tanh", "half_hard_sigmoid")


WRONG: list[tuple[Callable[[], object], type[Exception], list[str]]] = [
    (lambda: cep.Network([4, cep.Readout(3), 2]), ValueError, ["sizes[1]", "last"]),
    (lambda: cep.Network([cep.Readout(3)]), ValueError, ["sizes[0]", "Input"]),
    (lambda: cep.Network([4, cep.Input(3), 2]), ValueError, ["sizes[1]", "first"]),
    (
        lambda: cep.Network([4, 3, cep.Readout(2)], nudging="outside"),
        ValueError,
        ["outside", "readout", "inside"],
    ),
    (
        lambda: cep.Network([4, 3, cep.Readout(2)], loss="squared_error"),
        ValueError,
        ["readout", "cross_entropy", "squared_error"],
    ),
    (
        lambda: cep.Network([4, 3, 2], setting="real-time", nudging="inside"),
        ValueError,
        ["inside", "real-time", "ds/dt"],
    ),
    (lambda: cep.Network([4, 3, 2], connections=[(2, 1)]), ValueError, ["(2, 1)", "lower"]),
    (lambda: cep.Network([4, 3, 2], connections=[(1, 1)]), ValueError, ["(1, 1)", "itself"]),
    (lambda: cep.Network([4, 3, 2], connections=[(0, 1)]), ValueError, ["(0, 1)", "already"]),
    (lambda: cep.Network([4, 3, 2], connections=[(0, 7)]), ValueError, ["(0, 7)", "0 to 2"]),
    (lambda: cep.Network([4, 3, 2], connections=[(-1, 2)]), ValueError, ["(-1, 2)", "0 to 2"]),
    (
        lambda: cep.Network([4, 3, cep.Readout(2)], connections=[(0, 2)]),
        ValueError,
        ["(0, 2)", "0 to 1", "readout"],
    ),
    (lambda: cep.Network([4, 3, 2], connections=[(0, 2, 1)]), ValueError, ["pair", "(0, 2, 1)"]),
    (lambda: cep.Network([4, 3, 2], connections=3), TypeError, ["connections", "3"]),  # type: ignore[arg-type]
    (lambda: cep.Network([4, 3, 2], activation=["tanh"]), ValueError, ["activation", "1", "2"]),
    (
        lambda: cep.Network([4, 3, 2], activation=["tanh", "relu"]),
        ValueError,
        ["activation[1]", "relu"],
    ),
    (
        lambda: cep.Network([4, 3, 2], activation=["tanh", "tanh"], loss="cross_entropy"),
        ValueError,
        ["linear", "tanh"],
    ),
    (lambda: cep.Network([4, 3, 2], loss="hinge"), ValueError, ["loss", "hinge"]),
    (lambda: cep.Network([4, 3, 2], nudging="up"), ValueError, ["nudging", "up"]),
    (lambda: cep.Network([4, 3, cep.Readout(0)]), ValueError, ["0 units"]),
    (lambda: cep.Dense("9"), TypeError, ["units", "'9'"]),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_invalid_arguments_get_one_sentence(number: int) -> None:
    call, kind, parts = WRONG[number]
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    assert all(part in message for part in parts), message
    assert "\n" not in message
