"""Epochs in parts: the same as a whole one, to the last bit."""

from typing import Any

import numpy as np
import pytest
from snapshot import parameters, refused, same

import cep
from cep.training.trainer import Pause, Trainer

RULES: list[Any] = [
    cep.EP(6, 4, 0.4, [0.4, 0.2], beta_sign="symmetric"),
    cep.EP(6, 4, 0.4, [0.4, 0.2], beta_sign="random"),
    cep.CEP(6, 4, 0.4, [0.1, 0.05], beta_sign="random"),
    cep.BPTT(6, learning_rates=[0.1, 0.05]),
]


def samples(count: int) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    return generator.random((count, 6)), generator.integers(0, 3, count)


def trainer(feedback: str = "tied") -> Trainer:
    net = cep.Network([6, 9, 3], seed=1, feedback=feedback, feedback_angle=30)
    return Trainer(net, samples(50), samples(20), batch_size=4, seed=3)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("feedback", ["tied", "untied"])
@pytest.mark.parametrize("count", [1, 5, 12, 100])
def test_parts_are_the_whole(rule: Any, feedback: str, count: int) -> None:
    whole = trainer(feedback)
    expected = cep.fit(
        whole.net, samples(50), rule, 2, 4, validation_data=samples(20), seed=3, progress=False
    )
    parts = trainer(feedback)
    for _ in range(2):
        while parts.position.batch < parts.batches:
            parts.train_batches(rule, count=count)
        parts.finish_epoch(rule)
    assert same(parameters(parts.net), parameters(whole.net))
    for name in ("train_error", "train_loss", "validation_error", "validation_loss"):
        assert getattr(parts.history, name) == getattr(expected, name)


@pytest.mark.parametrize("rule", RULES[:3])
def test_a_pause_loses_nothing(rule: Any) -> None:
    """A progress function that pauses whenever it is called, every 20 ms, changes nothing."""
    x, y = np.random.default_rng(0).random((6000, 64)), np.arange(6000) % 10
    whole, paused = (
        Trainer(cep.Network([64, 512, 10], seed=1), (x, y), None, batch_size=20, seed=3)
        for _ in range(2)
    )
    whole.train_epoch(rule)
    pauses = 0

    def pause(done: int, total: int, errors: int, loss_sum: float) -> None:
        nonlocal pauses
        pauses += 1
        raise Pause

    while paused.position.batch < paused.batches:
        paused.train_batches(rule, pause)
    paused.finish_epoch(rule)
    assert pauses > 1, "the test's own premise: an epoch of more than 40 ms"
    assert same(parameters(paused.net), parameters(whole.net))
    assert paused.history.train_loss == whole.history.train_loss


@pytest.mark.parametrize("error", [Pause, ZeroDivisionError])
def test_what_a_progress_function_raises_ends_the_call_at_once(error: type[Exception]) -> None:
    x, y = np.random.default_rng(0).random((6000, 64)), np.arange(6000) % 10
    stopped = Trainer(cep.Network([64, 512, 10], seed=1), (x, y), None, batch_size=20, seed=3)
    done_at_calls = []

    def fail(done: int, total: int, errors: int, loss_sum: float) -> None:
        done_at_calls.append(done)
        raise error

    if error is Pause:
        stopped.train_batches(RULES[0], fail)
        assert stopped.position.batch * 20 == done_at_calls[0]
    else:
        with pytest.raises(error):
            stopped.train_batches(RULES[0], fail)
    assert len(done_at_calls) == 1
    assert done_at_calls[0] < 6000


def test_a_random_state_goes_on_where_another_was() -> None:
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
def test_random_states_that_are_none(state: Any, error: type[Exception], message: str) -> None:
    net = cep.Network([6, 9, 3], seed=1)
    before = net.random_state
    with refused(net, error, message):
        net.random_state = state
    assert net.random_state == before
