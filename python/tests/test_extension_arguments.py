"""The extension by itself: what python/cep would not hand it is refused, and let go of."""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import cep
from cep import _cep

pytestmark = pytest.mark.once

Refusal = (TypeError, ValueError, OverflowError, BufferError)
LABELS = np.arange(5) % 3
RULE: tuple[Any, ...] = cep.EP(3, 2, 0.5, 0.1)._for_engine(2)
CONDITIONS = (4, 2, 0.1, (0.0, 0.0), (), False)
MATRICES: dict[str, object] = {
    "nothing": None,
    "a list": [[1.0, 2.0]],
    "one dimension": np.zeros(4),
    "three dimensions": np.zeros((5, 4, 1)),
    "integers": np.zeros((5, 4), int),
    "half precision": np.zeros((5, 4), np.float16),
    "the other order of bytes": np.zeros((5, 4), ">f8"),
    "column after column": np.zeros((4, 5)).T,
    "every other": np.zeros((5, 8))[:, ::2],
    "bytes": b"12345678",
    "a buffer that does not say of what": (ctypes.c_ubyte * 16)(),
    "records": np.zeros((5, 4), [("a", "f4")]),
}
NUMBERS: dict[str, object] = {
    "more than 64 bits": 2**63,
    "less than 64 bits": -(2**63) - 1,
    "a float": 1.5,
    "text": "1",
    "nothing": None,
}


@pytest.fixture
def engine() -> _cep.Network:
    net = cep.Network([4, 6, 3], seed=0)
    net.free_phase(np.zeros((5, 4)), 2)
    return net._engine


def refused(call: Callable[[Any], object]) -> None:
    """`call` gets samples with its bad argument, and has to give them back."""
    memory = bytearray(5 * 4 * 8)  # It cannot grow while somebody holds a buffer of it.
    with pytest.raises(Refusal) as error:
        call(np.frombuffer(memory).reshape(5, 4))
    assert str(error.value)
    del error
    memory.append(0)


@pytest.mark.parametrize("name", MATRICES)
def test_matrices(name: str, engine: Any) -> None:
    bad = MATRICES[name]
    with pytest.raises(Refusal):
        engine.free_phase(bad, 2, False, None)
    with pytest.raises(Refusal):
        engine.nudged_phase(bad, 0.5, 2, None)
    refused(lambda good: engine.train_batch(good, bad, RULE, None))
    refused(lambda good: engine.train_batch(bad, good, RULE, None))


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(name: str, engine: Any) -> None:
    bad = NUMBERS[name]
    refused(lambda good: engine.free_phase(good, bad, False, None))
    refused(lambda good: engine.evaluate(good, LABELS, bad))
    refused(lambda good: engine.train_epoch(good, LABELS, RULE, bad, 0, (0, 0, 0, 0.0), None))
    refused(lambda good: engine.train_epoch(good, LABELS, RULE, 2, 0, (bad, 0, 0, 0.0), None))
    with pytest.raises(Refusal):
        engine.array(0, bad)
    with pytest.raises(Refusal):
        engine.feedback_angle(bad)
    with pytest.raises(Refusal):
        _cep.set_num_threads(bad)  # type: ignore[arg-type]
    with pytest.raises(Refusal):
        engine.set_random_state((bad if bad != 2**63 else 2**64, 1, 1, 1))


@pytest.mark.parametrize("place", range(len(RULE)))
def test_rules(place: int, engine: Any) -> None:
    def with_other(value: object) -> tuple[object, ...]:
        return (*RULE[:place], value, *RULE[place + 1 :])

    bad = "text" if place < len(RULE) - 2 else ("text", 0.1)
    if not isinstance(RULE[place], bool):
        refused(lambda good: engine.train_batch(good, LABELS, with_other(bad), None))
        refused(lambda good: engine.gradient(good, LABELS, with_other(bad), None))
    refused(lambda good: engine.train_batch(good, LABELS, RULE[:place], None))
    refused(lambda good: engine.train_batch(good, LABELS, [*RULE], None))


@pytest.mark.parametrize("place", range(len(CONDITIONS)))
def test_conditions(place: int, engine: Any) -> None:
    bad = "text" if place < 3 else 7 if place < 5 else None
    conditions = (*CONDITIONS[:place], bad, *CONDITIONS[place + 1 :])
    if place < 5:
        refused(lambda good: engine.check_theorem(good, LABELS, conditions))
        refused(lambda good: engine.check_theorem(good, LABELS, [*conditions]))
    refused(lambda good: engine.check_theorem(good, LABELS, CONDITIONS[:place]))


class Growing:
    """A number that makes the list longer or shorter which it is in."""

    def __init__(self, rates: list[Any], change: Callable[[list[Any]], object]) -> None:
        self.rates, self.change = rates, change

    def __float__(self) -> float:
        self.change(self.rates)
        return 0.1


@pytest.mark.parametrize("change", [list.clear, lambda rates: rates.extend([0.1] * 1000)])
def test_rates_that_change_while_they_are_read(
    change: Callable[[list[Any]], object], engine: Any
) -> None:
    rates: list[Any] = []
    rates += [Growing(rates, change), 0.1]
    rule = (*RULE[:-3], rates, (), {})
    try:
        engine.train_batch(np.zeros((5, 4)), LABELS, rule, None)
    except IndexError:
        assert not rates


def test_kinds_and_counts_of_arguments(engine: Any) -> None:
    for arguments in ((), (0,), (0, 0, 0), ("weights", 0), (99, 0), (-1, 0)):
        with pytest.raises(Refusal):
            engine.array(*arguments)
    for kind in (_cep.Array, _cep.Gradient, _cep.Theorem, _cep.Step):
        with pytest.raises(TypeError, match="cannot create"):
            kind()


@pytest.mark.parametrize(
    "room",
    [bytes(40), bytearray(39), bytearray(48), np.zeros((5, 2))[:, 0]],
    ids=["read only", "too short", "too long", "in pieces"],
)
def test_room_for_results(room: Any, engine: Any) -> None:
    refused(lambda good: engine.predict(good, 2, room))
    with pytest.raises(Refusal):
        engine.energy(room)
