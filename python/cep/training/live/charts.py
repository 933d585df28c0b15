"""Curves and bars made of characters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_EIGHTHS = " ▁▂▃▄▅▆▇█"
# The bit of each dot of a braille character: four rows of two.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


@dataclass(frozen=True)
class Curve:
    """Values at equal distances, drawn from left to right."""

    values: Sequence[float]
    dashed: bool = False


def braille(curves: Sequence[Curve], width: int, height: int, low: float, high: float) -> list[str]:
    """Rows of characters with curves between two values, the upper row first."""
    dots = np.zeros((4 * height, 2 * width), dtype=bool)
    for curve in curves:
        _draw(dots, curve, low, high)
    characters = np.full((height, width), 0x2800)
    for row in range(4):
        for column in range(2):
            characters += _DOTS[row][column] * dots[row::4, column::2]
    return ["".join(map(chr, row)) for row in characters]


def _draw(dots: NDArray[np.bool_], curve: Curve, low: float, high: float) -> None:
    rows, columns = dots.shape
    values = np.asarray(curve.values, dtype=float)
    xs = np.arange(columns)
    if len(values) == 1:
        ys = np.full(columns, values[0])
        xs = xs[:2]
    else:
        ys = np.interp(xs, np.linspace(0, columns - 1, len(values)), values)
    span = high - low if high > low else 1.0
    levels = np.rint((1 - np.clip((ys - low) / span, 0, 1)) * (rows - 1)).astype(int)
    for x in xs:
        if curve.dashed and x % 4 >= 2:
            continue
        # From the previous level to this one, so that steep curves have no gaps.
        before = levels[x - 1] if x and not curve.dashed else levels[x]
        first, last = sorted((before, levels[x]))
        dots[first : last + 1, x] = True


def bars(values: Sequence[float], low: float, high: float) -> str:
    """One character per value: a bar of one of eight heights."""
    span = high - low if high > low else 1.0
    heights = [8 * (value - low) / span for value in values]
    return "".join(_EIGHTHS[min(8, max(1 if h > 0 else 0, round(h)))] for h in heights)


def resampled(values: Sequence[float], width: int) -> NDArray[np.float64]:
    """Values interpolated linearly to `width` characters."""
    places = np.linspace(0, len(values) - 1, width)
    found: NDArray[np.float64] = np.interp(places, np.arange(len(values)), np.asarray(values))
    return found
