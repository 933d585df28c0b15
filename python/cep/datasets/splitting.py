"""Split a data set into a training and a test set."""

from typing import Any

import numpy as np
import numpy.typing as npt

from cep._util.extras import import_extra
from cep.datasets.types import Dataset


def split(data: Dataset, test_size: int, *, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Split a data set at random, with the same proportion of each class on both sides.

    The samples are drawn by :func:`sklearn.model_selection.train_test_split` (``stratify=y``).

    Parameters
    ----------
    data : tuple of numpy.ndarray
        ``(x, y)``: samples x features, and one integer class for each sample.
    test_size : int
        Samples in the test set. Both sides must hold at least one sample per class.
    seed : int, default 0
        Seed of the shuffle, 0 to 2**32 - 1. The same seed gives the same split.

    Returns
    -------
    (x, y), (x_test, y_test) : tuple of tuple of numpy.ndarray
        Training and test set: C-contiguous copies in the dtypes of `data`.

    Raises
    ------
    ValueError
        If an argument is not as described, or a class has a single sample.
    ImportError
        If scikit-learn is not installed.
    """
    if len(data) != 2 or not all(isinstance(part, np.ndarray) for part in data):
        raise ValueError("data must be a pair of arrays (x, y)")
    x, y = data
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise ValueError(
            f"y must hold one integer for each sample; it is {y.dtype} of shape {y.shape}"
        )
    if x.ndim == 0 or len(x) != len(y):
        raise ValueError(f"x of shape {x.shape} and y of shape {y.shape} differ in samples")
    classes, counts = np.unique(y, return_counts=True)
    if np.any(counts < 2):
        raise ValueError(f"every class needs 2 samples; class {classes[counts < 2][0]} has 1")
    _check_whole_number("test_size", test_size, len(classes), len(y) - len(classes))
    _check_whole_number("seed", seed, 0, 2**32 - 1)
    train, test = import_extra("sklearn.model_selection", "split", "datasets").train_test_split(
        np.arange(len(y)), test_size=test_size, random_state=seed, stratify=y
    )
    return (np.ascontiguousarray(x[train]), y[train]), (np.ascontiguousarray(x[test]), y[test])


def stratified(
    y: npt.NDArray[Any], fraction: float, seed: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Hold out a share of the samples, with each class in proportion, up to rounding.

    Parameters
    ----------
    y : numpy.ndarray
        One integer class for each sample. Rows of target values, samples x outputs, are held out
        at random.
    fraction : float
        Between 0 and 1. At least one sample is held out, and at least one is not.
    seed : int
        The same seed gives the same samples.

    Returns
    -------
    train, held_out : numpy.ndarray of int
        Indices in rising order.

    Raises
    ------
    ValueError
        If there are fewer than two samples.
    """
    samples = len(y)
    if samples < 2:
        raise ValueError(f"holding out a share needs two samples or more, got {samples}")
    order = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,))).permutation(samples)
    if y.ndim == 1:
        order = order[np.argsort(y[order], kind="stable")]
    # Take samples at equal distances from those sorted by class.
    count = min(max(1, round(fraction * samples)), samples - 1)
    chosen = order[np.floor((np.arange(count) + 0.5) * samples / count).astype(np.intp)]
    held_out = np.zeros(samples, dtype=bool)
    held_out[chosen] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _check_whole_number(name: str, value: Any, low: int, high: int) -> None:
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (integer and low <= value <= high):
        raise ValueError(f"{name} must be a whole number from {low} to {high}; it is {value!r}")
