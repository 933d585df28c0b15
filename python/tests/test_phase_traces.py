"""A trace of phases holds every step, and tracing does not change results."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cep

OPTIONS: dict[str, dict[str, Any]] = {
    "prototypical": {},
    "real-time": {"setting": "real-time", "activation": "hard_sigmoid"},
    "untied": {"feedback": "untied", "feedback_angle": 40.0},
    "alternating": {"relaxation": "alternating"},
    "tolerance": {"tolerance": 1e-3},
    "float64": {"dtype": "float64"},
}
SIZES = {"deep": [6, 7, 5, 3], "wide": [30, 120, 90, 10]}


@pytest.fixture(params=OPTIONS)
def options(request: pytest.FixtureRequest) -> dict[str, Any]:
    return OPTIONS[request.param]


@pytest.fixture(params=SIZES)
def net(request: pytest.FixtureRequest, options: dict[str, Any]) -> cep.Network:
    return cep.Network(SIZES[request.param], seed=3, **options)


def batch(net: cep.Network, samples: int = 4) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(8)
    return random.random((samples, net.sizes[0])), random.integers(net.sizes[-1], size=samples)


def rates(net: cep.Network) -> list[float]:
    return [0.1 + 0.05 * k for k in range(len(net.sizes) - 1)]


def equal(a: Any, b: Any) -> bool:
    return all(np.array_equal(mine, theirs) for mine, theirs in zip(a, b, strict=True))


def test_states_are_those_of_phases_of_so_many_steps(net: cep.Network) -> None:
    """The oracle runs each phase again without a trace, for every number of steps."""
    x, y = batch(net)
    with cep.trace(net) as trace:
        free = net.free_phase(x, 12)
        nudged = net.nudged_phase(y, 0.5, 6)
    assert [(phase.name, phase.beta, phase.steps) for phase in trace.phases] == [
        ("free", 0.0, free.steps),
        ("nudged", 0.5, nudged.steps),
    ]
    assert f"free, {free.steps} steps>" in repr(trace)
    assert f"nudged, {nudged.steps} steps, beta=0.5>" in repr(trace)
    other = net.like()
    for steps in range(1, free.steps + 1):
        outcome = other.free_phase(x, steps)
        assert outcome.residual == trace.free.residuals[steps - 1]
        for layer, states in enumerate(other.states):
            assert np.array_equal(states, trace.free.states[layer][steps])  # type: ignore[index]
    for steps in range(1, nudged.steps + 1):
        other.free_phase(x, 12)
        outcome = other.nudged_phase(y, 0.5, steps)
        assert outcome.residual == trace.nudged.residuals[steps - 1]
        for layer, states in enumerate(other.states):
            assert np.array_equal(states, trace.nudged.states[layer][steps])  # type: ignore[index]


def test_phases_join_where_one_began(net: cep.Network) -> None:
    x, y = batch(net)
    with cep.trace(net) as trace:
        net.free_phase(x, 5)
        net.nudged_phase(y, 0.5, 4)
    for layer, (free, nudged) in enumerate(
        zip(trace.free.states, trace.nudged.states, strict=True)
    ):
        assert free is not None
        assert nudged is not None
        assert np.array_equal(free[-1], nudged[0])
        if layer:
            assert not free[0].any()
        states = trace.states[layer]
        assert states is not None
        assert states.shape == (9, 4, net.sizes[layer])
        assert np.array_equal(states, np.concatenate([free[1:], nudged[1:]]))
    assert np.array_equal(
        trace.residuals, np.concatenate([trace.free.residuals, trace.nudged.residuals])
    )


def test_layer_residuals_are_the_largest_changes(net: cep.Network) -> None:
    x, _ = batch(net)
    with cep.trace(net) as trace:
        net.free_phase(x, 8)
    layers = range(1, len(net.sizes))
    largest = np.max([trace.free.layer_residuals(layer) for layer in layers], axis=0)
    assert np.array_equal(largest, trace.free.residuals)


RULES: dict[str, Callable[[list[float]], Any]] = {
    "ep": lambda rates: cep.EP(9, 5, 0.5, learning_rates=rates),
    "symmetric": lambda rates: cep.EP(9, 5, 0.5, learning_rates=rates, beta_sign="symmetric"),
    "accumulated": lambda rates: cep.EP(9, 5, 0.5, learning_rates=rates, accumulate=True),
    "c-ep": lambda rates: cep.CEP(9, 5, 0.5, learning_rates=rates),
    "written": lambda rates: cep.CEP(9, 5, 0.5, learning_rates=rates, write_every_step=True),
    "random": lambda rates: cep.CEP(9, 5, 0.5, learning_rates=rates, beta_sign="random"),
    "bptt": lambda rates: cep.BPTT(9, learning_rates=rates),
    "truncated": lambda rates: cep.BPTT(9, learning_rates=rates, last_steps=4),
    "rbp": lambda rates: cep.RBP(9, tolerance=0.9, learning_rates=rates),
}


@pytest.mark.parametrize("name", RULES)
def test_tracing_does_not_change_batches(net: cep.Network, name: str) -> None:
    x, y = batch(net)
    rule = RULES[name](rates(net))
    other = net.copy()
    with cep.trace(net) as trace:
        results = [cep.train_batch(net, x, y, rule) for _ in range(3)]
        estimate = cep.gradient(net, x, y, rule)
    assert results == [cep.train_batch(other, x, y, rule) for _ in range(3)]
    assert equal(net.parameters(), other.parameters())
    assert equal(net.states, other.states)
    assert equal(estimate.weights, cep.gradient(other, x, y, rule).weights)
    assert net.random_state == other.random_state
    nudged = {"bptt": 0, "truncated": 0, "rbp": 0, "symmetric": 2}.get(name, 1)
    assert [phase.name for phase in trace.phases] == (["free"] + ["nudged"] * nudged) * 4


@pytest.mark.parametrize("name", ["c-ep", "written", "random"])
def test_weights_of_a_continual_phase_are_those_it_moved_through(
    net: cep.Network, name: str
) -> None:
    x, y = batch(net)
    before = [np.array(parameter) for parameter in net.parameters()]
    with cep.trace(net) as trace:
        cep.train_batch(net, x, y, RULES[name](rates(net)))
    phase = trace.nudged
    assert phase.weights_move
    assert not trace.free.weights_move
    assert trace.free.weights is None
    assert phase.weights is not None
    assert phase.biases is not None
    assert phase.feedback_weights is not None
    feedback = [kept for kept in phase.feedback_weights if kept is not None]
    kept = [*phase.weights, *phase.biases, *feedback]
    assert all(len(stack) == phase.steps + 1 for stack in kept)
    assert equal([stack[0] for stack in kept], before)
    assert equal([stack[-1] for stack in kept], net.parameters())


@pytest.mark.parametrize("feedback", ["tied", "untied"])
def test_weights_move_by_the_equations(feedback: str) -> None:
    """Eq. 7 (tied) and 14 (untied) of Ernoult et al. (2020), from the traced states."""
    net = cep.Network([4, 6, 5, 3], seed=1, dtype="float64", feedback=feedback)
    x, y = batch(net)
    rule = cep.CEP(9, 5, 0.5, learning_rates=[0.3, 0.2, 0.1])
    with cep.trace(net) as trace:
        cep.train_batch(net, x, y, rule)
    phase = trace.nudged
    assert phase.weights is not None
    for k, rate in enumerate(rule.learning_rates):
        below, above = phase.states[k], phase.states[k + 1]
        assert below is not None
        assert above is not None
        scale = rate / (rule.beta * len(x))
        for t in range(phase.steps):
            if feedback == "tied":
                update = above[t + 1].T @ below[t + 1] - above[t].T @ below[t]
            else:
                update = (above[t + 1] - above[t]).T @ below[t]
            moved = phase.weights[k][t + 1] - phase.weights[k][t]
            assert np.allclose(moved, scale * update, rtol=1e-9, atol=1e-14)
        norms = [np.linalg.norm(weights - phase.weights[k][0]) for weights in phase.weights[k]]
        assert np.allclose(phase.weight_movement(k), norms)
        assert norms[-1] > 0


def test_estimates_trace_weights_that_are_restored() -> None:
    net = cep.Network([4, 6, 3], seed=1)
    x, y = batch(net)
    before = np.array(net.weights[0])
    with cep.trace(net) as trace:
        cep.gradient(net, x, y, cep.CEP(9, 5, 0.5, learning_rates=[0.1, 0.1]))
        cep.gradient(net, x, y, cep.CEP(9, 5, 0.5))
    moving, still = trace.phases[1], trace.phases[3]
    assert moving.weights is not None
    assert (moving.weights[0][-1] != before).any()
    assert not still.weights_move
    assert not still.weight_movement(0).any()
    assert np.array_equal(net.weights[0], before)


def test_limits_keep_less_of_the_same() -> None:
    net = cep.Network([4, 6, 5, 3], seed=1)
    x, y = batch(net)
    rule = cep.CEP(9, 5, 0.5, learning_rates=[0.1, 0.1, 0.1])
    with cep.trace(net.copy()) as nothing:
        pass
    assert nothing.phases == []
    whole, part = net.copy(), net.copy()
    with cep.trace(whole) as everything:
        cep.train_batch(whole, x, y, rule)
    with cep.trace(part, layers=[2, 0], samples=3, weights=False) as less:
        cep.train_batch(part, x, y, rule)
    for layer in (0, 2):
        assert np.array_equal(less.states[layer], everything.states[layer][:, :3])  # type: ignore[index]
    assert less.states[1] is None
    assert less.states[3] is None
    assert less.nudged.weights_move
    assert less.nudged.weights is None
    assert np.array_equal(less.residuals, everything.residuals)
    with pytest.raises(ValueError, match="layer 1 were not traced"):
        less.free.layer_residuals(1)
    with pytest.raises(ValueError, match="weights were not traced"):
        less.nudged.weight_movement(0)


def test_what_is_not_traced() -> None:
    net = cep.Network([4, 6, 3], seed=1)
    x, y = batch(net)
    rule = cep.EP(4, 2, 0.5, learning_rates=[0.1, 0.1])
    before = [np.array(parameter) for parameter in net.parameters()]
    with cep.trace(net) as trace:
        cep.evaluate(net, (x, y), 3)
        net.predict(x, 3)
        with pytest.raises(RuntimeError, match="whole epochs cannot be traced"):
            cep.fit(net, (x, y), rule, epochs=1, progress=False)
        with pytest.raises(RuntimeError, match="traced already"), cep.trace(net):
            pass
        net.free_phase(x, 2)
    net.free_phase(x, 2)
    assert len(trace.phases) == 1
    assert equal(net.parameters(), before)
    with pytest.raises(ValueError, match="no nudged phase"):
        _ = trace.nudged
    with pytest.raises(ValueError, match="no phase"):
        _ = cep.Trace().states


@pytest.mark.parametrize(
    ("words", "error", "limits"),
    [
        ("layer 3", ValueError, {"layers": [1, 3]}),
        ("layer -1", ValueError, {"layers": [-1]}),
        (r"layers\[0\]", TypeError, {"layers": "1"}),
        ("layers", TypeError, {"layers": 1}),
        ("samples", ValueError, {"samples": 0}),
        ("samples", TypeError, {"samples": 1.5}),
    ],
)
def test_invalid_limits(words: str, error: type[Exception], limits: dict[str, Any]) -> None:
    net = cep.Network([4, 6, 3], seed=1)
    with pytest.raises(error, match=words), cep.trace(net, **limits):
        pass
    with cep.trace(net):
        pass


def test_an_error_ends_the_trace_and_keeps_its_steps() -> None:
    net = cep.Network([4, 6, 3], seed=1)
    x, _ = batch(net)
    net.weights[1][0, 0] = np.inf
    with pytest.raises(cep.DivergenceError), cep.trace(net) as trace:
        net.free_phase(x, 5)
    assert trace.phases[0].steps == 0
    net.weights[1][0, 0] = 0
    net.free_phase(x, 5)
    assert trace.phases[0].steps == 0


def test_copies_of_a_traced_network_are_not_traced() -> None:
    net = cep.Network([4, 6, 3], seed=1)
    x, _ = batch(net)
    with cep.trace(net) as trace:
        for other in (net.copy(), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
            assert other._observer is None
            other.free_phase(x, 2)
    assert trace.phases == []


def test_a_step_cannot_be_read_later() -> None:
    net = cep.Network([4, 6, 3], seed=1)
    steps: list[Any] = []
    net._observer = steps.append
    net.free_phase(batch(net)[0], 2)
    for look in (steps[0].summary, lambda: steps[-1].array("states", 1)):
        with pytest.raises(RuntimeError, match="only until the next one"):
            look()


def test_an_error_in_an_observer_stops_the_phase() -> None:
    net = cep.Network([4, 6, 3], seed=1)
    seen: list[int] = []

    def observe(step: Any) -> None:
        seen.append(step.summary()[0])
        with pytest.raises(ValueError, match="layer 3 does not exist"):
            step.array("states", 3)
        with pytest.raises(ValueError, match="connection 2 does not exist"):
            step.array("weights", 2)
        if len(seen) == 3:
            raise LookupError("enough")

    net._observer = observe
    with pytest.raises(LookupError, match="enough"):
        net.free_phase(batch(net)[0], 20)
    assert seen == [0, 1, 2]
