"""Values of configuration fields as words, for the names of runs and for the command line.

Numbers are written as in Python. The parts of a sequence are joined by "+" (``128+64``), those of
a pair by ":" (``50:0.1``). None and an empty sequence are "none".
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
    """Convert numbers to int and float, and sequences to lists, which JSON can represent.

    Any other value is returned unchanged; the configuration rejects it.
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
    """The word for a plain value."""
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
    """Read several values of a field from a text: words of `spelled`, joined by commas.

    For a field of integers, a word may also be a range ``START:STOP`` or ``START:STOP:STEP``,
    which excludes STOP, as in Python. An unknown field or an invalid value is a ValueError.
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
