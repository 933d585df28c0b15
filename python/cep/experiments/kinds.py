"""Kinds of values that options of a configuration take: layers, devices, schedules and so on."""

import dataclasses
from collections.abc import Iterable
from typing import Any

from cep._engine.words import ACTIVATIONS
from cep._util import validation
from cep.devices import synapse_words
from cep.experiments.options import Kind, many, real, whole
from cep.network.layers import Conv2d, from_word, number_or_word
from cep.network.network import activation_word
from cep.training.diagnostics import KINDS


def _data(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError(f"{name} must be the name of a data set, got {value!r}")
    return value


def _seed(name: str, value: Any) -> int:
    return validation.seed(validation.integer(name, value, 2**64 - 1))


def _layer(name: str, value: Any) -> int | str:
    if isinstance(value, Conv2d):
        return value.word
    if not isinstance(value, str):
        return validation.integer(name, value)
    try:
        return number_or_word(from_word(value))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _read_layer(word: str) -> int | str:
    return word if word.startswith("conv2d") else int(word)


def _some(name: str, layers: tuple[Any, ...]) -> tuple[Any, ...]:
    if not layers:
        raise ValueError(f"{name} is empty; expected one hidden layer or more")
    return layers


def _activation(name: str, value: Any) -> str:
    # In a sequence a layer may be linear.
    return activation_word(name, value, [*ACTIVATIONS, *(["linear"] if "[" in name else [])])


def _synapses(name: str, value: Any) -> str | tuple[str, ...] | None:
    return synapse_words.words(synapse_words.checked(name, value))


def _connection(name: str, value: Any) -> str:
    """As "0-2", or "0-2:conv2d:16:1" with the kind."""
    if not isinstance(value, str):
        if not isinstance(value, Iterable) or len(parts := tuple(value)) not in (2, 3):
            raise ValueError(f"{name} must be (from, to) or (from, to, kind), got {value!r}")
        below, above = (validation.integer(name, layer) for layer in parts[:2])
        kinds = [each.word if isinstance(each, Conv2d) else str(each) for each in parts[2:]]
        value = ":".join([f"{below}-{above}", *kinds])
    read_connection(value)
    return str(value)


def read_connection(word: str) -> tuple[int, int] | tuple[int, int, str]:
    """The argument of a network that a word stands for."""
    layers, _, kind = word.partition(":")
    below, _, above = layers.partition("-")
    if not (below.isdecimal() and above.isdecimal()):
        raise ValueError(f"a connection is such as 0-2 or 0-2:dense, got {word!r}")
    return (int(below), int(above), kind) if kind else (int(below), int(above))


def _pair(name: str, value: Any) -> tuple[int, float]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise TypeError(f"{name} must be a sequence of an epoch and a factor, got {value!r}")
    if len(parts := tuple(value)) != 2:
        raise ValueError(f"{name} must be one of the pairs (epoch, factor), got {value!r}")
    return validation.count(f"{name}[0]", parts[0]), NOT_NEGATIVE.check(f"{name}[1]", parts[1])


def _read_pair(word: str) -> list[float]:
    epoch, factor = word.split(":")
    return [int(epoch), float(factor)]


def _rising(name: str, pairs: tuple[Any, ...]) -> tuple[Any, ...]:
    starts = [epoch for epoch, _ in pairs]
    if starts != sorted(set(starts)):
        raise ValueError(f"the epochs of {name} must rise, got {starts}")
    return pairs


def _record(name: str, value: Any) -> str:
    if value not in KINDS:
        raise ValueError(validation.unknown("kind of record", value, KINDS))
    return str(value)


def _in_order(name: str, kinds: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(kind for kind in KINDS if kind in kinds)


def _shape(name: str, sizes: tuple[Any, ...]) -> Any:
    if len(sizes) not in (1, 3):
        raise ValueError(f"{name} must be features, or (channels, height, width), got {sizes!r}")
    return sizes if len(sizes) == 3 else sizes[0]


DATA = Kind("a name", "NAME|FILE.npz", _data)
SEED = Kind("an integer", "INTEGER", _seed, int)
NOT_NEGATIVE = real("0 or more", lambda number: number >= 0)
POSITIVE = real("above 0", lambda number: number > 0)
SHARE = real("in [0, 1)", lambda number: 0 <= number < 1)
HIDDEN = many(Kind("a layer", "LAYER", _layer, _read_layer), "layers", then=_some)
ACTIVATION = many(Kind("a name", "NAME", _activation), "names", alone=True)
CONNECTIONS = many(Kind("a connection", "FROM-TO[:KIND]", _connection), "connections")
RATES = many(Kind("a number", "RATE", real().check, float), "numbers", alone=True)
SCHEDULE = many(
    Kind("a pair", "EPOCH:FACTOR", _pair, _read_pair), "pairs such as 50:0.1", then=_rising
)
RECORDS = many(Kind("a kind", "KIND", _record), "kinds of records", then=_in_order)
SHAPE = many(whole(), "sizes", alone=True, then=_shape)
SYNAPSES = dataclasses.replace(
    many(Kind("a synapse", "SYNAPSE", _synapses), "synapses", alone=True), check=_synapses
)
