"""Orders of relaxation and tolerances, compared with the equations in NumPy."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import cep

States = list[NDArray[Any]]
SETTINGS: list[dict[str, Any]] = [
    {},
    {"setting": "real-time", "dt": 0.5},
    {"setting": "real-time", "activation": "tanh", "clamp": False},
    {"feedback": "untied", "feedback_angle": 30},
]


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    return 1 / (1 + np.exp(-4 * (x - 0.5)))


def moved(net: cep.Network, states: States, layer: int, dt: float) -> NDArray[Any]:
    """A layer after one step, from the present states."""
    rho = sigmoid if net.activation == "shifted_sigmoid" else np.tanh
    real_time = net.setting == "real-time"
    activity = [rho(s) for s in states] if real_time else states
    preactivation = activity[layer - 1] @ net.weights[layer - 1].T + net.biases[layer - 1]
    is_output = layer == len(states) - 1
    if not is_output:
        back = net.feedback_weights[layer]
        preactivation = preactivation + activity[layer + 1] @ (
            net.weights[layer] if back is None else back.T
        )
    if not real_time:
        return rho(preactivation)
    s = states[layer]
    if not is_output and net.feedback == "tied":
        y = rho(s)
        preactivation = preactivation * (4 * y * (1 - y) if rho is sigmoid else 1 - y**2)
    new = s + dt * (preactivation - s)
    return np.clip(new, 0, 1) if rho is sigmoid else new


def relaxed(net: cep.Network, x: NDArray[Any], steps: int, dt: float = 0.2) -> States:
    """States after alternating steps: odd layers first, then even ones from the new states."""
    states = [x] + [np.zeros((len(x), size)) for size in net.sizes[1:]]
    for _ in range(steps):
        for first in (1, 2):
            for layer in range(first, len(states), 2):
                states[layer] = moved(net, states, layer, dt)
    return states


@pytest.mark.parametrize("hidden", [(6,), (6, 5), (7, 4, 6)])
@pytest.mark.parametrize("options", SETTINGS)
def test_odd_layers_move_before_even_ones(hidden: tuple[int, ...], options: dict[str, Any]) -> None:
    net = cep.Network([8, *hidden, 3], dtype="float64", relaxation="alternating", seed=2, **options)
    x = np.random.default_rng(0).random((5, 8))
    for steps in (1, 2, 7):
        net.free_phase(x, steps)
        expected = relaxed(net, x, steps, options.get("dt", 0.2))
        for state, reference in zip(net.states, expected, strict=True):
            np.testing.assert_allclose(state, reference, rtol=0, atol=1e-12)


def test_an_alternating_step_is_two_synchronous_ones() -> None:
    """Synchronous steps are two independent chains; alternating steps follow one of them."""
    make = {"sizes": [8, 6, 5, 4, 3], "dtype": "float64", "seed": 1}
    alternating, synchronous = cep.Network(**make, relaxation="alternating"), cep.Network(**make)
    x = np.random.default_rng(0).random((5, 8))
    for steps in (1, 4, 9):
        alternating.free_phase(x, steps)
        for layers, time in (((1, 3), 2 * steps - 1), ((2, 4), 2 * steps)):
            synchronous.free_phase(x, time)
            for layer in layers:
                np.testing.assert_array_equal(alternating.states[layer], synchronous.states[layer])


@pytest.mark.parametrize("options", SETTINGS)
def test_both_orders_reach_the_same_steady_state(options: dict[str, Any]) -> None:
    x = np.random.default_rng(0).random((5, 8))
    ends = []
    for relaxation in ("synchronous", "alternating"):
        net = cep.Network([8, 6, 5, 3], dtype="float64", seed=3, relaxation=relaxation, **options)
        assert net.free_phase(x, 2000).residual < 1e-14
        ends.append([state.copy() for state in net.states])
    for one, other in zip(*ends, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


def test_nudged_phases_are_synchronous() -> None:
    x, y = np.random.default_rng(0).random((5, 8)), np.arange(5) % 3
    ends = []
    for relaxation in ("synchronous", "alternating"):
        net = cep.Network([8, 6, 5, 3], dtype="float64", seed=3, relaxation=relaxation)
        cep.Network.free_phase(net, x, 2000)
        net.nudged_phase(y, 0.5, 3)
        ends.append([state.copy() for state in net.states])
    for one, other in zip(*ends, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)


@pytest.mark.parametrize("relaxation", ["synchronous", "alternating"])
@pytest.mark.parametrize("tolerance", [1e-2, 1e-5])
def test_each_sample_rests_where_it_changes_by_no_more_than_the_tolerance(
    relaxation: str, tolerance: float
) -> None:
    make = {"sizes": [8, 20, 20, 3], "dtype": "float64", "seed": 4, "relaxation": relaxation}
    exact = cep.Network(**make)
    # Samples that settle at different times.
    x = np.random.default_rng(0).random((6, 8)) * np.array([[0], [0.1], [1], [5], [20], [100]])
    resting: dict[int, tuple[int, States]] = {}
    before: States = []
    for step in range(1, 200):
        exact.free_phase(x, 1, reset=step == 1)
        now = [state.copy() for state in exact.states]
        before = before or [x] + [np.zeros_like(state) for state in now[1:]]
        for sample in set(range(6)) - set(resting):
            change = max(abs(a[sample] - b[sample]).max() for a, b in zip(now, before, strict=True))
            if change <= tolerance:
                resting[sample] = (step, [state[sample] for state in now])
        before = now
    assert len({step for step, _ in resting.values()}) > 1, "the test's own premise"

    net = cep.Network(**make, tolerance=tolerance)
    outcome = net.free_phase(x, 500)
    assert outcome.steps == max(step for step, _ in resting.values())
    assert outcome.residual <= tolerance
    for sample, (_, states) in resting.items():
        for state, expected in zip(net.states, states, strict=True):
            np.testing.assert_array_equal(state[sample], expected)


def test_a_tolerance_ends_nudged_phases_too() -> None:
    x, y = np.random.default_rng(0).random((5, 8)), np.arange(5) % 3
    net = cep.Network([8, 6, 3], dtype="float64", seed=0, tolerance=1e-3)
    net.free_phase(x, 100)
    assert 1 < net.nudged_phase(y, 0.1, 1000).steps < 100
    before = net.weights[0].copy()
    cep.train_batch(net, x, y, cep.CEP(100, 10**6, 0.1, 0.001))
    assert not np.array_equal(net.weights[0], before)


@pytest.mark.parametrize("feedback", ["tied", "untied"])
def test_a_tolerance_ends_phases_that_write_weights(feedback: str) -> None:
    x, y = np.random.default_rng(0).random((5, 8)), np.arange(5) % 3
    make = {"sizes": [8, 6, 3], "feedback": feedback, "dtype": "float64", "seed": 0}

    def update(tolerance: float, write_every_step: bool) -> np.ndarray:
        net = cep.Network(**make, tolerance=tolerance)
        before = net.weights[0].copy()
        rule = cep.CEP(100, 300, 0.1, 0.01, write_every_step=write_every_step)
        cep.train_batch(net, x, y, rule)
        return net.weights[0] - before

    written = update(1e-3, True)
    np.testing.assert_allclose(written, update(1e-3, False), rtol=1e-9, atol=1e-14)
    assert not np.allclose(written, update(0, True), rtol=1e-3)


@pytest.mark.parametrize("relaxation", ["synchronous", "alternating"])
def test_options_are_kept(relaxation: str) -> None:
    net = cep.Network([4, 5, 3], relaxation=relaxation, tolerance=1e-4, seed=0)
    for same in (net, net.copy(), net.like()):
        assert (same.relaxation, same.tolerance) == (relaxation, 1e-4)
    assert ("alternating" in repr(net)) == (relaxation == "alternating")
    assert "tolerance=0.0001" in repr(net)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"relaxation": "even-odd"}, ValueError, ["relaxation", "even-odd", "alternating"]),
        ({"relaxation": 1}, ValueError, ["relaxation", "1"]),
        ({"tolerance": -1e-3}, ValueError, ["tolerance", "-0.001"]),
        ({"tolerance": float("nan")}, ValueError, ["tolerance", "nan"]),
        ({"tolerance": float("inf")}, ValueError, ["tolerance", "inf"]),
        ({"tolerance": "small"}, TypeError, ["tolerance", "small"]),
    ],
)
def test_bad_options_are_refused(
    options: dict[str, Any], error: type[Exception], words: list[str]
) -> None:
    with pytest.raises(error) as caught:
        cep.Network([4, 5, 3], **options)
    for word in words:
        assert word in str(caught.value)
