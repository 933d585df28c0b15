"""Rules change parameters by their equations, and report the predictions before the update."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy_model import ACTIVATIONS, NumpyModel, loss_and_errors, one_hot
from snapshot import parameters, same

import cep

TOLERANCES = {"float64": 1e-10, "float32": 1e-4}
SIZES = {1: (7, 6, 4), 2: (7, 6, 5, 4), 3: (7, 6, 5, 5, 4)}
RULES = (cep.EP, cep.CEP)


def batches(count: int, rows: int = 5) -> list[tuple[Any, Any]]:
    generator = np.random.default_rng(0)
    return [(generator.random((rows, 7)), generator.integers(0, 4, rows)) for _ in range(count)]


def largest_difference(first: list[Any], second: list[Any]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True))


def model_parameters(model: NumpyModel) -> list[Any]:
    return [*model.weights, *model.biases, *(model.feedback or [])]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
@pytest.mark.parametrize("feedback", ["tied", "untied"])
@pytest.mark.parametrize("hidden", SIZES)
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("one_rate", [True, False])
def test_training_follows_the_equations(
    rule: Any, setting: str, feedback: str, hidden: int, activation: str, one_rate: bool
) -> None:
    rates = 0.1 if one_rate else [0.2, 0.15, 0.1, 0.05][: hidden + 1]
    learning = rule(8, 5, 0.4, rates)
    for dtype, tolerance in TOLERANCES.items():
        net = cep.Network(
            SIZES[hidden],
            setting=setting,
            feedback=feedback,
            activation=activation,
            dtype=dtype,
            seed=3,
            feedback_angle=45,
        )
        for bias in net.biases:
            bias += 0.3  # Off the flat part of the hard sigmoid.
        model = NumpyModel.of(net)
        initial = parameters(net)
        for x, labels in batches(4):
            result = cep.train_batch(net, x, labels, learning)
            loss, errors, nudged = model.train_batch(x.astype(dtype), labels, learning)
            assert result.loss == pytest.approx(loss, abs=tolerance)
            assert result.errors == errors
            assert largest_difference(list(net.states[1:]), nudged[1:]) <= tolerance
            assert largest_difference(parameters(net), model_parameters(model)) <= tolerance
        for array, before in zip(parameters(net), initial, strict=True):
            assert np.abs(array - before).max() > 1e-5  # Each of them has learned.


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("beta", [-0.5, 0.9])
@pytest.mark.parametrize("rows", [1, 37])
def test_any_beta_batch_size_and_soft_targets(rule: Any, beta: float, rows: int) -> None:
    net = cep.Network((7, 40, 4), dtype="float64", seed=3)
    model = NumpyModel.of(net)
    learning = rule(8, 5, beta, [0.4, 0.1])
    for x, _ in batches(3, rows):
        soft = np.random.default_rng(1).normal(size=(rows, 4))
        result = cep.train_batch(net, x, soft, learning)
        loss, errors, _ = model.train_batch(x, soft, learning)
        assert result.loss == pytest.approx(loss)
        assert result.errors == errors
        assert largest_difference(parameters(net), model_parameters(model)) <= 1e-10


@pytest.mark.parametrize("rule", RULES)
def test_batch_result_is_that_of_the_free_phase(rule: Any) -> None:
    net, observed = (cep.Network((7, 30, 4), dtype="float64", seed=3) for _ in range(2))
    ((x, labels),) = batches(1, 60)
    observed.free_phase(x, 8)
    loss, errors = loss_and_errors(observed.states[-1], one_hot(labels, 4))
    assert 0 < errors < 60
    result = cep.train_batch(net, x, labels, rule(8, 5, 0.4, 0.1))
    assert result.loss == pytest.approx(loss, rel=1e-12)
    assert result.errors == errors
    assert isinstance(result, cep.BatchResult)


@pytest.mark.parametrize("rule", RULES)
def test_labels_and_one_hot_targets_teach_the_same(rule: Any) -> None:
    by_label, by_target = (cep.Network((7, 6, 4), seed=3) for _ in range(2))
    for x, labels in batches(3):
        first = cep.train_batch(by_label, x, labels, rule(8, 5, 0.4, 0.1))
        assert first == cep.train_batch(by_target, x, one_hot(labels, 4), rule(8, 5, 0.4, 0.1))
    assert same(parameters(by_label), parameters(by_target))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("connection", [0, 1, 2])
def test_a_rate_belongs_to_its_connection(rule: Any, connection: int) -> None:
    net = cep.Network(SIZES[2], seed=3)
    rates = [0.0, 0.0, 0.0]
    rates[connection] = 0.5
    before = parameters(net)
    ((x, labels),) = batches(1)
    cep.train_batch(net, x, labels, rule(8, 5, 0.4, rates))
    moved = [not np.array_equal(a, b) for a, b in zip(parameters(net), before, strict=True)]
    expected = [k == connection for k in range(3)]
    assert moved == expected * 2  # Weights, then biases.


@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
def test_continual_updates_tend_to_those_of_ep(setting: str) -> None:
    """Δ/η of C-EP differs from that of EP by O(η): the weights hardly move during the phase."""

    def direction(rule: Any, rate: float) -> list[Any]:
        net = cep.Network(SIZES[2], setting=setting, dtype="float64", seed=3)
        before = parameters(net)
        ((x, labels),) = batches(1)
        cep.train_batch(net, x, labels, rule(20, 10, 0.4, rate))
        return [(a - b) / rate for a, b in zip(parameters(net), before, strict=True)]

    exact = direction(cep.EP, 1.0)
    scale = max(np.abs(update).max() for update in exact)
    coarse, fine = (
        largest_difference(direction(cep.CEP, rate), exact) / scale for rate in (1e-2, 1e-4)
    )
    assert 1e-4 < coarse < 0.5
    assert fine == pytest.approx(coarse / 100, rel=0.1)


@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
def test_ep_tends_to_the_gradient_of_the_loss(setting: str) -> None:
    """−Δ/η equals the gradient up to O(β), and up to O(β²) averaged over ±β.

    This is exact if all states stay in the linear part of the hard sigmoid, where the dynamics
    derive from an energy in both settings.
    """
    net = cep.Network((3, 4, 2), setting=setting, activation="hard_sigmoid", dtype="float64")
    generator = np.random.default_rng(0)
    for array in (*net.weights, *net.biases):
        array[...] = generator.uniform(0.05, 0.2, array.shape)
    x, y = generator.random((3, 3)), generator.random((3, 2))
    initial = parameters(net)

    def minus_update(beta: float) -> Any:
        for array, start in zip((*net.weights, *net.biases), initial, strict=True):
            array[...] = start
        cep.train_batch(net, x, y, cep.EP(2000, 2000, beta, 1.0))
        assert all(((s > 0) & (s < 1)).all() for s in net.states[1:])
        pairs = zip(parameters(net), initial, strict=True)
        moved = np.concatenate([(after - before).ravel() for after, before in pairs])
        for array, start in zip((*net.weights, *net.biases), initial, strict=True):
            array[...] = start
        return -moved

    gradient = []
    for array in (*net.weights, *net.biases):
        for place in np.ndindex(array.shape):
            value, losses = array[place], []
            for shift in (1e-5, -1e-5):
                array[place] = value + shift
                losses.append(cep.evaluate(net, (x, y), 2000).loss)
            array[place] = value
            gradient.append((losses[0] - losses[1]) / 2e-5)

    def one_sided(beta: float) -> float:
        return float(np.abs(minus_update(beta) - gradient).max())

    def two_sided(beta: float) -> float:
        return float(np.abs((minus_update(beta) + minus_update(-beta)) / 2 - gradient).max())

    assert np.abs(gradient).max() > 0.1
    assert one_sided(0.01) < 0.02 * np.abs(gradient).max()
    assert one_sided(0.01) == pytest.approx(one_sided(0.02) / 2, rel=0.05)
    assert two_sided(0.02) == pytest.approx(two_sided(0.04) / 4, rel=0.05)


@pytest.mark.parametrize("rule", RULES)
def test_rules_are_values(rule: Any) -> None:
    by_name = rule(free_steps=30, nudged_steps=10, beta=0.1, learning_rates=[0.08, 0.04])
    assert (by_name.free_steps, by_name.nudged_steps, by_name.beta) == (30, 10, 0.1)
    assert tuple(by_name.learning_rates) == (0.08, 0.04)
    assert by_name == rule(30, 10, 0.1, (0.08, 0.04))
    assert by_name == rule(np.int32(30), 10, np.float64(0.1), np.array([0.08, 0.04]))
    assert hash(by_name) == hash(rule(30, 10, 0.1, [0.08, 0.04]))
    for other in [(31, 10, 0.1, [0.08, 0.04]), (30, 11, 0.1, [0.08, 0.04])]:
        assert by_name != rule(*other)
    for other in [(30, 10, 0.2, [0.08, 0.04]), (30, 10, 0.1, [0.08, 0.05]), (30, 10, 0.1, 0.08)]:
        assert by_name != rule(*other)
    assert cep.EP(30, 10, 0.1, 0.08) != cep.CEP(30, 10, 0.1, 0.08)
    for words in (rule.__name__, "30", "10", "0.1", "0.08", "0.04"):
        assert words in repr(by_name)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["free_steps", "nudged_steps", "beta", "learning_rates"])
def test_rules_are_frozen(rule: Any, name: str) -> None:
    frozen = rule(30, 10, 0.1, [0.08, 0.04])
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(frozen, name, 5)
    changed = dataclasses.replace(frozen, **{name: 5})
    assert getattr(changed, name) == 5
    assert frozen == rule(30, 10, 0.1, [0.08, 0.04])


def test_a_rule_keeps_its_own_rates() -> None:
    rates = [0.08, 0.04]
    rule = cep.EP(30, 10, 0.1, rates)
    rates[0] = 7.0
    assert tuple(rule.learning_rates) == (0.08, 0.04)  # type: ignore[arg-type]
