"""scikit-learn's small tables of measurements."""

import numpy as np

from cep._util.extras import import_extra
from cep.datasets.types import Dataset


def wine() -> Dataset:
    """Return scikit-learn's wine data: 13 measurements of wines of three growers.

    Each feature is standardised over all samples, then squashed to (0, 1) by 1 / (1 + e^−x).
    Source: S. Aeberhard, M. Forina, "Wine", UCI, 1991.

    Returns
    -------
    x : numpy.ndarray, shape (178, 13), float32, C-contiguous
    y : numpy.ndarray, shape (178,), int64
        Classes 0 to 2.

    Raises
    ------
    ImportError
        scikit-learn is not installed.
    """
    return _load("load_wine")


def breast_cancer() -> Dataset:
    """Return scikit-learn's breast cancer data: 30 measurements of cell nuclei.

    Features are treated as by :func:`wine`. Source: W. Wolberg, O. Mangasarian, N. Street,
    W. Street, "Breast Cancer Wisconsin (Diagnostic)", UCI, 1993.

    Returns
    -------
    x : numpy.ndarray, shape (569, 30), float32, C-contiguous
    y : numpy.ndarray, shape (569,), int64
        0 malignant, 1 benign.

    Raises
    ------
    ImportError
        scikit-learn is not installed.
    """
    return _load("load_breast_cancer")


def _load(function: str) -> Dataset:
    library = import_extra("sklearn.datasets", "this data set", "datasets")
    x, y = getattr(library, function)(return_X_y=True)
    standardised = (x - x.mean(axis=0)) / x.std(axis=0)
    return (1 / (1 + np.exp(-standardised))).astype(np.float32), y.astype(np.int64)
