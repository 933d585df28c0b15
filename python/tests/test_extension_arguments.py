"""The extension itself refuses arguments that python/cep would not pass, and releases them."""

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
RULE: dict[str, Any] = cep.EP(3, 2, 0.5, 0.1)._for_engine(2)
CONDITIONS: dict[str, Any] = {
    "free_steps": 4,
    "nudged_steps": 2,
    "beta": 0.1,
    "learning_rates": (0.0, 0.0),
    "as_recorded": False,
}
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
    """`call` gets samples with a bad argument, and must release them."""
    memory = bytearray(5 * 4 * 8)  # It cannot grow while a buffer of it is held.
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
        engine.array("weights", bad)
    with pytest.raises(Refusal):
        engine.feedback_angle(bad)
    with pytest.raises(Refusal):
        _cep.set_num_threads(bad)  # type: ignore[arg-type]
    with pytest.raises(Refusal):
        engine.set_random_state((bad if bad != 2**63 else 2**64, 1, 1, 1))


# For every option: values of another kind, or that no C type can hold.
VALUES: dict[str, object] = {
    "nothing": None,
    "more than 64 bits": 2**64,
    "less than 64 bits": -(2**63) - 1,
    "an object": object(),
    "a list": [0.1, 0.1],
    "a tuple of text": ("text", 0.1),
    "a tuple of objects": (0.1, None),
    "not Unicode": "\ud800",
    "another word": "text",
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_options(value: object, engine: Any) -> None:
    for name in RULE:
        rule = RULE | {name: value}
        refused(lambda good, rule=rule: engine.train_batch(good, LABELS, rule, None))
        refused(lambda good, rule=rule: engine.gradient(good, LABELS, rule, None))
    for name in CONDITIONS:
        conditions = CONDITIONS | {name: value}
        refused(lambda good, given=conditions: engine.check_theorem(good, LABELS, given))
    with pytest.raises(Refusal):
        _cep.Network({"sizes": (4, 6, 3), "seed": value})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "options", [None, [*RULE], tuple(RULE), {1: 2}, {"\ud800": 1}, {"size": 1}]
)
def test_collections_of_options(options: Any, engine: Any) -> None:
    refused(lambda good: engine.train_batch(good, LABELS, options, None))
    refused(lambda good: engine.check_theorem(good, LABELS, options))
    with pytest.raises(Refusal):
        _cep.Network(options)


def test_required_options_and_unknown_ones(engine: Any) -> None:
    for name in ("rule", "free_steps", "nudged_steps", "beta"):
        rule = {key: value for key, value in RULE.items() if key != name}
        with pytest.raises(ValueError, match=f"{name} is missing"):
            engine.train_batch(np.zeros((5, 4)), LABELS, rule, None)
    with pytest.raises(ValueError, match="the rule ep has no option last_steps"):
        engine.train_batch(np.zeros((5, 4)), LABELS, RULE | {"last_steps": 1}, None)


def test_words_of_options() -> None:
    assert _cep.option_words("feedback") == "tied,untied"
    with pytest.raises(ValueError, match="the option sizes does not exist or does not take words"):
        _cep.option_words("sizes")


class Growing:
    """A number that empties the dictionary that contains it."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def __float__(self) -> float:
        self.options.clear()
        return 0.1


def test_options_that_change_while_they_are_read(engine: Any) -> None:
    rule: dict[str, Any] = {}
    rule |= RULE | {"beta": Growing(rule)}
    assert engine.train_batch(np.zeros((5, 4)), LABELS, rule, None)[0] == 5
    assert not rule


def test_kinds_and_counts_of_arguments(engine: Any) -> None:
    for arguments in ((), ("weights",), ("weights", 0, 0), (0, 0), ("weight", 0), ("", 0)):
        with pytest.raises(Refusal):
            engine.array(*arguments)
    for kind in (_cep.Array, _cep.Gradient, _cep.Theorem, _cep.Step):
        with pytest.raises(TypeError, match="cannot create"):
            kind()


@pytest.mark.parametrize(
    "out",
    [bytes(40), bytearray(39), bytearray(48), np.zeros((5, 2))[:, 0]],
    ids=["read only", "too short", "too long", "in pieces"],
)
def test_arrays_for_results(out: Any, engine: Any) -> None:
    refused(lambda good: engine.predict(good, 2, out))
    with pytest.raises(Refusal):
        engine.energy(out)
