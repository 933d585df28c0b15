"""scikit-learn's handwritten digits."""

import numpy as np

from cep._util.extras import import_extra
from cep.datasets.types import Dataset


def digits() -> Dataset:
    """Return scikit-learn's handwritten digits, a small data set without a download.

    The test half of E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI, 1998.

    Returns
    -------
    x : numpy.ndarray, shape (1797, 64), float32, C-contiguous
        8x8 images, pixel / 16, in [0, 1].
    y : numpy.ndarray, shape (1797,), int64
        Classes 0 to 9.

    Raises
    ------
    ImportError
        scikit-learn is not installed.
    """
    pixels, classes = import_extra("sklearn.datasets", "the digits", "datasets").load_digits(
        return_X_y=True
    )
    return np.ascontiguousarray(pixels / 16, dtype=np.float32), classes.astype(np.int64)
