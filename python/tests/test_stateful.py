"""Networks agree with a slow model in NumPy after any sequence of calls.

The default is a short search, the same in every run. HYPOTHESIS_PROFILE=long searches more.
"""

import copy
import dataclasses
import itertools
import pickle
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
)
from numpy_model import Matrix, loss_and_errors, one_hot
from shadowed_network import Shadowed
from slow_gradients import bptt_gradient, rbp_gradient
from test_energy import energy_by_numpy
from test_vector_field import angles_by_numpy

import cep

SEEDS = st.integers(0, 999)
STEPS = st.integers(1, 5)
ROWS = st.integers(1, 3)
BETAS = st.sampled_from([0.5, 1.0, -0.5, 0.25])
RATES = st.sampled_from([0.0, 0.1, 0.5])
NETWORKS: dict[str, st.SearchStrategy[Any]] = {
    "sizes": st.lists(st.integers(1, 5), min_size=3, max_size=5),
    "setting": st.sampled_from(["prototypical", "real-time"]),
    "activation": st.sampled_from(["shifted_sigmoid", "hard_sigmoid", "tanh"]),
    "feedback": st.sampled_from(["tied", "untied"]),
    "feedback_angle": st.sampled_from([0.0, 40.0, 180.0]),
    "dtype": st.sampled_from(["float64", "float64", "float32"]),
    "dt": st.sampled_from([0.2, 1.0]),
    "clamp": st.booleans(),
    "follows_energy": st.booleans(),
    "relaxation": st.sampled_from(["synchronous", "alternating"]),
    "seed": SEEDS,
}


@st.composite
def two_phase_rules(draw: Any) -> Any:
    phases = (draw(STEPS), draw(STEPS), draw(BETAS), draw(RATES), draw(st.none() | RATES))
    if draw(st.booleans()):
        sign = draw(st.sampled_from(["fixed", "random"]))
        return cep.CEP(*phases, beta_sign=sign, write_every_step=draw(st.booleans()))
    sign = draw(st.sampled_from(["fixed", "random", "symmetric"]))
    return cep.EP(*phases, beta_sign=sign, accumulate=draw(st.booleans()))


def data(shadowed: Shadowed, rows: int, seed: int, labelled: bool) -> tuple[Matrix, Any, Matrix]:
    """Inputs, targets as they are passed, and the values they stand for."""
    generator = np.random.default_rng(seed)
    x, units = generator.random((rows, shadowed.net.sizes[0])), shadowed.net.sizes[-1]
    if labelled:
        labels = generator.integers(0, units, rows)
        return x, labels, one_hot(labels, units)
    values = generator.random((rows, units))
    return x, values, values


def possible(chosen: Any) -> list[Any]:
    """The rules that a rule may equal: those of both signs of beta."""
    if chosen.beta_sign != "random":
        return [chosen]
    return [
        dataclasses.replace(chosen, beta=sign * chosen.beta, beta_sign="fixed") for sign in (1, -1)
    ]


