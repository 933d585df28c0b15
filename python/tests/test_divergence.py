"""Infinite values are reported; the parameters are those before the batch."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy_model import ACTIVATIONS
from snapshot import parameters, same

import cep

X = np.random.default_rng(0).random((4, 6))
LABELS = [0, 1, 2, 0]
# s ← σ(a) + β(y − s) multiplies the output by −β at every step.
DIVERGING_BETA, DIVERGING_STEPS = 10.0, 1000


def network(**options: Any) -> cep.Network:
    return cep.Network((6, 5, 3), seed=1, **options)


@pytest.mark.parametrize("rule", [cep.EP, cep.CEP])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_that_diverges_leaves_the_parameters(rule: Any, dtype: str) -> None:
    net = network(dtype=dtype)
    before = parameters(net)
    with pytest.raises(cep.DivergenceError, match=r"nudged phase diverged at step \d+, in layer"):
        cep.train_batch(net, X, LABELS, rule(5, DIVERGING_STEPS, DIVERGING_BETA, 0.1))
    assert same(parameters(net), before)


@pytest.mark.parametrize("rule", [cep.EP, cep.CEP])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_epoch_that_diverges_leaves_the_parameters(rule: Any, dtype: str) -> None:
    net = network(dtype=dtype)
    before = parameters(net)
    with pytest.raises(cep.DivergenceError):
        cep.fit(
            net,
            (X, LABELS),
            rule(5, DIVERGING_STEPS, DIVERGING_BETA, 0.1),
            epochs=3,
            batch_size=4,
            progress=False,
        )
    assert same(parameters(net), before)


@pytest.mark.parametrize("rule", [cep.EP, cep.CEP])
@pytest.mark.parametrize("rate", [1e39, 1e300])
def test_infinite_updates_are_not_made(rule: Any, rate: float) -> None:
    """The rate is finite, but the parameters would not be."""
    net = network()
    before = parameters(net)
    with pytest.raises((cep.DivergenceError, ValueError)):
        cep.train_batch(net, X, LABELS, rule(5, 3, 0.5, rate))
    assert same(parameters(net), before)


@pytest.mark.parametrize("sign", ["fixed", "symmetric"])
@pytest.mark.parametrize(
    ("dtype", "beta", "rate"), [("float32", 1e-9, 3e38), ("float64", 1e-9, 1e308)]
)
def test_infinite_sums_of_updates_are_not_made(
    sign: Any, dtype: str, beta: float, rate: float
) -> None:
    net = network(dtype=dtype)
    before = parameters(net)
    rule = cep.EP(5, 3, beta, rate, beta_sign=sign, accumulate=True)
    with pytest.raises(cep.DivergenceError, match="update of connection 0 would be infinite"):
        cep.train_batch(net, X, LABELS, rule)
    assert same(parameters(net), before)


@pytest.mark.parametrize(
    "rule",
    [
        cep.CEP(4, 1, -3e38, 1e-30),
        cep.EP(4, 1, -3e38, 1e-30),
        cep.BPTT(3, learning_rates=1e-38),
        cep.RBP(30, learning_rates=1e-300),
    ],
    ids=lambda rule: rule.name,
)
def test_small_rates_do_not_prevent_infinite_products(rule: Any) -> None:
    """They are summed before they are multiplied by the rate."""
    net = network()
    before = parameters(net)
    x, y = np.full((4, 6), 1e30), np.full((4, 3), 2e38)
    with pytest.raises(cep.DivergenceError):
        cep.train_batch(net, x, y if rule.name in ("BPTT", "RBP") else LABELS, rule)
    assert same(parameters(net), before)


@pytest.mark.parametrize("rule", [cep.EP, cep.CEP])
@pytest.mark.parametrize("beta", [1e-300, -1e-50, 1e39])
def test_a_beta_that_the_dtype_cannot_hold_trains_nothing(rule: Any, beta: float) -> None:
    """In float32 these are 0 and infinity."""
    net = network()
    before = parameters(net)
    with pytest.raises((cep.DivergenceError, ValueError)):
        cep.train_batch(net, X, LABELS, rule(5, 3, beta, 0.1))
    assert same(parameters(net), before)


@pytest.mark.parametrize("beta", [1e-300, -1e-50, 1e39])
def test_a_beta_that_the_dtype_cannot_hold_nudges_nothing(beta: float) -> None:
    net = network()
    net.free_phase(X, 5)
    with pytest.raises((cep.DivergenceError, ValueError)):
        net.nudged_phase(LABELS, beta, 3)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
@pytest.mark.parametrize("clamp", [True, False])
@pytest.mark.parametrize("connection", [0, 1])
def test_a_parameter_that_is_not_a_number_is_reported(
    activation: str, setting: str, clamp: bool, connection: int
) -> None:
    net = network(activation=activation, setting=setting, clamp=clamp)
    net.weights[connection][1, 2] = np.nan
    net.biases[0][...] = 0.7
    before = parameters(net)
    for call in (
        lambda: net.free_phase(X, 5),
        lambda: net.predict(X, 5),
        lambda: cep.evaluate(net, (X, LABELS), 5),
        lambda: cep.train_batch(net, X, LABELS, cep.EP(5, 3, 0.5, 0.1)),
        lambda: cep.train_batch(net, X, LABELS, cep.CEP(5, 3, 0.5, 0.1)),
    ):
        with pytest.raises(cep.DivergenceError, match=f"parameters of connection {connection}"):
            call()
    assert same(parameters(net), before)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
@pytest.mark.parametrize("kind", ["weights", "biases"])
@pytest.mark.parametrize("connection", [0, 1])
@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_parameter_is_reported(
    activation: str, setting: str, kind: str, connection: int, value: float
) -> None:
    """Also if the activation is bounded, so that no state becomes infinite."""
    net = network(activation=activation, setting=setting)
    getattr(net, kind)[connection].flat[2] = value
    before = parameters(net)
    where = rf"free phase .* step 1, in layer [12]: parameters of connection {connection}"
    for call in (
        lambda: net.free_phase(X, 5),
        lambda: net.predict(X, 5),
        lambda: cep.train_batch(net, X, LABELS, cep.EP(5, 3, 0.5, 0.1)),
        lambda: cep.train_batch(net, X, LABELS, cep.CEP(5, 3, 0.5, 0.1)),
        lambda: cep.gradient(net, X, LABELS, cep.BPTT(5)),
        lambda: cep.gdu_check(net, X, LABELS, free_steps=5, nudged_steps=2, beta=0.1),
    ):
        with pytest.raises(cep.DivergenceError, match=where):
            call()
    assert same(parameters(net), before)


@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
@pytest.mark.parametrize("layer", [1, 2])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_state_that_was_made_infinite_is_reported(setting: str, layer: int, value: float) -> None:
    net = network(setting=setting)
    for phase, proceed in (
        ("nudged", lambda: net.nudged_phase(LABELS, 0.5, 3)),
        ("free", lambda: net.free_phase(X, 3, reset=False)),
    ):
        net.free_phase(X, 5)
        net.states[layer][1, 2] = value
        with pytest.raises(cep.DivergenceError, match=f"{phase} phase diverged at step 1"):
            proceed()


@pytest.mark.parametrize("feedback", ["tied", "untied"])
@pytest.mark.parametrize(
    "rule",
    [
        cep.EP(5, 3, 0.5, 1e38),
        cep.EP(5, 3, 0.5, 1e38, beta_sign="symmetric"),
        cep.EP(5, 3, 0.5, 1e38, accumulate=True),
        cep.CEP(5, 3, 0.5, 1e38),
        cep.CEP(5, 3, 0.5, 1e38, write_every_step=True),
        cep.BPTT(5, learning_rates=1e38),
    ],
    ids=repr,
)
def test_weights_that_move_too_far_are_reported_and_put_back(feedback: str, rule: Any) -> None:
    net = network(feedback=feedback)
    before = parameters(net)
    far = np.full((4, 3), 1000.0)
    with pytest.raises(cep.DivergenceError, match=r"step \d+, in layer \d|update of connection \d"):
        cep.train_batch(net, X, far, rule)
    assert same(parameters(net), before)


EXTREME = st.sampled_from(
    [1e-300, 1e-46, 1e-38, 1e-30, 1e-9, 0.5, 1e6, 1e19, 1e30, 3e38, 1e200, 1.7e308]
)
STEPS = st.integers(1, 4)


@st.composite
def extreme_rules(draw: Any) -> Any:
    beta, rate = draw(EXTREME) * draw(st.sampled_from([1, -1])), draw(EXTREME)
    phases = (draw(STEPS), draw(STEPS), beta, rate)
    rules = [
        lambda: cep.EP(*phases, beta_sign=draw(st.sampled_from(["fixed", "symmetric"]))),
        lambda: cep.EP(*phases, accumulate=True),
        lambda: cep.CEP(*phases, write_every_step=draw(st.booleans())),
        lambda: cep.BPTT(draw(STEPS), learning_rates=rate),
        lambda: cep.RBP(30, learning_rates=rate),
    ]
    return draw(st.sampled_from(rules))()


@given(
    rule=extreme_rules(),
    options=st.fixed_dictionaries(
        {
            "dtype": st.sampled_from(["float32", "float64"]),
            "setting": st.sampled_from(["prototypical", "real-time"]),
            "activation": st.sampled_from(sorted(ACTIVATIONS)),
            "feedback": st.sampled_from(["tied", "untied"]),
            "clamp": st.booleans(),
        }
    ),
    scales=st.tuples(*[st.just(1.0) | EXTREME] * 3),
)
@settings(max_examples=5 * settings.default.max_examples)
def test_extreme_numbers_keep_parameters_finite(
    rule: Any, options: dict[str, Any], scales: tuple[float, float, float]
) -> None:
    """Extreme numbers in the rule, the data and the parameters."""
    net = cep.Network((2, 3, 2), seed=1, **options)
    with np.errstate(over="ignore"):
        net.weights[0] = np.asarray(net.weights[0]) * net.dtype.type(scales[0])
    assume(np.isfinite(net.weights[0]).all())
    before, data = parameters(net), np.random.default_rng(0).random((2, 2, 2))
    try:
        cep.train_batch(net, data[0] * scales[1], data[1] * scales[2], rule)
    except (cep.DivergenceError, ValueError):
        assert same(parameters(net), before)
    assert all(np.isfinite(array).all() for array in parameters(net))


def test_the_message_says_where() -> None:
    net = network()
    net.free_phase(X, 5)
    with pytest.raises(cep.DivergenceError, match="layer 2"):
        net.nudged_phase(LABELS, DIVERGING_BETA, DIVERGING_STEPS)
    assert issubclass(cep.DivergenceError, ArithmeticError)


def test_the_network_works_again_afterwards() -> None:
    net, fresh = network(), network()
    net.free_phase(X, 5)
    with pytest.raises(cep.DivergenceError):
        net.nudged_phase(LABELS, DIVERGING_BETA, DIVERGING_STEPS)
    for each in (net, fresh):
        each.free_phase(X, 5)
        cep.train_batch(each, X, LABELS, cep.CEP(5, 3, 0.5, 0.1))
    assert same(parameters(net), parameters(fresh))
    assert same(list(net.states), list(fresh.states))
