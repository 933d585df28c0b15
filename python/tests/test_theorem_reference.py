"""gdu_check gives the curves of the paper's own code: the recordings in shared/reference.

The recordings hold gradients and negative updates; the package holds negative gradients and
updates. Other values are compared with NumPy and finite differences.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy_model import NumpyModel, loss_and_errors
from test_reference import RECORDINGS, REFERENCE, Recording

import cep

# Some recordings were made before the free phase had converged.
pytestmark = pytest.mark.filterwarnings("ignore::cep.ConvergenceWarning")

TOLERANCES = {"float64": 1e-9, "float32": 1e-4}


def check(recording: Recording, dtype: str, *, as_recorded: bool) -> cep.GDUReport:
    meta = recording.meta
    rule: Any = recording.rule()
    return cep.gdu_check(
        recording.network(dtype),
        *recording.batch(0),
        meta["T"],
        meta["K"],
        meta["beta"],
        rule.learning_rates if meta["continual"] else 0,
        bias_learning_rates=rule.bias_learning_rates if meta["continual"] else None,
        as_recorded=as_recorded,
    )


def synapses(report: cep.GDUReport, connections: int) -> Iterator[tuple[str, Any]]:
    """Curves of all weights, each with its number in the recordings."""
    for k in range(connections):
        number = 2 * (connections - 1 - k)
        yield str(number), report.weights[k]
        if report.feedback_weights[k] is not None:
            yield str(number + 1), report.feedback_weights[k]


def assert_same_curve(curve: Any, recorded: Any, dtype: str) -> None:
    largest = np.abs(recorded).max()
    assert largest > 0
    assert curve.shape == recorded.shape
    assert np.abs(curve + recorded).max() <= TOLERANCES[dtype] * largest


def test_all_recordings_are_compared() -> None:
    if not REFERENCE.is_dir():
        pytest.skip(f"there are no recordings in {REFERENCE}")
    assert {path.stem for path in REFERENCE.glob("*.npz")} == set(RECORDINGS)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", RECORDINGS)
def test_the_curves_are_those_recorded(name: str, dtype: str) -> None:
    recording = Recording(name)
    recorded, connections = recording.arrays, recording.connections
    report = check(recording, dtype, as_recorded=True)
    for layer in range(1, connections + 1):
        curves, number = report.states[layer], connections - layer
        assert curves is not None
        assert_same_curve(curves.gradients[:, None], recorded[f"theorem/nS{number}"], dtype)
        assert_same_curve(curves.updates[:, None], recorded[f"theorem/dS{number}"], dtype)
    compared = set()
    for name_of, curves in synapses(report, connections):
        assert_same_curve(curves.gradients, recorded[f"theorem/nT{name_of}"], dtype)
        assert_same_curve(curves.updates, recorded[f"theorem/dT{name_of}"], dtype)
        compared.add(f"theorem/nT{name_of}")
    assert compared == {key for key in recorded if key.startswith("theorem/nT")}


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", RECORDINGS)
def test_the_angle_is_that_recorded(name: str, dtype: str) -> None:
    recording = Recording(name)
    report = check(recording, dtype, as_recorded=True)
    assert report.angle == pytest.approx(
        float(recording.arrays["theorem/angle"]), abs=TOLERANCES[dtype]
    )


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_full_curves_differ_in_the_documented_terms_alone(name: str) -> None:
    recording = Recording(name)
    full, cut = (check(recording, "float64", as_recorded=flag) for flag in (False, True))
    for (_, whole), (_, part) in zip(
        synapses(full, recording.connections), synapses(cut, recording.connections), strict=True
    ):
        for side in ("updates", "gradients"):
            assert np.array_equal(getattr(whole, side)[1:], getattr(part, side)[1:])
            assert not getattr(part, side)[0].any()
    assert full.weights[-1].gradients[0].any()
    assert full.weights[-1].updates[0].any()
    for whole, part in zip(full.biases, cut.biases, strict=True):
        assert np.array_equal(whole.updates, part.updates)
        assert np.array_equal(whole.gradients, part.gradients)
        assert whole.gradients.any()
    for layer in range(1, recording.connections + 1):
        whole, part = full.states[layer], cut.states[layer]
        assert whole is not None
        assert part is not None
        assert np.array_equal(whole.gradients, part.gradients)
        untouched = recording.connections - layer
        assert not part.updates[:untouched].any()
        if not recording.meta["clamp"]:
            assert np.array_equal(whole.updates[untouched:], part.updates[untouched:])


def nudged_steps_by_numpy(
    recording: Recording, *, as_recorded: bool
) -> tuple[list[list[Any]], list[dict[str, Any]]]:
    """The updates of neurons and synapses at each step, by layer and connection."""
    meta = recording.meta
    rule: Any = recording.rule()
    model = NumpyModel.of(recording.network("float64"), dt=meta["dt"], clamp=meta["clamp"])
    x, y = recording.batch(0)
    states = model.free_phase(x, meta["T"])
    real_time = model.setting == "real-time"
    scale = 1 / (meta["beta"] * len(x) * (model.dt if real_time else 1))
    neurons: list[list[Any]] = [[] for _ in range(model.layers)]
    changes = []
    rates = rule.learning_rates if meta["continual"] else [0.0] * model.layers
    for t in range(meta["K"]):
        moved = model.step(states, y, meta["beta"])
        for layer in range(1, model.layers + 1):
            movement = moved[layer] - states[layer]
            if as_recorded and real_time and model.clamp:
                movement = np.where((moved[layer] == 0) | (moved[layer] == 1), 0, movement)
            if as_recorded and t < model.layers - layer:
                movement = 0 * movement
            neurons[layer - 1].append(scale * movement.sum(axis=0))
        trial = replace(
            model,
            weights=[0 * w for w in model.weights],
            biases=[0 * b for b in model.biases],
            feedback=None if model.feedback is None else [0 * v for v in model.feedback],
        )
        trial.update(states, moved, meta["beta"], [1.0] * model.layers)
        changes.append(
            {"weights": trial.weights, "biases": trial.biases, "feedback": trial.feedback}
        )
        first_bias = model.biases[0].copy()
        model.update(states, moved, meta["beta"], rates)
        if recording.holds_first_bias:
            model.biases[0] = first_bias
        states = moved
    return neurons, changes


@pytest.mark.parametrize("as_recorded", [False, True])
@pytest.mark.parametrize("name", RECORDINGS)
def test_updates_are_those_of_numpy(name: str, as_recorded: bool) -> None:
    """From t = 0 on, with biases, and with or without neurons held at a bound by clamping."""
    recording = Recording(name)
    report = check(recording, "float64", as_recorded=as_recorded)
    neurons, changes = nudged_steps_by_numpy(recording, as_recorded=as_recorded)
    for curves, expected in zip(report.states[1:], neurons, strict=True):
        assert curves is not None
        assert_same_curve(curves.updates, -np.array(expected), "float64")
    first = 1 if as_recorded else 0
    for k in range(recording.connections):
        for curves, kind, index, start in (
            (report.weights[k], "weights", k, first),
            (report.biases[k], "biases", k, 0),
            (report.feedback_weights[k], "feedback", k - 1, first),
        ):
            if curves is not None:
                change = np.array([step[kind][index] for step in changes])
                assert_same_curve(curves.updates[start:], -change[start:], "float64")


def test_some_neurons_are_held_at_a_bound() -> None:
    """Otherwise the tests above could not tell whether they are left out."""
    recording = Recording("cep-cont-2h-clamp-hardsigm")
    full, cut = (nudged_steps_by_numpy(recording, as_recorded=flag)[0] for flag in (False, True))
    output, cut_output = np.array(full[-1]), np.array(cut[-1])
    hidden, cut_hidden = np.array(full[0])[2:], np.array(cut[0])[2:]
    assert not (np.array_equal(output, cut_output) and np.array_equal(hidden, cut_hidden))


SETTINGS: list[tuple[str, str, str, bool]] = [
    (setting, feedback, activation, clamp)
    for setting, clamp in (("prototypical", True), ("real-time", False), ("real-time", True))
    for feedback in ("tied", "untied")
    for activation in ("tanh", "shifted_sigmoid")
]


@pytest.mark.parametrize(("setting", "feedback", "activation", "clamp"), SETTINGS)
def test_row_t_is_minus_the_gradient_of_what_step_t_before_the_end_used(
    setting: str, feedback: str, activation: str, clamp: bool
) -> None:
    """By finite differences: parameters, or states, that differ in a single step."""
    net = cep.Network((4, 3, 4, 2), setting=setting, feedback=feedback, activation=activation,
                      dt=0.3, clamp=clamp, dtype="float64", seed=5, feedback_angle=60)  # fmt: skip
    for bias in net.biases:
        bias += 0.4  # States away from the bounds.
    generator = np.random.default_rng(5)
    x, y = generator.random((2, 4)), generator.random((2, 2))
    free_steps, steps = 9, 4
    report = cep.gdu_check(net, x, y, free_steps, steps, 0.1)
    model, unchanged = (NumpyModel.of(net, dt=0.3, clamp=clamp) for _ in range(2))
    parameters = [
        *zip(model.weights, report.weights, strict=True),
        *zip(model.biases, report.biases, strict=True),
        *zip(
            model.feedback or [],
            report.feedback_weights[-2:] if model.feedback else [],
            strict=True,
        ),
    ]
    for t in range(steps):
        before = unchanged.free_phase(x, free_steps - t - 1)
        after = unchanged.step(before)

        def loss_after(states: Any, t: int = t) -> float:
            return loss_and_errors(unchanged.relax(states, t)[-1], y)[0]

        def loss(before: Any = before, rest: Any = loss_after) -> float:
            """With the present parameters only in the step T − t − 1 → T − t."""
            return float(rest(model.step(before)))

        for array, curves in parameters:
            assert curves is not None
            slopes = finite_differences(array, loss)
            assert curves.gradients[t] == pytest.approx(-slopes, abs=1e-8)
        for state, states_curves in zip(after[1:], report.states[1:], strict=True):
            assert states_curves is not None
            slopes = finite_differences(state, partial(loss_after, after))
            assert states_curves.gradients[t] == pytest.approx(-slopes.sum(axis=0), abs=1e-8)


def finite_differences(array: Any, function: Callable[[], float], width: float = 1e-5) -> Any:
    """The derivative of the function by each entry of the array."""
    slopes = np.empty(array.shape)
    for place in np.ndindex(array.shape):
        value = array[place]
        array[place] = value + width
        above = function()
        array[place] = value - width
        below = function()
        array[place] = value
        slopes[place] = (above - below) / (2 * width)
    return slopes
