"""Connections outside the chain that joins each layer to the next."""

import math
from collections.abc import Sequence
from typing import Any

from cep._engine.words import CONNECTION_KINDS
from cep._util import validation
from cep.network.layers import Conv2d, Dense, Layer, Shape, from_word

Connection = tuple[int, int] | tuple[int, int, str]
"""From, to, and the word for the kind; dense without one."""


def checked(value: object, shapes: Sequence[Shape]) -> tuple[Connection, ...]:
    """Convert the connections of a network to the form of files and the engine.

    Parameters
    ----------
    value : sequence of (int, int) or (int, int, str or Conv2d)
        From, to, and the kind. Without one, two feature maps of the same height and width are
        joined by a convolution of 1 × 1 pixels, other layers by a dense connection.
    shapes : sequence of tuple of int
        The shapes of the layers.

    Raises
    ------
    TypeError, ValueError
        For an invalid connection. The engine checks whether the layers can be joined.
    """
    try:
        given = [tuple(each) for each in value]  # type: ignore[attr-defined]
    except TypeError:
        raise TypeError(f"connections must be pairs of layers, got {value!r}") from None
    return tuple(_checked(f"connections[{k}]", each, shapes) for k, each in enumerate(given))


def _checked(name: str, given: tuple[Any, ...], shapes: Sequence[Shape]) -> Connection:
    if len(given) not in (2, 3) or (len(given) == 3 and not isinstance(given[2], (str, Conv2d))):
        raise ValueError(f"{name} must be a pair (from, to), or (from, to, kind), got {given!r}")
    below, above = (validation.integer(name, layer) for layer in given[:2])
    usual = _usual(below, above, shapes)
    kind = given[2] if len(given) == 3 else usual
    if isinstance(kind, Conv2d):
        kind = kind.word
    kind_name = validation.choice(name, str(kind).split(":")[0], CONNECTION_KINDS)
    if kind_name == "conv2d":
        kind = from_word(kind).word
    return (below, above) if kind == usual == "dense" else (below, above, kind)


def _usual(below: int, above: int, shapes: Sequence[Shape]) -> str:
    if not 0 <= below < above < len(shapes):
        return "dense"
    lower, upper = shapes[below], shapes[above]
    are_maps = len(lower) == len(upper) == 3 and lower[1:] == upper[1:]
    return Conv2d(upper[0], 1).word if are_maps else "dense"


def word(connection: Connection) -> str:
    """The word for its kind."""
    return connection[2] if len(connection) > 2 else "dense"


def layer(connection: Connection, shapes: Sequence[Shape]) -> Layer | None:
    """The layer for a connection of this kind; None for kinds that only the engine knows."""
    name = word(connection).split(":")[0]
    if name == "conv2d":
        return from_word(word(connection))
    return Dense(math.prod(shapes[connection[1]])) if name == "dense" else None
