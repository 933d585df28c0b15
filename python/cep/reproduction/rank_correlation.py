"""Spearman's rank correlation of points that are means over seeds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cep.reproduction.trials import Spread

_DRAWS = 1000


def rank_correlation(points: Sequence[Sequence[tuple[float, float]]]) -> Spread:
    """Spearman's rank correlation of the means of points.

    Parameters
    ----------
    points : sequence of sequence of (float, float)
        The two numbers of each seed, for each point.

    Returns
    -------
    Spread
        The coefficient, −1 to 1, and its standard deviation if each point's seeds are drawn again
        with replacement (bootstrap, 1,000 draws). NaN with fewer than three points.
    """
    arrays = [np.array(seeds, dtype=float) for seeds in points if len(seeds)]
    if len(arrays) < 3:
        return Spread(float("nan"), float("nan"))
    random = np.random.default_rng(0)
    drawn = [
        _coefficient([seeds[random.integers(0, len(seeds), len(seeds))] for seeds in arrays])
        for _ in range(_DRAWS)
    ]
    return Spread(_coefficient(arrays), float(np.std(drawn)))


def _coefficient(arrays: Sequence[NDArray[Any]]) -> float:
    first, second = (_ranks(column) for column in np.array([a.mean(axis=0) for a in arrays]).T)
    with np.errstate(invalid="ignore"):
        return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: NDArray[Any]) -> NDArray[Any]:
    """Ranks from 0; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts) - 1
    return (last - (counts - 1) / 2)[inverse]
