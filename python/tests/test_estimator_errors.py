"""Invalid arguments of estimators and checks are refused, without changing the network."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy_model import NumpyModel, one_hot
from snapshot import fingerprint, parameters, refused, same

import cep

SIZES = (6, 5, 4, 3)
X = np.random.default_rng(0).random((4, 6))
LABELS = np.array([0, 1, 2, 0])


def network(**options: Any) -> cep.Network:
    """A trained network with states, so that changes to either would be noticed."""
    net = cep.Network(SIZES, **{"seed": 1, "dtype": "float64", **options})
    cep.train_batch(net, X, LABELS, cep.EP(5, 3, 0.5, 0.1))
    return net


# All calls that take a rule.
CALLS: dict[str, Callable[[cep.Network, Any], object]] = {
    "gradient": lambda net, rule: cep.gradient(net, X, LABELS, rule),
    "train_batch": lambda net, rule: cep.train_batch(net, X, LABELS, rule),
    "fit": lambda net, rule: cep.fit(net, (X, LABELS), rule, 2, seed=0, progress=False),
}
RULES: dict[str, Callable[..., Any]] = {
    "EP": lambda **rates: cep.EP(5, 3, 0.5, **rates),
    "C-EP": lambda **rates: cep.CEP(5, 3, 0.5, **rates),
    "BPTT": lambda **rates: cep.BPTT(5, **rates),
    "RBP": lambda **rates: cep.RBP(5, **rates),
}
each_call = pytest.mark.parametrize("call", CALLS)
each_rule = pytest.mark.parametrize("rule", RULES)


@pytest.mark.parametrize("dt", [0, -0.0, -0.2, 1.0000001, 2, float("nan"), float("inf")])
def test_a_time_step_outside_of_0_to_1(dt: float) -> None:
    """Refused even if it is not used, because it is a mistake."""
    for setting in ("real-time", "prototypical"):
        with pytest.raises(ValueError, match=rf"dt must be in \(0, 1\], got {float(dt)}"):
            cep.Network(SIZES, setting=setting, dt=dt)
    cep.Network(SIZES, setting="real-time", dt=1)


@pytest.mark.parametrize("angle", [-1e-9, -90, 180.001, 360, float("nan"), float("-inf")])
def test_an_angle_outside_of_0_to_180(angle: float) -> None:
    for feedback in ("untied", "tied"):
        with pytest.raises(ValueError, match=rf"feedback angle.*0 to 180.*got {float(angle)}"):
            cep.Network(SIZES, feedback=feedback, feedback_angle=angle)
    cep.Network(SIZES, feedback="untied", feedback_angle=180)


@each_call
@pytest.mark.parametrize("value", ["EP", None, 5, cep.EP, (5, 3, 0.5), cep.Network], ids=repr)
def test_invalid_rules(call: str, value: Any) -> None:
    name = "estimator" if call == "gradient" else "rule"
    net = network()
    with refused(net, TypeError, rf"{name} must be a learning rule such as cep\.CEP"):
        CALLS[call](net, value)


@each_call
@each_rule
@pytest.mark.parametrize("rates", [(0.1, 0.1), (0.1,) * 4, (0.1,)], ids=len)
def test_a_wrong_number_of_rates(call: str, rule: str, rates: tuple[float, ...]) -> None:
    net = network()
    message = rf"^learning_rates has {len(rates)} values; the network has 3 connections"
    with refused(net, ValueError, message):
        CALLS[call](net, RULES[rule](learning_rates=rates))
    with refused(net, ValueError, "bias_" + message[1:]):
        CALLS[call](net, RULES[rule](learning_rates=0.1, bias_learning_rates=rates))


@each_rule
@pytest.mark.parametrize("call", ["train_batch", "fit"])
def test_training_without_learning_rates(call: str, rule: str) -> None:
    net = network()
    with refused(net, ValueError, "the rule has no learning rates; expected one for each"):
        CALLS[call](net, RULES[rule]())
    CALLS["gradient"](net, RULES[rule]())  # Estimates do not need learning rates.


@each_rule
@pytest.mark.parametrize(
    ("rates", "error"),
    [(-0.1, ValueError), (float("nan"), ValueError), ([0.1, -1, 0.1], ValueError), ([], ValueError),
     ("fast", TypeError), ([0.1, None, 0.1], TypeError), (1j, TypeError)],
    ids=repr,
)  # fmt: skip
def test_invalid_rates(rule: str, rates: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^learning_rates"):
        RULES[rule](learning_rates=rates)
    with pytest.raises(error, match=r"^bias_learning_rates"):
        RULES[rule](learning_rates=0.1, bias_learning_rates=rates)
    with pytest.raises(ValueError, match="bias_learning_rates without learning_rates"):
        RULES[rule](bias_learning_rates=0.1)


@pytest.mark.parametrize("rule", [*RULES, "C-EP, one step"])
@pytest.mark.parametrize(
    ("rate", "dtype"), [(1e38, "float32"), (1e39, "float32"), (1e308, "float64")]
)
def test_infinite_updates_are_not_made(rule: str, rate: float, dtype: str) -> None:
    """The rate is finite, but the parameters would not be."""
    net = network(dtype=dtype)
    before = parameters(net)
    kind: Any = {"C-EP, one step": lambda **rates: cep.CEP(5, 1, 0.5, **rates), **RULES}[rule]
    with pytest.raises((cep.DivergenceError, ValueError)):
        cep.train_batch(net, X, 1e3 * one_hot(LABELS, 3), kind(learning_rates=rate))
    assert same(parameters(net), before)


@pytest.mark.parametrize(("last", "error"), [(6, ValueError), (0, ValueError), (-1, ValueError),
                                             (2.0, TypeError), (True, TypeError)])  # fmt: skip
def test_more_last_steps_than_there_are(last: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=rf"^last_steps.*{last}"):
        cep.BPTT(5, last)
    assert cep.BPTT(5, 5).last_steps == 5


@pytest.mark.parametrize("tolerance", [0, 1, -1e-3, 2, float("nan")])
def test_tolerances_that_cannot_be_reached_or_say_nothing(tolerance: float) -> None:
    with pytest.raises(ValueError, match=f"tolerance must be between 0 and 1, got {tolerance}"):
        cep.RBP(5, tolerance=tolerance)


def test_more_nudged_steps_than_gradients_can_be_sent_back_through() -> None:
    net = network()
    with refused(net, ValueError, "nudged_steps is 7, more than the 6 free_steps"):
        cep.gdu_check(net, X, LABELS, 6, 7, 0.1)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 1, 0.1), ValueError, "free_steps must be 1 or more, got 0"),
        ((60, 0, 0.1), ValueError, "nudged_steps must be 1 or more, got 0"),
        ((60.0, 5, 0.1), TypeError, "free_steps must be an integer, got float 60.0"),
        ((60, 5, 0), ValueError, "beta must be finite and not 0, got 0"),
        ((60, 5, float("inf")), ValueError, "beta must be finite and not 0, got inf"),
        ((60, 5, 0.1, [0.1, 0.1]), ValueError, "learning_rates has 2 values; .* 3 connections"),
        ((60, 5, 0.1, -1), ValueError, "learning_rates must be finite and 0 or more, got -1"),
    ],
    ids=str,
)
def test_invalid_checks(arguments: Any, error: type[Exception], message: str) -> None:
    net = network()
    with refused(net, error, message):
        cep.gdu_check(net, X, LABELS, *arguments)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[:, 1:], LABELS, "x has 5 columns; .* 6 units"),
        (X[:0], LABELS[:0], "at least one row"),
        (X, LABELS[1:], "y has 3 targets for the 4 rows"),
        (X, LABELS + 1, r"label.*3|class.*3|3.*class"),
        (X * np.inf, LABELS, "not finite"),
        (X, np.full((4, 3), np.nan), "not finite"),
    ],
)
def test_data_that_do_not_fit(x: Any, y: Any, message: str) -> None:
    net = network()
    with refused(net, ValueError, message):
        cep.gdu_check(net, x, y, 60, 5, 0.1)
    for rule in RULES.values():
        with refused(net, ValueError, message):
            cep.gradient(net, x, y, rule())


def unstable(dtype: str = "float64") -> cep.Network:
    """Rests at zero without input, an unstable steady state."""
    net = cep.Network(SIZES, feedback="untied", activation="tanh", dtype=dtype, seed=1)
    for bias in net.biases:
        bias[...] = 0
    for weights, feedback in zip(net.weights[1:], net.feedback_weights[1:], strict=True):
        weights *= 8
        feedback[...] = -weights.T  # type: ignore[index]
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_that_grow_without_bounds(dtype: str) -> None:
    net, still = unstable(dtype), np.zeros_like(X)
    advice = "not a stable steady state"
    for rule, message in (
        (
            cep.RBP(60, learning_rates=0.1),
            r"gradient became infinite.* at step \d+, in layer \d: .*" + advice,
        ),
        (
            cep.BPTT(2000, learning_rates=0.1),
            r"gradient became infinite.* at step \d+, in layer \d",
        ),
    ):
        before = parameters(net)
        with refused(net, cep.DivergenceError, message):
            cep.gradient(net, still, LABELS, rule)
        with pytest.raises(cep.DivergenceError, match=message):
            cep.train_batch(net, still, LABELS, rule)
        assert same(parameters(net), before)


def test_a_check_of_gradients_that_grow_without_bounds() -> None:
    """The angle is not defined."""
    net = unstable()
    with refused(net, cep.DivergenceError, "gradient"):
        cep.gdu_check(net, np.zeros_like(X), LABELS, 2000, 2000, 0.1)


def test_recurrent_backpropagation_that_is_given_too_little_time() -> None:
    net = network()
    with refused(net, cep.DivergenceError, "tolerance 1e-12 after 3 iterations.*max_iterations"):
        cep.gradient(net, X, LABELS, cep.RBP(60, tolerance=1e-12, max_iterations=3))


def first_infinite(model: NumpyModel, states: list[Any], **nudge: Any) -> tuple[int, int]:
    """The step and the layer where NumPy finds the first state that is not finite."""
    with np.errstate(all="ignore"):
        for step in range(1, 10_000):
            states = model.step(states, **nudge)
            for layer, state in enumerate(states):
                if not np.isfinite(state).all():
                    return step, layer
    raise AssertionError("it does not diverge")


def diverging(activation: str, connection: int) -> tuple[cep.Network, int, int]:
    """Activations are bounded, so it needs weights near the largest numbers.

    With the step and the layer where NumPy finds the first state that is not finite.
    """
    net = network(setting="real-time", activation=activation, clamp=False, feedback="untied")
    net.weights[connection][...] = 1.7e308
    for bias in net.biases:
        bias[...] = 0.5
    model = NumpyModel.of(net, clamp=False)
    return net, *first_infinite(model, model.zero_states(X))


@pytest.mark.parametrize("connection", [0, 1, 2])
@pytest.mark.parametrize("activation", ["tanh", "hard_sigmoid", "shifted_sigmoid"])
def test_a_free_phase_that_diverges(activation: str, connection: int) -> None:
    net, step, layer = diverging(activation, connection)
    assert layer == connection + 1
    message = rf"^the free phase diverged at step {step}, in layer {layer}: .* try a smaller .*dt"
    before = parameters(net)
    for call in CALLS.values():
        for rule in RULES.values():
            with pytest.raises(cep.DivergenceError, match=message):
                call(net, rule(learning_rates=0.1))
    with pytest.raises(cep.DivergenceError, match=message):
        cep.gdu_check(net, X, LABELS, 60, 5, 0.1)
    assert same(parameters(net), before)


def test_a_suggestion_names_the_step_that_diverged() -> None:
    net, step, layer = diverging("tanh", 1)
    assert step > 1
    with refused(net, cep.DivergenceError, f"diverged at step {step}, in layer {layer}"):
        cep.suggest(net, X, LABELS)


@pytest.mark.parametrize("rule", ["EP", "C-EP"])
@pytest.mark.parametrize("feedback", ["tied", "untied"])
def test_a_nudged_phase_that_diverges(rule: str, feedback: str) -> None:
    """If β dt > 2, the output oscillates with growing amplitude."""
    net = network(setting="real-time", activation="tanh", clamp=False, feedback=feedback)
    model = NumpyModel.of(net, clamp=False)
    nudge: dict[str, Any] = {"y": one_hot(LABELS, 3), "beta": 40.0}
    step, layer = first_infinite(model, model.free_phase(X, 5), **nudge)
    kind = {"EP": cep.EP, "C-EP": cep.CEP}[rule]
    message = rf"^the nudged phase diverged at step {step}, in layer {layer}: .* a smaller beta"
    with refused(net, cep.DivergenceError, message):
        cep.gradient(net, X, LABELS, kind(5, 2000, 40.0))
    with refused(net, cep.DivergenceError, message.replace(str(step), r"\d+")):
        cep.gdu_check(net, X, LABELS, 2000, 2000, 40.0)
    before = parameters(net)
    with pytest.raises(cep.DivergenceError, match=message):
        cep.train_batch(net, X, LABELS, kind(5, 2000, 40.0, 0))
    assert same(parameters(net), before)


def test_a_check_before_convergence_warns() -> None:
    net = network()
    residual = net.free_phase(X, 4).residual
    before = fingerprint(net)
    with pytest.warns(cep.ConvergenceWarning) as caught:
        report = cep.gdu_check(net, X, LABELS, 4, 3, 0.1)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    words = rf"not converged: after 4 steps.* {residual:.1e} a step.*more free_steps"
    assert re.search(words, str(caught[0].message))
    assert report.free_phase.residual == pytest.approx(residual, rel=1e-9)
    assert fingerprint(net) == before
    cep.gdu_check(net, X, LABELS, 400, 3, 0.1)  # Steady: a warning would be an error.


def test_too_few_iterations_of_recurrent_backpropagation() -> None:
    net = cep.Network((6, 5, 3), seed=1)
    message = r"tolerance 1e-06 after 3 iterations: .*max_iterations is too small"
    with refused(net, cep.DivergenceError, message):
        cep.gradient(net, X, LABELS, cep.RBP(60, max_iterations=3))
