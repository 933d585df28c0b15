"""Values of a configuration's fields as words, for names of runs and for the command line.

Numbers are written as Python writes them, a sequence as its parts joined by "+" (``128+64``), a
pair with ":" (``50:0.1``), None and an empty sequence as "none".
"""

import numbers
import operator
import typing
from collections.abc import Callable, Iterable, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

from cep._util import validation
from cep.devices.neurons import TabulatedActivation
from cep.devices.synapses import Synapse
from cep.experiments.configuration import Configuration
from cep.network.layers import Conv2d, from_word, number_or_word


def plain(value: object) -> Any:
    """Numbers of any kind as int and float, sequences of any kind as lists: what JSON knows.

    Whatever else it is, is left as it is, for the configuration to refuse.
    """
    if value is None or isinstance(value, (bool, str, bytes)):
        return value
    if isinstance(value, (Conv2d, Synapse, TabulatedActivation)):
        return value.word
    if isinstance(value, numbers.Integral):
        return operator.index(value)
    if isinstance(value, numbers.Real):
        return float(value)
    if isinstance(value, Iterable):
        return [plain(part) for part in value]
    return value


def spelled(value: Any) -> str:
    """A plain value as a word."""
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).removesuffix(".0").replace("e+", "e")
    if isinstance(value, list):
        return "+".join(
            ":".join(map(spelled, part)) if isinstance(part, list) else spelled(part)
            for part in value
        )
    return str(value)


def read(field: str, text: str) -> list[Any]:
    """The values of a field that a text lists.

    Parameters
    ----------
    field : str
        Of `Configuration`.
    text : str
        Words, as `spelled` makes them, joined by ",". Where the field is an integer a word may
        also be a range ``START:STOP`` or ``START:STOP:STEP``, without STOP, as in Python.

    Raises
    ------
    ValueError
        There is no such field, or a word is not of its kind.
    """
    annotations = typing.get_type_hints(Configuration)
    if field not in annotations:
        raise ValueError(validation.unknown("parameter", field, annotations))
    annotation = annotations[field]
    kinds = get_args(annotation) if get_origin(annotation) is UnionType else (annotation,)
    if get_origin(annotation) is Literal:
        kinds = (str,)
    values: list[Any] = []
    for word in text.split(","):
        found = _range(word) if int in kinds else None
        values.extend(_read(field, word, kinds) if found is None else found)
    return values


def epoch_and_factor(word: str) -> list[float]:
    """A pair of `Configuration.learning_rate_schedule`, such as "50:0.1"."""
    epoch, factor = word.split(":")
    return [int(epoch), float(factor)]


def _range(word: str) -> range | None:
    try:
        return range(*map(int, word.split(":"))) if ":" in word else None
    except (ValueError, TypeError):
        return None


def _read(field: str, word: str, kinds: Sequence[Any]) -> list[Any]:
    for kind, (_, reader) in _KINDS.items():
        if kind in kinds:
            try:
                return [reader(word)]
            except (ValueError, KeyError):
                pass
    wanted = [description for kind, (description, _) in _KINDS.items() if kind in kinds]
    if int in kinds:
        wanted.append("a range such as 0:5")
    raise ValueError(f"{field} must be {' or '.join(wanted)}, got {word!r}")


def layer(word: str) -> int | str:
    """A hidden layer of a configuration, such as 128 or "conv2d:32:5x5:pool=max"."""
    try:
        return int(word)
    except ValueError:
        return number_or_word(from_word(word))


def _parts(reader: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    return lambda word: [] if word == "none" else [reader(part) for part in word.split("+")]


# In the order in which they are tried.
_KINDS: dict[Any, tuple[str, Callable[[str], Any]]] = {
    NoneType: ("none", {"none": None}.__getitem__),
    bool: ("true or false", {"true": True, "false": False}.__getitem__),
    int: ("an integer", int),
    float: ("a number", float),
    str: ("a word", str),
    Sequence[int | str | Conv2d]: (
        "layers joined by +, units or as conv2d:32:5:pool=max",
        _parts(layer),
    ),
    Sequence[float]: ("numbers joined by +", _parts(float)),
    Sequence[str]: ("words joined by +", _parts(str)),
    Sequence[tuple[int, float]]: ("pairs such as 50:0.1, joined by +", _parts(epoch_and_factor)),
}
