"""The corrected nudged phase gives exact gradients for any feedback weights."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import cep

LAYERS: dict[str, list[Any]] = {
    "one hidden": [5, 7, 3],
    "two hidden": [5, 7, 6, 3],
    "three hidden": [5, 6, 7, 6, 3],
    "readout": [5, 7, 6, cep.Readout(3)],
    "convolutional": [cep.Input(1, 6, 6), cep.Conv2d(3, 3, pool="max"), cep.Conv2d(4, 2), 3],
}
SETTINGS: dict[str, dict[str, Any]] = {
    "prototypical": {"activation": "sigmoid"},
    "real-time": {"setting": "real-time", "activation": "tanh", "clamp": False},
}


def _network(layers: str, setting: str, angle: float | None, **options: Any) -> cep.Network:
    feedback = {} if angle is None else {"feedback": "untied", "feedback_angle": angle}
    options = SETTINGS[setting] | feedback | options
    return cep.Network(LAYERS[layers], dtype="float64", seed=1, **options)


def _data(net: cep.Network) -> tuple[Any, Any]:
    random = np.random.default_rng(0)
    return random.random((6, *net.shapes[0])), random.integers(0, 3, 6)


def _vector(gradient: Any) -> NDArray[np.float64]:
    """The gradient of all parameters."""
    feedback = [v for v in gradient.feedback_weights if v is not None]
    arrays = [*gradient.weights, *gradient.biases, *feedback]
    return np.concatenate([np.asarray(array).ravel() for array in arrays])


def _angle(a: NDArray[Any], b: NDArray[Any]) -> float:
    cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
    return float(np.degrees(np.arccos(min(1.0, cosine))))


@pytest.mark.parametrize("angle", [0.0, 100.0, 180.0])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("layers", LAYERS)
def test_updates_tend_to_the_gradient(layers: str, setting: str, angle: float) -> None:
    net = _network(layers, setting, angle)
    x, y = _data(net)
    exact = _vector(cep.gradient(net, x, y, cep.RBP(1500, tolerance=1e-12)))
    for sign, order in (("fixed", 1), ("symmetric", 2)):
        errors = []
        for beta in (1e-2, 1e-3):
            rule = cep.EP(1500, 1500, beta, beta_sign=sign, asymmetry="exact")  # type: ignore[arg-type]
            found = _vector(cep.gradient(net, x, y, rule))
            errors.append(np.linalg.norm(found - exact) / np.linalg.norm(exact))
        # The error is linear in beta; the readout's has the largest factor.
        assert _angle(found, exact) < (0.06 if layers == "readout" else 0.05)
        assert errors[0] / errors[1] == pytest.approx(10**order, rel=0.3)
        assert errors[1] < 2e-3


def test_the_vector_field_differs() -> None:
    """The premise of the tests above: the correction matters."""
    net = _network("two hidden", "prototypical", 100, activation="tanh")
    x, y = _data(net)
    exact = _vector(cep.gradient(net, x, y, cep.RBP(1500)))
    assert _angle(_vector(cep.gradient(net, x, y, cep.EP(1500, 1500, 1e-3))), exact) > 30


@pytest.mark.parametrize("angle", [None, 60.0, 180.0])
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("layers", LAYERS)
def test_every_step_equals_a_step_of_bptt(layers: str, setting: str, angle: float | None) -> None:
    net = _network(layers, setting, angle)
    x, y = _data(net)
    report = cep.gdu_check(net, x, y, 1500, 10, 1e-4, asymmetry="exact")
    curves = [*report.weights, *report.biases, *report.states[1:], *report.feedback_weights]
    compared = [each for each in curves if each is not None and np.any(each.gradients)]
    assert len(compared) >= 2 * len(net.edges)
    for each in compared:
        assert each.relative_error < 1e-3


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("layers", LAYERS)
def test_the_continual_form_tends_to_the_other(layers: str, setting: str) -> None:
    net = _network(layers, setting, 120)
    x, y = _data(net)
    found, expected = (
        _vector(cep.gradient(net, x, y, make(300, 12, 0.1, asymmetry="exact")))
        for make in (cep.CEP, cep.EP)
    )
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    # And so do its updates as the learning rate decreases.
    before = np.concatenate([array.ravel() for array in net.parameters()])
    differences = []
    for rate in (1e-3, 1e-4):
        copy = net.copy()
        rule = cep.CEP(300, 12, 0.1, rate, asymmetry="exact")
        cep.train_batch(copy, x, y, rule)
        change = (np.concatenate([a.ravel() for a in copy.parameters()]) - before) / -rate
        differences.append(np.linalg.norm(change - expected) / np.linalg.norm(expected))
    assert differences[0] / differences[1] == pytest.approx(10, rel=0.3)
    assert differences[1] < 0.01


def test_tied_networks_get_the_usual_rule() -> None:
    """It is exact if nudging is inside the activation."""
    net = _network("two hidden", "prototypical", None, nudging="inside")
    x, y = _data(net)
    differences = []
    for beta in (1e-2, 1e-3):
        usual, corrected = (
            _vector(cep.gradient(net, x, y, cep.EP(1000, 1000, beta, asymmetry=asymmetry)))
            for asymmetry in ("vector-field", "exact")  # type: ignore[arg-type]
        )
        differences.append(np.linalg.norm(usual - corrected) / np.linalg.norm(usual))
    assert differences[0] / differences[1] == pytest.approx(10, rel=0.3)
    assert differences[1] < 2e-3


@pytest.mark.parametrize("make", [cep.EP, cep.CEP])
def test_without_feedback_it_is_backpropagation(make: Callable[..., Any]) -> None:
    net = _network("two hidden", "prototypical", 0, activation="tanh")
    for v in net.feedback_weights:
        if v is not None:
            v[...] = 0
    x, y = _data(net)
    s, derivatives = [x], []
    for w, b in zip(net.weights, net.biases, strict=True):
        s.append(np.tanh(s[-1] @ w.T + b))
        derivatives.append(1 - s[-1] ** 2)
    delta = (s[-1] - np.eye(3)[y]) * derivatives[-1]
    expected = {}
    for k in (2, 1, 0):
        expected[k] = delta.T @ s[k] / len(x)
        if k > 0:
            delta = (delta @ net.weights[k]) * derivatives[k - 1]
    found = cep.gradient(net, x, y, make(20, 20, 1e-4, asymmetry="exact"))
    for k, gradient in expected.items():
        np.testing.assert_allclose(
            found.weights[k], gradient, rtol=0, atol=1e-4 * abs(gradient).max()
        )


@pytest.mark.parametrize("write", [False, True])
@pytest.mark.parametrize("kind", ["EP", "C-EP"])
@pytest.mark.parametrize("layers", [[6, 40, 30, 3], [6, 8, 7, 3], LAYERS["convolutional"]])
def test_feedback_has_learning_rates_of_its_own(layers: list[Any], kind: str, write: bool) -> None:
    """A rate of 0 fixes it; within a batch of EP it does not affect forward weights."""
    rates = [0.05, 0.04, 0.03]
    own: dict[str, Any] = {} if kind == "EP" else {"write_every_step": write}
    make: Any = cep.EP if kind == "EP" else cep.CEP
    changes = {}
    for factor in (None, 0.0, 0.5, 1.0):
        net = cep.Network(layers, feedback="untied", feedback_angle=60, dtype="float64", seed=0)
        x, y = _data(net)
        before = [np.array(v) for v in net.feedback_weights if v is not None]
        feedback = None if factor is None else [factor * rate for rate in rates]
        rule = make(20, 5, 0.5, rates, feedback_learning_rates=feedback, **own)
        cep.train_batch(net, x, y, rule)
        after = [v for v in net.feedback_weights if v is not None]
        changes[factor] = [now - old for now, old in zip(after, before, strict=True)]
    assert all(not change.any() for change in changes[0.0])
    assert all(change.any() for change in changes[1.0])
    for usual, given, half in zip(changes[None], changes[1.0], changes[0.5], strict=True):
        np.testing.assert_array_equal(usual, given)
        # In a continual rule, changed weights change the states.
        np.testing.assert_allclose(
            half, 0.5 * given, rtol=1e-9 if kind == "EP" else 0.05, atol=1e-5
        )


def test_the_exact_rule_learns_with_fixed_feedback(digits: Any) -> None:
    x, y = digits[0][:600], digits[1][:600]
    for rule in (
        cep.EP(30, 10, 0.5, [0.1, 0.05], asymmetry="exact", feedback_learning_rates=0),
        cep.CEP(30, 10, 0.5, [0.05, 0.02], asymmetry="exact", feedback_learning_rates=0),
    ):
        net = cep.Network([64, 64, 10], feedback="untied", feedback_angle=180, seed=0)
        before = np.array(net.feedback_weights[1])
        cep.fit(net, (x, y), rule, epochs=10, batch_size=20, seed=0, progress=False)
        np.testing.assert_array_equal(net.feedback_weights[1], before)
        assert cep.evaluate(net, (x, y), 30).error < 0.3  # 0.9 is chance.


@pytest.mark.parametrize("make", [cep.EP, cep.CEP])
def test_bad_input_gets_one_sentence(make: Any) -> None:
    with pytest.raises(ValueError, match="asymmetry must be 'vector-field' or 'exact', got 'x'"):
        make(5, 5, 0.5, asymmetry="x")
    with pytest.raises(ValueError, match="feedback_update is 'shared' with the asymmetry 'exact'"):
        make(5, 5, 0.5, asymmetry="exact", feedback_update="shared")
    with pytest.raises(ValueError, match="feedback_learning_rates without learning_rates"):
        make(5, 5, 0.5, feedback_learning_rates=0.1)
    with pytest.raises(ValueError, match="feedback_learning_rates"):
        make(5, 5, 0.5, 0.1, feedback_learning_rates=-1)
    with pytest.raises(ValueError, match="asymmetry"):
        cep.gdu_check(cep.Network([3, 4, 2], seed=0), [[0, 0, 0]], [0], 5, 5, 1e-3, asymmetry="x")


@pytest.mark.parametrize("make", [cep.EP, cep.CEP])
@pytest.mark.parametrize("setting", SETTINGS)
def test_corrected_phases_are_recorded(make: Any, setting: str) -> None:
    net = _network("two hidden", setting, 100)
    x, y = _data(net)
    with cep.trace(net) as trace:
        cep.train_batch(net, x, y, make(20, 5, 0.5, 0.1, asymmetry="exact"))
    assert [phase.steps for phase in trace.phases] == [20, 5]
    nudged = trace.nudged
    assert nudged.beta == 0.5
    moved = [
        max(
            np.abs(states[t + 1] - states[t]).max()
            for states in nudged.states[1:]
            if states is not None
        )
        for t in range(5)
    ]
    np.testing.assert_allclose(nudged.residuals, moved, rtol=1e-12)
