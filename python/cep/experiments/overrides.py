"""Values of a configuration's fields as words, for names of runs and for the command line.

Numbers are written as Python writes them, a sequence as its parts joined by "+" (``128+64``), a
pair with ":" (``50:0.1``), None and an empty sequence as "none".
"""

import numbers
import operator
from collections.abc import Iterable
from typing import Any

from cep._util import validation
from cep.devices.neurons import TabulatedActivation
from cep.devices.synapses import Synapse
from cep.experiments.configuration import OPTIONS
from cep.network.layers import Conv2d


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
    """The values of a field that a text lists: words, as `spelled` makes them, joined by commas.

    If the field is an integer a word may also be a range ``START:STOP`` or ``START:STOP:STEP``,
    without STOP, as in Python. A ValueError says that there is no such field, or no such value.
    """
    if field not in OPTIONS:
        raise ValueError(validation.unknown("parameter", field, OPTIONS))
    option = OPTIONS[field]
    are_integers = option.kind.words == "an integer"
    values: list[Any] = []
    for word in text.split(","):
        found = _range(word) if are_integers else None
        also = " or a range such as 0:5" if are_integers else ""
        values.extend([option.read(word, "+", also)] if found is None else found)
    return values


def _range(word: str) -> range | None:
    try:
        return range(*map(int, word.split(":"))) if ":" in word else None
    except (ValueError, TypeError):
        return None
