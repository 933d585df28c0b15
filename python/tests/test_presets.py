"""The presets are the published experiments."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import small

import cep
from cep import reproduction
from cep.experiments import presets
from cep.experiments.presets import Preset

# Ernoult et al. (2020) and its companion: sizes, learning rates from the OUTPUT on as printed
# there, epochs, T, K, β; percent of test errors, their deviation, percent of training errors.
PUBLISHED: dict[str, tuple[Any, ...]] = {
    "EP-1h": (1, [0.04, 0.08], 30, 30, 10, 0.1, 2.00, 0.13, 0.20),
    "EP-2h": (2, [0.005, 0.05, 0.2], 50, 100, 20, 0.5, 1.95, 0.10, 0.14),
    "C-EP-1h": (1, [0.0028, 0.0056], 100, 40, 15, 0.2, 2.28, 0.16, 0.41),
    "C-EP-2h": (2, [0.00018, 0.0018, 0.01], 150, 100, 20, 0.5, 2.44, 0.14, 0.31),
    "C-VF-1h": (1, [0.0038, 0.0076], 100, 40, 15, 0.2, 2.43, 0.08, 0.77),
    "C-VF-2h": (2, [0.00016, 0.0016, 0.009], 150, 100, 20, 0.35, 2.97, 0.19, 1.58),
    "EB-1h": (1, [0.05, 0.1], 30, 100, 12, 0.5, 2.06, None, None),
    "EB-2h": (2, [0.01, 0.1, 0.4], 50, 400, 40, 0.5, 2.01, None, None),
    "P-3h": (3, [0.002, 0.01, 0.05, 0.2], 100, 180, 20, 0.5, 2.01, 0.18, 0.10),
}
CONVOLUTIONAL = ("P-conv", "CIFAR-10")
RATES_ONLY = {"EP-VF-1h": [0.075, 0.15], "EP-VF-2h": [0.009, 0.09, 0.3]}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_hyperparameters_and_errors(name: str) -> None:
    layers, rates, epochs, free, nudged, beta, test, deviation, train = PUBLISHED[name]
    preset = presets.get(name)
    configuration = preset.configuration
    net = configuration.make_network()
    assert net.sizes == (784, *[512] * layers, 10)
    assert net.dtype == "float32"
    assert net.activation == "shifted_sigmoid"
    assert net.relaxation == "synchronous"
    assert configuration.epochs == epochs
    assert configuration.batch_size == 20
    untied = "VF" in name
    rule: Any = configuration.make_rule()
    assert type(rule) is (cep.CEP if name.startswith("C-") else cep.EP)
    assert (rule.free_steps, rule.nudged_steps, rule.beta) == (free, nudged, beta)
    assert rule.learning_rates == tuple(reversed(rates))
    assert rule.beta_sign == ("random" if untied else "fixed")
    assert net.feedback == ("untied" if untied else "tied")
    real_time = name.startswith("EB")
    assert net.setting == ("real-time" if real_time else "prototypical")
    assert "dt=0.2, clamp=True" in repr(net) or not real_time
    published = preset.published
    assert published is not None
    assert 100 * published.test_mean == pytest.approx(test)
    percent = [None if x is None else 100 * x for x in (published.test_deviation, published.train)]
    assert percent == [x if x is None else pytest.approx(x) for x in (deviation, train)]


def test_the_convolutional_network_of_2019() -> None:
    """Ernoult et al. (NeurIPS 2019), P-conv."""
    preset = presets.get("P-conv")
    configuration, net = preset.configuration, preset.configuration.make_network()
    assert net.shapes == ((1, 28, 28), (32, 12, 12), (64, 4, 4), (10,))
    assert [w.shape for w in net.weights] == [(32, 1, 5, 5), (64, 32, 5, 5), (10, 1024)]
    assert (net.activation, net.nudging, net.loss) == ("hard_sigmoid", "outside", "squared_error")
    rule: Any = configuration.make_rule()
    assert rule == cep.EP(200, 10, 0.4, [0.15, 0.035, 0.015])
    assert (configuration.epochs, configuration.batch_size) == (40, 20)
    assert preset.published == presets.Published(0.0102, 0.0004, 0.0054)


def test_the_network_of_laborieux_for_cifar10() -> None:
    """Laborieux et al. (2021): too long to train here, so shapes and one batch are checked."""
    preset = presets.get("CIFAR-10")
    configuration = preset.configuration
    net = configuration.make_network()
    assert net.shapes == (
        *((3, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4), (512, 1, 1)),
        (10,),
    )
    assert (net.activation, net.nudging, net.loss) == (
        "half_hard_sigmoid",
        "inside",
        "cross_entropy",
    )
    rates = (0.25, 0.15, 0.1, 0.08, 0.05)
    assert configuration.make_rule() == cep.EP(
        *(250, 25, 1.0, rates),
        beta_sign="symmetric",
        optimizer=cep.SGD(momentum=0.9, weight_decay=3e-4),
    )
    assert [configuration.learning_rate_factor(e) for e in (1, 61)] == pytest.approx([1, 0.5])
    assert configuration.learning_rate_factor(120) == pytest.approx(0.00017, rel=0.01)
    assert (configuration.epochs, configuration.batch_size) == (120, 128)
    assert (configuration.flip, configuration.crop) == (True, 4)
    assert preset.published is not None
    assert preset.published.test_mean == 0.117
    random = np.random.default_rng(0)
    x = random.random((2, 3, 32, 32), dtype=np.float32)
    before = [array.copy() for array in net.parameters()]
    short = replace(configuration.make_rule(), free_steps=12, nudged_steps=4)  # type: ignore[type-var]
    result = cep.train_batch(net, x, [3, 7], short)
    assert np.isfinite(result.loss)
    # A gradient check in float64 with a smooth activation, of all tensors at once.
    smooth = cep.Network(net.layers, activation="sigmoid", dtype="float64", seed=1)
    estimate = cep.gradient(smooth, x, [3, 7], cep.BPTT(4))
    gradients = [*estimate.weights, *estimate.biases]
    directions = [random.standard_normal(array.shape) for array in smooth.parameters()]
    start = [array.copy() for array in smooth.parameters()]
    losses = []
    for step in (1e-7, -1e-7):
        moves = zip(smooth.parameters(), start, directions, strict=True)
        for parameter, old, direction in moves:
            parameter[...] = old + step * direction
        losses.append(cep.evaluate(smooth, (x, [3, 7]), 4).loss)
    expected = (losses[0] - losses[1]) / 2e-7
    found = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
    assert abs(found - expected) < 1e-6 * max(1, abs(expected))
    assert all(
        np.isfinite(array).all() and not np.array_equal(array, old)
        for array, old in zip(net.parameters(), before, strict=True)
    )


@pytest.mark.parametrize("name", RATES_ONLY)
def test_learning_rates_of_vf(name: str) -> None:
    preset = presets.get(name)
    assert preset.configuration.learning_rates == tuple(reversed(RATES_ONLY[name]))
    assert preset.configuration.feedback == "untied"
    assert preset.configuration.rule == "ep"
    assert preset.published is None


def test_no_other_presets() -> None:
    alternating = {f"{name}-alternating" for name in reproduction.ROWS}
    assert set(presets.PRESETS) == {*PUBLISHED, *RATES_ONLY, *CONVOLUTIONAL, *alternating}
    assert all(presets.get(name).name == name for name in presets.PRESETS)


@pytest.mark.parametrize("name", reproduction.ROWS)
def test_alternating_rows_change_free_phases_only(name: str) -> None:
    """With two hidden layers half the steps: an alternating one does the work of two."""
    published, preset = presets.get(name), presets.get(f"{name}-alternating")
    changed = {
        key: new
        for key, (_, new) in published.configuration.differences(preset.configuration).items()
    }
    half = {"free_steps": 50, "tolerance": 1e-6} if name.endswith("2h") else {}
    assert changed == {"relaxation": "alternating", **half}
    assert preset.published == published.published


@pytest.mark.parametrize("name", presets.PRESETS)
def test_with_bptt_only_the_rule_is_another(name: str) -> None:
    preset = presets.get(name)
    exact = preset.with_bptt()
    assert preset.configuration.differences(exact.configuration) == {
        "rule": (preset.configuration.rule, "bptt")
    }
    assert isinstance(exact.configuration.make_rule(), cep.BPTT)
    assert exact.published is None


def test_with_fixed_feedback_only_the_rates_of_feedback_are_others() -> None:
    preset = presets.get("C-VF-2h-alternating")
    fixed = preset.with_fixed_feedback()
    assert fixed.name == "C-VF-2h-alternating with fixed feedback"
    assert preset.configuration.differences(fixed.configuration) == {
        "feedback_learning_rates": (None, (0, 0, 0))
    }
    assert fixed.published is None
    with pytest.raises(ValueError, match=r"EP-1h has tied feedback.* such as C-VF-1h"):
        presets.get("EP-1h").with_fixed_feedback()


@pytest.mark.parametrize(
    ("name", "nearest"), [("cep-1h", "C-EP-1h"), ("EP1h", "EP-1h"), ("C-VF-3h", "C-VF-")]
)
def test_an_unknown_preset(name: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=f"'{name}'; did you mean '{nearest}") as caught:
        presets.get(name)
    assert all(known in str(caught.value) for known in presets.PRESETS)


def test_defaults_are_the_published_ones_on_mnist() -> None:
    for rule, name in (("ep", "EP"), ("c-ep", "C-EP")):
        for depth in (1, 2):
            expected = presets.get(f"{name}-{depth}h").configuration
            assert presets.defaults("mnist", rule, depth) == expected
        assert presets.defaults("mnist", rule, 5) == cep.Configuration(rule=rule, data="mnist")
    assert presets.defaults("wine", "c-ep") == cep.Configuration(rule="c-ep", data="wine")
    exact = presets.get("EP-2h").with_bptt().configuration
    assert presets.defaults("mnist", "bptt", 2) == exact


CALLS: dict[str, Callable[[Any, Path], cep.RunResult | cep.RunOutcome]] = {
    "run": lambda value, folder: cep.run(value, folder, progress=False),
    "run_many": lambda value, folder: cep.run_many(
        {"seed=0": value}, folder, jobs=1, progress=False
    )["seed=0"],
    "sweep": lambda value, folder: next(
        iter(cep.sweep(value, {"seed": [0]}, folder, jobs=1, progress=False))
    ),
}


@pytest.mark.once
@pytest.mark.parametrize("call", CALLS)
def test_a_preset_or_its_name_stands_for_its_configuration(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = Preset("EP-1h", small(epochs=1), None)
    monkeypatch.setitem(presets.PRESETS, "EP-1h", quick)
    for kind, value in (("configuration", small(epochs=1)), ("preset", quick), ("name", "EP-1h")):
        result = CALLS[call](value, tmp_path / kind)
        assert (result.configuration, result.stop_reason) == (small(epochs=1), "finished")
    with pytest.raises(ValueError, match="unknown preset 'EP-1'; did you mean 'EP-1h'"):
        CALLS[call]("EP-1", tmp_path / "none")
    for wrong in ({"beta": 0.5}, None, Path("EP-1h"), cep.Configuration):
        kind = re.escape(f"got {type(wrong).__name__} {wrong!r}")
        words = f"must be a Configuration, a Preset or the name of one such as 'EP-1h', {kind}$"
        with pytest.raises(TypeError, match=words):
            CALLS[call](wrong, tmp_path / "none")
    assert not (tmp_path / "none").exists()
