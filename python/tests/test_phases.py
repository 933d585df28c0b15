"""Phases move the states by the equations, and report how they ended."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy_model import ACTIVATIONS, NumpyModel, one_hot
from snapshot import parameters, same, states

import cep

TOLERANCES = {"float64": 1e-10, "float32": 2e-5}
SIZES = (6, 5, 3)


def inputs(rows: int, columns: int = SIZES[0], seed: int = 0) -> Any:
    return np.random.default_rng(seed).random((rows, columns))


def assert_states(net: cep.Network, expected: list[Any]) -> None:
    for state, values in zip(net.states, expected, strict=True):
        assert state.shape == values.shape
        assert np.abs(state - values).max() <= TOLERANCES[net.dtype.name]


@given(
    sizes=st.lists(st.integers(1, 40), min_size=3, max_size=5),
    batch=st.integers(1, 40),
    setting=st.sampled_from(["prototypical", "real-time"]),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    feedback=st.sampled_from(["tied", "untied"]),
    dt=st.floats(0.05, 1),
    clamp=st.booleans(),
    beta=st.floats(-0.5, 0.5).filter(lambda beta: abs(beta) > 0.01),
    free_steps=st.integers(1, 12),
    nudged_steps=st.integers(1, 12),
    seed=st.integers(0, 2**32),
)
def test_phases_follow_the_equations(
    sizes: list[int],
    batch: int,
    setting: str,
    activation: str,
    feedback: str,
    dt: float,
    clamp: bool,
    beta: float,
    free_steps: int,
    nudged_steps: int,
    seed: int,
) -> None:
    net = cep.Network(
        sizes,
        setting=setting,
        activation=activation,
        feedback=feedback,
        dtype="float64",
        seed=seed,
        dt=dt,
        clamp=clamp,
        feedback_angle=60,
    )
    model = NumpyModel.of(net, dt, clamp)
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=(batch, sizes[0])), generator.random((batch, sizes[-1]))

    net.free_phase(x, free_steps)
    free = model.free_phase(x, free_steps)
    assert_states(net, free)

    net.nudged_phase(y, beta, nudged_steps)
    assert_states(net, model.relax(free, nudged_steps, y, beta))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
@pytest.mark.parametrize("sizes", [(20, 70, 10), (20, 33, 17, 10), (9, 8, 7, 6, 5)])
@pytest.mark.parametrize("batch", [1, 20, 131])
def test_float32_follows_the_equations(
    activation: str, setting: str, sizes: tuple[int, ...], batch: int
) -> None:
    net = cep.Network(sizes, setting=setting, activation=activation, seed=1)
    model = NumpyModel.of(net)
    x = inputs(batch, sizes[0]).astype(np.float32)
    labels = np.arange(batch) % sizes[-1]
    net.free_phase(x, 15)
    free = model.free_phase(x, 15)
    assert_states(net, free)
    net.nudged_phase(labels, 0.3, 7)
    assert_states(net, model.relax(free, 7, one_hot(labels, sizes[-1]), 0.3))


def largest_change(old: cep.Network, new: cep.Network) -> Any:
    """max |s(t+1) − s(t)|, to the rounding of the dtype."""
    changes = [np.abs(b - a).max() for a, b in zip(old.states, new.states, strict=True)]
    return pytest.approx(float(max(changes)), abs=float(np.finfo(old.dtype).eps))


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
@pytest.mark.parametrize("steps", range(1, 12))
def test_residual_is_the_largest_change_of_the_last_step(
    dtype: str, setting: str, steps: int
) -> None:
    net, one_ahead = (cep.Network(SIZES, setting=setting, dtype=dtype, seed=2) for _ in range(2))
    x, labels = inputs(4), [0, 2, 1, 0]
    net.free_phase(x, steps)
    outcome = one_ahead.free_phase(x, steps + 1)
    assert outcome.steps == steps + 1
    assert outcome.residual == largest_change(net, one_ahead)

    net.nudged_phase(labels, 0.5, steps)
    one_ahead.free_phase(x, steps)
    outcome = one_ahead.nudged_phase(labels, 0.5, steps + 1)
    assert outcome.steps == steps + 1
    assert outcome.residual == largest_change(net, one_ahead)


def test_residual_of_a_single_step_is_the_change_from_zero() -> None:
    net = cep.Network(SIZES, dtype="float64", seed=2)
    outcome = net.free_phase(inputs(4), 1)
    assert outcome.residual == pytest.approx(max(np.abs(s).max() for s in net.states[1:]))


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_converged_means_a_residual_of_at_most_root_epsilon(dtype: str) -> None:
    net = cep.Network(SIZES, dtype=dtype, seed=2)
    outcomes = [net.free_phase(inputs(4), steps) for steps in range(1, 60)]
    threshold = np.sqrt(np.finfo(dtype).eps)
    assert [o.converged for o in outcomes] == [o.residual <= threshold for o in outcomes]
    assert {o.converged for o in outcomes} == {False, True}
    assert all(type(o.converged) is bool for o in outcomes)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("steps", [10_000, 2**63 - 1])
def test_steps_taken_are_fewer_only_where_no_bit_changes(dtype: str, steps: int) -> None:
    net, shorter = (cep.Network(SIZES, dtype=dtype, seed=2) for _ in range(2))
    outcome = net.free_phase(inputs(4), steps)
    assert outcome.steps < 10_000
    assert outcome.residual == 0
    shorter.free_phase(inputs(4), outcome.steps - 1)
    assert same(states(net), states(shorter))


@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
def test_continuing_takes_the_steps_that_were_missing(setting: str) -> None:
    once, twice = (cep.Network(SIZES, setting=setting, seed=2) for _ in range(2))
    x = inputs(4)
    once.free_phase(x, 12)
    first = twice.free_phase(x, 5)
    second = twice.free_phase(x, 7, reset=False)
    assert (first.steps, second.steps) == (5, 7)
    assert same(states(once), states(twice))
    # A phase starts from zero by default.
    twice.free_phase(x, 12)
    assert same(states(once), states(twice))


def test_continuing_with_another_input_keeps_the_other_states() -> None:
    net = cep.Network(SIZES, dtype="float64", seed=2)
    model = NumpyModel.of(net)
    first, second = inputs(4), inputs(4, seed=1)
    net.free_phase(first, 5)
    net.free_phase(second, 3, reset=False)
    expected = [second, *model.free_phase(first, 5)[1:]]
    assert_states(net, model.relax(expected, 3))


def test_nudging_continues_from_the_nudged_states() -> None:
    net = cep.Network(SIZES, dtype="float64", seed=2)
    model = NumpyModel.of(net)
    net.free_phase(inputs(4), 5)
    target = one_hot([0, 1, 2, 0], 3)
    for _ in range(2):
        net.nudged_phase(target, 0.3, 4)
    assert_states(net, model.relax(model.free_phase(inputs(4), 5), 8, target, 0.3))


def test_labels_are_one_hot_targets() -> None:
    by_label, by_target = (cep.Network(SIZES, seed=2) for _ in range(2))
    labels = [2, 0, 1, 1]
    for net, y in ((by_label, labels), (by_target, one_hot(labels, 3))):
        net.free_phase(inputs(4), 10)
        net.nudged_phase(y, 0.5, 5)
    assert same(states(by_label), states(by_target))


@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
def test_phases_leave_parameters_alone(setting: str) -> None:
    net = cep.Network(SIZES, setting=setting, seed=2)
    before = parameters(net)
    net.free_phase(inputs(4), 10)
    net.nudged_phase([0, 1, 2, 0], -0.5, 5)
    assert same(parameters(net), before)


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_input_may_be_a_view_of_the_network(columns: int) -> None:
    """Arrays in the engine's memory are valid inputs."""
    net, plain = (cep.Network([columns, columns, 2], seed=2) for _ in range(2))
    net.free_phase(inputs(4, columns), 5)
    hidden = net.states[1].copy()
    net.free_phase(net.states[1], 5)
    plain.free_phase(hidden, 5)
    assert same(states(net), states(plain))


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("rows", [1, 3, 300])
def test_prediction_is_the_largest_output(dtype: str, rows: int) -> None:
    net, twin = (cep.Network((6, 40, 10), dtype=dtype, seed=2) for _ in range(2))
    x = np.random.default_rng(0).normal(scale=3, size=(rows, 6))
    twin.free_phase(x, 20)
    classes = net.predict(x, 20)
    assert classes.dtype == np.int64
    np.testing.assert_array_equal(classes, twin.states[-1].argmax(axis=1))
    assert rows == 1 or len(set(classes.tolist())) > 1


def test_prediction_of_equal_outputs_is_the_first_of_them() -> None:
    net = cep.Network((2, 3, 40), activation="hard_sigmoid", seed=2)
    for connection in range(2):
        net.weights[connection][...] = 0
        net.biases[connection][...] = 0
    net.biases[1][[3, 17, 39]] = 5  # All of them saturate at 1.
    np.testing.assert_array_equal(net.predict(np.ones((2, 2)), 5), [3, 3])


@pytest.mark.parametrize("before", [True, False], ids=["with states", "without states"])
def test_predicting_and_evaluating_leave_the_network_alone(before: bool) -> None:
    net = cep.Network(SIZES, seed=2)
    kept = []
    if before:
        net.free_phase(inputs(4), 7)
        kept = list(net.states)
    old_parameters, old_states = parameters(net), states(net)
    for rows in (4, 9):
        net.predict(inputs(rows, seed=5), 10)
        cep.evaluate(net, (inputs(rows, seed=5), [0] * rows), 10)
    assert same(parameters(net), old_parameters)
    assert same(states(net), old_states)
    for view, state in zip(kept, net.states if before else [], strict=True):
        assert np.shares_memory(view, state)
    if not before:
        with pytest.raises(RuntimeError, match="free phase"):
            net.states[1]
