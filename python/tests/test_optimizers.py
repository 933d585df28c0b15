"""Optimizers: equations, state, refused arguments."""

import copy
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import cep

Arrays = list[NDArray[Any]]
OPTIMIZERS = [
    cep.SGD(momentum=0.9),
    cep.SGD(momentum=0.5, weight_decay=(0.1, 0.01)),
    cep.SGD(weight_decay=0.05),
    cep.Adam(),
    cep.Adam(beta1=0.8, beta2=0.95, epsilon=1e-3, weight_decay=0.02),
]
NETWORKS: list[Callable[..., cep.Network]] = [
    lambda **o: cep.Network([64, 7, 10], **o),
    lambda **o: cep.Network([64, 7, cep.Readout(10)], **o),
    lambda **o: cep.Network([64, 7, 10], feedback="untied", feedback_angle=40.0, **o),
]
each_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS)
each_network = pytest.mark.parametrize("number", range(len(NETWORKS)))


class Model:
    """The equations of PyTorch's SGD and Adam, in NumPy."""

    def __init__(self, optimizer: cep.Optimizer, rates: list[float]) -> None:
        self.optimizer, self.rates, self.step = optimizer, rates, 0
        self.memory: dict[tuple[str, int], Any] = {}

    def update(self, kind: str, k: int, value: NDArray[Any], gradient: NDArray[Any]) -> None:
        decay = self.optimizer.weight_decay
        decay = decay if isinstance(decay, float) else decay[k]
        d = gradient + decay * value
        if isinstance(self.optimizer, cep.SGD):
            before = self.memory.get((kind, k))
            d = d if before is None else self.optimizer.momentum * before + d
            self.memory[kind, k] = d
            value -= self.rates[k] * d
        else:
            assert isinstance(self.optimizer, cep.Adam)
            b1, b2 = self.optimizer.beta1, self.optimizer.beta2
            m, v = self.memory.get((kind, k), (0, 0))
            m, v = b1 * m + (1 - b1) * d, b2 * v + (1 - b2) * d**2
            self.memory[kind, k] = m, v
            m, v = m / (1 - b1**self.step), v / (1 - b2**self.step)
            value -= self.rates[k] * m / (np.sqrt(v) + self.optimizer.epsilon)


def by_name(of: Any) -> list[tuple[str, int, NDArray[Any]]]:
    kinds = {"weights": of.weights, "biases": of.biases, "feedback": of.feedback_weights}
    return [
        (kind, k, a)
        for kind, arrays in kinds.items()
        for k, a in enumerate(arrays)
        if a is not None
    ]


@each_optimizer
@each_network
def test_updates_follow_the_equations(optimizer: cep.Optimizer, number: int, digits: Any) -> None:
    net = NETWORKS[number](dtype="float64", seed=1)
    rates = [0.03, 0.01]
    rule = cep.EP(15, 5, 0.5, rates, optimizer=optimizer)
    model = Model(optimizer, rates)
    for batch in range(4):
        x, y = (part[20 * batch : 20 * batch + 20] for part in digits)
        estimate = cep.gradient(net, x, y, rule)
        expected = {(kind, k): array.copy() for kind, k, array in by_name(net)}
        model.step += 1
        for kind, k, gradient in by_name(estimate):
            model.update(kind, k, expected[kind, k], gradient)
        cep.train_batch(net, x, y, rule)
        for kind, k, array in by_name(net):
            np.testing.assert_allclose(array, expected[kind, k], rtol=1e-10, atol=1e-13)


@each_optimizer
@pytest.mark.parametrize("feedback", ["tied", "untied"])
def test_continual_rules_update_at_every_step(
    optimizer: cep.Optimizer, feedback: str, digits: Any
) -> None:
    """C-EP in Python, from one-step phases, compared with the engine's."""
    net = cep.Network([64, 7, 10], feedback=feedback, dtype="float64", seed=1)
    rates, beta, batch = [0.003, 0.001], 0.5, 20
    model = Model(optimizer, rates)
    own = copy.deepcopy(net)
    for number in range(2):
        x, y = (part[batch * number : batch * number + batch] for part in digits)
        cep.train_batch(net, x, y, cep.CEP(15, 4, beta, rates, optimizer=optimizer))
        own.free_phase(x, 15)
        for _ in range(4):
            old = [state.copy() for state in own.states]
            own.nudged_phase(y, beta, 1)
            new = [state.copy() for state in own.states]
            model.step += 1
            scale = -1 / (beta * batch)
            for k in range(2):
                below, above = (old[k], new[k]), (old[k + 1], new[k + 1])
                if feedback == "tied":
                    forward = above[1].T @ below[1] - above[0].T @ below[0]
                else:
                    forward = (above[1] - above[0]).T @ below[0]
                model.update("weights", k, own.weights[k], scale * forward)
                model.update("biases", k, own.biases[k], scale * (above[1] - above[0]).sum(axis=0))
                feedback_weights = own.feedback_weights[k]
                if feedback_weights is not None:
                    back = (below[1] - below[0]).T @ above[0]
                    model.update("feedback", k, feedback_weights, scale * back)
        for (kind, k, mine), (_, _, expected) in zip(by_name(net), by_name(own), strict=True):
            np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=1e-12, err_msg=f"{kind} {k}")