WAYS: dict[str, Callable[[cep.Network], cep.Network]] = {
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


class AnyOrder(RuleBasedStateMachine):
    """Networks in use, and arrays of networks that are gone."""

    networks = Bundle("networks")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.alive: list[Shadowed] = []
        self.outlived: list[tuple[Any, Matrix]] = []

    def teardown(self) -> None:
        self.folder.cleanup()

    def added(self, shadowed: Shadowed) -> Shadowed:
        self.alive.append(shadowed)
        return shadowed

    def outlive(self, arrays: list[Any]) -> None:
        """Arrays that no network owns any more; only their holder writes to them."""
        self.outlived += [(array, array.copy()) for array in arrays]

    # Creating and deleting networks

    @initialize(target=networks, options=st.fixed_dictionaries(NETWORKS))
    def begin(self, options: Any) -> Any:
        return self.create(options)

    @precondition(lambda self: len(self.alive) < 4)
    @rule(target=networks, options=st.fixed_dictionaries(NETWORKS))
    def create(self, options: Any) -> Any:
        return self.added(Shadowed.of(cep.Network(**options)))

    @precondition(lambda self: len(self.alive) < 4)
    @rule(target=networks, of=networks, way=st.sampled_from(sorted(WAYS)))
    def duplicate(self, of: Shadowed, way: str) -> Any:
        twin = WAYS[way](of.net)
        assert twin.random_state == of.net.random_state
        assert (twin.sizes, twin.options) == (of.net.sizes, of.net.options)
        return self.added(of.twin(twin, with_states=True))

    @precondition(lambda self: len(self.alive) < 4)
    @rule(target=networks, of=networks)
    def copy_without_states(self, of: Shadowed) -> Any:
        return self.added(of.twin(of.net.copy(), with_states=True))

    @precondition(lambda self: len(self.alive) < 4)
    @rule(target=networks, of=networks)
    def save_and_load(self, of: Shadowed) -> Any:
        path = Path(self.folder.name) / "net.safetensors"
        of.net.save(path)
        twin = cep.load(path)
        assert twin.random_state == of.net.random_state
        assert (twin.sizes, twin.options) == (of.net.sizes, of.net.options)
        return self.added(of.twin(twin, with_states=False))

    @rule(gone=consumes(networks))
    def delete(self, gone: Shadowed) -> None:
        self.alive.remove(gone)
        self.outlive(list(itertools.chain.from_iterable(gone.views.values())))
        del gone.net

    # Arrays

    @rule(
        of=networks, choice=SEEDS, value=st.sampled_from([-1.0, 0.0, 0.3, 1.0]), item=st.booleans()
    )
    def write(self, of: Shadowed, choice: int, value: float, item: bool) -> None:
        """Through an array that is kept from now on, or by assigning an item."""
        arrays = of.model_arrays()
        place = list(arrays)[choice % len(arrays)]
        arrays[place].flat[choice % arrays[place].size] = value
        if item:
            kind, k = place
            getattr(of.net, kind)[k] = arrays[place]
        else:
            of.take(place).flat[choice % arrays[place].size] = value
        of.follow()

    @precondition(lambda self: self.outlived)
    @rule(choice=SEEDS)
    def write_outlived(self, choice: int) -> None:
        """The arrays of a deleted network, or of states of another batch size."""
        view, expected = self.outlived[choice % len(self.outlived)]
        view[...] += 1
        for other, copied in self.outlived:
            if np.shares_memory(other, view):
                copied[...] = view
        assert np.array_equal(view, expected)

    # Phases and learning

    @rule(of=networks, rows=ROWS, seed=SEEDS, steps=STEPS, reset=st.booleans())
    def free_phase(self, of: Shadowed, rows: int, seed: int, steps: int, reset: bool) -> None:
        """From zero, or from the present states if there are some."""
        reset = reset or of.states is None
        x, _, _ = data(of, rows if reset else of.batch, seed, labelled=False)
        of.net.free_phase(x, steps, reset=reset)
        start = of.model.zero_states(x) if reset else [x, *(of.states or [])[1:]]
        self.outlive(of.phase_ended(of.model.relax(start, steps)))
        of.follow()

    @rule(of=networks, seed=SEEDS, labelled=st.booleans(), beta=BETAS, steps=STEPS)
    def nudged_phase(
        self, of: Shadowed, seed: int, labelled: bool, beta: float, steps: int
    ) -> None:
        _, y, wanted = data(of, of.batch or 1, seed, labelled)
        if of.states is None:
            with pytest.raises(RuntimeError, match="run a free phase first"):
                of.net.nudged_phase(y, beta, steps)
            return
        of.net.nudged_phase(y, beta, steps)
        of.phase_ended(of.model.relax(of.states, steps, wanted, beta))
        of.follow()

    @rule(of=networks, rows=ROWS, seed=SEEDS, labelled=st.booleans(), learning=two_phase_rules())
    def train_batch(
        self, of: Shadowed, rows: int, seed: int, labelled: bool, learning: Any
    ) -> None:
        x, y, wanted = data(of, rows, seed, labelled)
        found = cep.train_batch(of.net, x, y, learning)
        for each in possible(learning):
            model = of.model.copy()
            loss, errors, states = model.train_batch(x, wanted, each)
            if of.agrees(model, states):
                break
        assert found.loss == pytest.approx(loss, abs=of.tolerance)
        assert found.errors == errors or of.net.dtype == np.float32
        of.model = model
        self.outlive(of.phase_ended(states))
        of.follow()

    @rule(of=networks, rows=ROWS, seed=SEEDS, steps=STEPS, rate=RATES, steady=st.booleans())
    def train_by_gradients(
        self, of: Shadowed, rows: int, seed: int, steps: int, rate: float, steady: bool
    ) -> None:
        """By BPTT, or by RBP if a steady state is found."""
        clamped = of.net.setting == "real-time" and of.model.clamp
        if of.net.activation == "hard_sigmoid" or clamped or of.net.dtype == np.float32:
            return  # Finite differences are wrong at corners.
        x, y, wanted = data(of, rows, seed, labelled=True)
        steps = 300 if steady else steps
        model = dataclasses.replace(of.model.copy(), relaxation="synchronous")
        estimate = (rbp_gradient if steady else bptt_gradient)(model, x, wanted, steps)
        if estimate is None:
            return
        learning = (cep.RBP if steady else cep.BPTT)(steps, learning_rates=rate)
        cep.train_batch(of.net, x, y, learning)
        for array, slopes in zip(of.model.parameters(), estimate, strict=True):
            array -= rate * slopes
        states = list(of.net.states)
        for found, expected in zip(states, model.free_phase(x, steps), strict=True):
            np.testing.assert_allclose(found, expected, atol=of.tolerance)
        for found, expected in zip(of.net.parameters(), of.model.parameters(), strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-5)
            expected[...] = found
        self.outlive(of.phase_ended([state.copy() for state in states]))

    @rule(of=networks, rows=ROWS, seed=SEEDS, batch_size=ROWS, learning=two_phase_rules())
    def fit(self, of: Shadowed, rows: int, seed: int, batch_size: int, learning: Any) -> None:
        """The order of the samples is one of the possible ones."""
        x, y, wanted = data(of, rows, seed, labelled=True)
        learning = possible(learning)[0]
        history = cep.fit(of.net, (x, y), learning, 1, batch_size, seed=seed, progress=False)
        for order in itertools.permutations(range(rows)):
            model, losses = of.model.copy(), 0.0
            for start in range(0, rows, batch_size):
                part = list(order[start : start + batch_size])
                loss, _, states = model.train_batch(x[part], wanted[part], learning)
                losses += loss * len(part)
            if of.agrees(model, states) and abs(losses / rows - history.train_loss[0]) < 1e-3:
                break
        assert history.train_loss == [pytest.approx(losses / rows, abs=of.tolerance)]
        of.model = model
        self.outlive(of.views_that_have_gone())
        of.phase_ended(states)
        of.follow()

    # Reading

    @rule(of=networks, rows=ROWS, seed=SEEDS, steps=STEPS, labelled=st.booleans())
    def evaluate(self, of: Shadowed, rows: int, seed: int, steps: int, labelled: bool) -> None:
        x, y, wanted = data(of, rows, seed, labelled)
        output = of.model.free_phase(x, steps)[-1]
        result, classes = cep.evaluate(of.net, (x, y), steps), of.net.predict(x, steps)
        assert result.loss == pytest.approx(loss_and_errors(output, wanted)[0], abs=of.tolerance)
        # The largest, or equal to it up to rounding.
        chosen = np.take_along_axis(output, classes[:, None], 1)[:, 0]
        assert (chosen >= output.max(axis=1) - of.tolerance).all()

    @rule(of=networks, rows=ROWS, seed=SEEDS, estimator=two_phase_rules())
    def gradient(self, of: Shadowed, rows: int, seed: int, estimator: Any) -> None:
        x, y, wanted = data(of, rows, seed, labelled=True)
        if isinstance(estimator, cep.CEP):
            return  # Its estimate is that of a limit, or of other learning rates.
        estimator = dataclasses.replace(estimator, learning_rates=1.0, bias_learning_rates=None)
        found = cep.gradient(of.net, x, y, estimator)
        arrays = [*found.weights, *found.biases]
        arrays += [each for each in found.feedback_weights if each is not None]
        expected = []
        for each in possible(estimator):
            model = of.model.copy()
            model.train_batch(x, wanted, each)
            moved = zip(of.model.parameters(), model.parameters(), strict=True)
            expected.append([before - after for before, after in moved])
        assert any(
            all(
                np.allclose(one, other, rtol=of.tolerance, atol=10 * of.tolerance)
                for one, other in zip(arrays, slopes, strict=True)
            )
            for slopes in expected
        ), (arrays, expected)

    @rule(of=networks)
    def look_at_energy_and_angles(self, of: Shadowed) -> None:
        angles = [0.0] * (of.model.layers - 1)
        if of.model.feedback is not None:
            angles = angles_by_numpy(of.net)
        assert of.net.feedback_angles()[1:] == pytest.approx(angles, abs=1e-2, nan_ok=True)
        if of.model.feedback is None and of.states is not None:
            assert of.net.energy() == pytest.approx(energy_by_numpy(of.net), abs=of.tolerance)

    # Refused calls, which change nothing

    @rule(of=networks, seed=SEEDS)
    def misuse(self, of: Shadowed, seed: int) -> None:
        x, y, _ = data(of, 2, seed, labelled=True)
        wrong: list[Callable[[], object]] = [
            lambda: of.net.free_phase(x[:, 1:], 3),
            lambda: of.net.free_phase(x * np.nan, 3),
            lambda: of.net.free_phase(x, 0),
            lambda: of.net.nudged_phase(y, 0.0, 3),
            lambda: of.net.nudged_phase(np.append(y, [0, 0]), 0.5, 3),
            lambda: cep.train_batch(of.net, x, y + 9, cep.EP(3, 3, 0.5, 0.1)),
            lambda: cep.train_batch(of.net, x, y, cep.CEP(3, 3, 0.5)),
            lambda: cep.evaluate(of.net, (x, y[:1]), 3),
            lambda: setattr(of.net, "random_state", (0, 0, 0, 0)),
            lambda: of.net.weights.__setitem__(0, np.zeros((9, 9))),
        ]
        with pytest.raises((ValueError, RuntimeError)):
            wrong[seed % len(wrong)]()

    @invariant()
    def nothing_else_has_moved(self) -> None:
        for shadowed in self.alive:
            shadowed.check()
        for view, expected in self.outlived:
            assert np.array_equal(view, expected)


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(stateful_step_count=30)
