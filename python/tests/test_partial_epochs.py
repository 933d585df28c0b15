"""Epochs in parts equal whole epochs bit for bit."""

from typing import Any

import numpy as np
import pytest
from snapshot import parameters, refused, same

import cep

RULES: list[Any] = [
    cep.EP(6, 4, 0.4, [0.4, 0.2], beta_sign="symmetric"),
    cep.EP(6, 4, 0.4, [0.4, 0.2], beta_sign="random"),
    cep.CEP(6, 4, 0.4, [0.1, 0.05], beta_sign="random"),
    cep.BPTT(6, learning_rates=[0.1, 0.05]),
]


def samples(count: int) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    return generator.random((count, 6)), generator.integers(0, 3, count)


def network(feedback: str = "tied") -> cep.Network:
    return cep.Network([6, 9, 3], seed=1, feedback=feedback, feedback_angle=30)


def fit(net: cep.Network, rule: Any, *callbacks: cep.Callback) -> cep.History:
    return cep.fit(
        net, samples(50), rule, 2, 4, samples(20), seed=3, progress=False, callbacks=callbacks
    )


class Parts(cep.Callback):
    """Records when it is called."""

    def __init__(self, every: int) -> None:
        self.batch_interval = every
        self.called: list[tuple[int, int]] = []

    def on_batch_end(self, training: cep.Training) -> None:
        self.called.append((training.epoch, training.position.batch))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("feedback", ["tied", "untied"])
@pytest.mark.parametrize("count", [1, 5, 12, 100])
def test_parts_are_the_whole(rule: Any, feedback: str, count: int) -> None:
    whole, in_parts, parts = network(feedback), network(feedback), Parts(count)
    expected, history = fit(whole, rule), fit(in_parts, rule, parts)
    assert same(parameters(in_parts), parameters(whole))
    for name in ("train_error", "train_loss", "validation_error", "validation_loss"):
        assert getattr(history, name) == getattr(expected, name)
    assert parts.called == [(epoch, batch) for epoch in (1, 2) for batch in range(count, 14, count)]


class Pausing(cep.Callback):
    """Pauses at every opportunity, every 20 ms."""

    batch_interval = None
    pauses = 0

    def on_progress(self, training: cep.Training) -> bool:
        return True

    def on_batch_end(self, training: cep.Training) -> None:
        self.pauses += 1


@pytest.mark.filterwarnings("ignore::cep.LearningWarning")
@pytest.mark.parametrize("rule", RULES[:3])
def test_a_pause_loses_nothing(rule: Any) -> None:
    x, y = np.random.default_rng(0).random((6000, 64)), np.arange(6000) % 10
    whole, paused = (cep.Network([64, 512, 10], seed=1) for _ in range(2))
    pausing = Pausing()
    histories = [
        cep.fit(net, (x, y), rule, 1, seed=3, progress=False, callbacks=callbacks)
        for net, callbacks in ((whole, []), (paused, [pausing]))
    ]
    assert pausing.pauses > 1, "the test's own premise: an epoch of more than 40 ms"
    assert same(parameters(paused), parameters(whole))
    assert histories[0].train_loss == histories[1].train_loss


@pytest.mark.parametrize("error", [cep.StopTraining, ZeroDivisionError])
def test_what_on_progress_raises_ends_training_at_once(error: type[Exception]) -> None:
    x, y = np.random.default_rng(0).random((6000, 64)), np.arange(6000) % 10
    done = []

    class Raising(cep.Callback):
        def on_progress(self, training: cep.Training) -> None:
            done.append(training.position.samples)
            raise error

    def train() -> cep.History:
        net = cep.Network([64, 512, 10], seed=1)
        return cep.fit(net, (x, y), RULES[0], 1, seed=3, progress=False, callbacks=[Raising()])

    if error is cep.StopTraining:
        assert len(train()) == 0
    else:
        with pytest.raises(error):
            train()
    assert len(done) == 1
    assert done[0] < 6000


def test_a_random_state_continues() -> None:
    x, y = samples(4)
    rule = cep.EP(6, 4, 0.4, [0.4, 0.2], beta_sign="random")
    first, second = cep.Network([6, 9, 3], seed=1), cep.Network([6, 9, 3], seed=1)
    for _ in range(5):
        cep.train_batch(first, x, y, rule)
    state = first.random_state
    assert len(set(state)) == 4
    for mine, theirs in zip(second.parameters(), first.parameters(), strict=True):
        mine[...] = theirs
    second.random_state = state
    for _ in range(20):
        cep.train_batch(first, x, y, rule)
        cep.train_batch(second, x, y, rule)
    assert same(parameters(first), parameters(second))
    assert first.random_state == second.random_state != state


@pytest.mark.parametrize(
    ("state", "error", "message"),
    [
        ((1, 2, 3), ValueError, "four integers"),
        ((1, 2, 3, -4), ValueError, "four integers"),
        ((1, 2, 3, 2**64), ValueError, "64 bits"),
        ((1, 2, 3, 0.5), TypeError, r"random_state\[3\] must be an integer"),
        ((0, 0, 0, 0), ValueError, "zeros"),
        (5, TypeError, "random_state"),
    ],
)
def test_invalid_random_states(state: Any, error: type[Exception], message: str) -> None:
    net = cep.Network([6, 9, 3], seed=1)
    before = net.random_state
    with refused(net, error, message):
        net.random_state = state
    assert net.random_state == before