@each_optimizer
@pytest.mark.parametrize("rule", [cep.EP, cep.CEP])
def test_copies_and_pickles_continue_to_the_last_bit(
    optimizer: cep.Optimizer, rule: Any, digits: Any
) -> None:
    net = cep.Network([64, 7, 10], seed=1)
    x, y = digits[0][:20], digits[1][:20]
    training = rule(15, 4, 0.5, 0.005, optimizer=optimizer)
    for _ in range(3):
        cep.train_batch(net, x, y, training)
    copies = [copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net))]
    for each in (net, *copies):
        cep.train_batch(each, x, y, training)
    for each in copies:
        pairs = zip(each.parameters(), net.parameters(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)


def test_another_optimizer_starts_from_zero(digits: Any) -> None:
    x, y = digits[0][:20], digits[1][:20]
    used, fresh = (cep.Network([64, 7, 10], seed=1, dtype="float64") for _ in range(2))
    adam, momentum = (
        cep.EP(15, 4, 0.5, 0.01, optimizer=o) for o in (cep.Adam(), cep.SGD(momentum=0.9))
    )
    cep.train_batch(used, x, y, adam)
    for mine, theirs in zip(fresh.parameters(), used.parameters(), strict=True):
        mine[...] = theirs
    for net in (used, fresh):
        cep.train_batch(net, x, y, momentum)
    for mine, theirs in zip(fresh.parameters(), used.parameters(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_estimates_do_not_change_the_optimizer_state(digits: Any) -> None:
    x, y = digits[0][:20], digits[1][:20]
    rule = cep.CEP(15, 4, 0.5, 0.005, optimizer=cep.SGD(momentum=0.9))
    nets = [cep.Network([64, 7, 10], seed=1) for _ in range(2)]
    for net in nets:
        cep.train_batch(net, x, y, rule)
    cep.gradient(nets[0], x, y, rule)
    for net in nets:
        cep.train_batch(net, x, y, rule)
    pairs = zip(nets[0].parameters(), nets[1].parameters(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize(
    "options",
    [{"optimizer": "adam"}, {"momentum": 0.9}, {"momentum": 0.9, "rule": "ep", "readout": True}],
)
def test_a_resumed_run_equals_an_uninterrupted_one(options: Any, tmp_path: Path) -> None:
    base: dict[str, Any] = {"hidden": [8], "learning_rates": 0.002, "free_steps": 15}
    configuration = cep.Configuration(epochs=2, **base, **options)
    whole = cep.run(configuration, tmp_path / "whole", progress=False)
    cep.run(configuration, tmp_path / "parts", progress=False)
    checkpoint = cep.checkpoints.load(tmp_path / "parts" / "last.safetensors")
    assert checkpoint.optimizer is not None
    assert checkpoint.optimizer.arrays
    again = checkpoint.make_network()
    x, y = cep.datasets.digits()
    for net in (again, whole.network):
        cep.train_batch(net, x[:20], y[:20], configuration.make_rule())
    pairs = zip(again.parameters(), whole.network.parameters(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_state_of_another_shape_is_refused(digits: Any) -> None:
    rule = cep.EP(15, 4, 0.5, 0.01, optimizer=cep.Adam())
    small, large = cep.Network([64, 7, 10], seed=1), cep.Network([64, 8, 10], seed=1)
    cep.train_batch(small, digits[0][:20], digits[1][:20], rule)
    before = [array.copy() for array in large.parameters()]
    with pytest.raises(ValueError, match=r"first_moment\.weights\.0 must be of shape"):
        large._restore_optimizer(small._optimizer_state())
    assert large._optimizer_state() is None
    assert all(np.array_equal(a, b) for a, b in zip(before, large.parameters(), strict=True))


WRONG: list[tuple[Callable[[], object], type[Exception], list[str]]] = [
    (lambda: cep.SGD(momentum=1), ValueError, ["momentum", "[0, 1)", "1"]),
    (lambda: cep.SGD(momentum=-0.1), ValueError, ["momentum", "-0.1"]),
    (lambda: cep.SGD(weight_decay=-1e-4), ValueError, ["weight_decay", "-0.0001"]),
    (lambda: cep.SGD(weight_decay=float("nan")), ValueError, ["weight_decay", "nan"]),
    (lambda: cep.SGD(weight_decay=[]), ValueError, ["weight_decay", "empty"]),
    (lambda: cep.Adam(beta1=1.0), ValueError, ["beta1", "[0, 1)"]),
    (lambda: cep.Adam(beta2=float("nan")), ValueError, ["beta2", "nan"]),
    (lambda: cep.Adam(epsilon=0), ValueError, ["epsilon", "0"]),
    (lambda: cep.Adam(epsilon="small"), TypeError, ["epsilon", "small"]),  # type: ignore[arg-type]
    (lambda: cep.EP(1, 1, 1.0, 0.1, optimizer="adam"), TypeError, ["optimizer", "cep.Adam"]),  # type: ignore[arg-type]
    (lambda: cep.Configuration(optimizer="adam", momentum=0.9), ValueError, ["momentum", "adam"]),
    (lambda: cep.Configuration(weight_decay=-1), ValueError, ["weight_decay", "-1"]),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_invalid_arguments_get_one_sentence(number: int) -> None:
    call, kind, parts = WRONG[number]
    with pytest.raises(kind) as caught:
        call()
    assert all(part in str(caught.value) for part in parts), str(caught.value)


def test_weight_decay_of_another_number_of_connections_changes_nothing(digits: Any) -> None:
    net = cep.Network([64, 7, 10], seed=1)
    before = [array.copy() for array in net.parameters()]
    rule = cep.EP(15, 4, 0.5, 0.01, optimizer=cep.SGD(weight_decay=(0.1, 0.2, 0.3)))
    with pytest.raises(
        ValueError, match="weight_decay has 3 values; expected one, or one for each"
    ):
        cep.train_batch(net, digits[0][:20], digits[1][:20], rule)
    assert all(np.array_equal(a, b) for a, b in zip(before, net.parameters(), strict=True))
