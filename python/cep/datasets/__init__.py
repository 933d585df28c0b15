"""Data sets for tests, examples and published experiments, and functions that prepare data.

Images are float32 in [0, 1], classes are int64.
``pip install 'equilibrium-propagation[datasets]'`` installs scikit-learn and pooch. Files on disk
and :func:`read_idx` need neither.
"""

import math

import numpy as np
import numpy.typing as npt

from cep._util import validation
from cep.datasets.augmentation import augment
from cep.datasets.cifar import cifar10
from cep.datasets.digits import digits
from cep.datasets.idx import read_idx
from cep.datasets.mnist_family import fashion_mnist, kmnist, mnist
from cep.datasets.splitting import split
from cep.datasets.tables import breast_cancer, wine
from cep.datasets.types import Dataset as Dataset
from cep.datasets.types import FilePath

__all__ = [
    "SHAPES",
    "augment",
    "breast_cancer",
    "cifar10",
    "digits",
    "fashion_mnist",
    "kmnist",
    "load",
    "mnist",
    "read_idx",
    "split",
    "wine",
]

#: (channels, height, width) of an image, or (features,), for each data set that :func:`load` knows.
SHAPES = {
    "digits": (1, 8, 8),
    "mnist": (1, 28, 28),
    "fashion_mnist": (1, 28, 28),
    "kmnist": (1, 28, 28),
    "cifar10": (3, 32, 32),
    "wine": (13,),
    "breast_cancer": (30,),
}
FEATURES = {name: math.prod(shape) for name, shape in SHAPES.items()}
CLASSES = dict.fromkeys(SHAPES, 10) | {"wine": 3, "breast_cancer": 2}
# For data sets without a test set.
_TEST_SAMPLES = {"digits": 360, "wine": 36, "breast_cancer": 114}


def load(name: str, root: FilePath | None = None, *, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Load a data set by name, split as in experiments.

    Parameters
    ----------
    name : {"digits", "mnist", "fashion_mnist", "kmnist", "cifar10", "wine", "breast_cancer"}
        The function of this name. Of the digits 360 samples, of wine 36 and of breast cancer 114
        become the test set (:func:`split`).
    root : path, optional
        The folder of the files, as for these functions. The digits have none.
    seed : int, default 0
        Seed of the split of digits, wine and breast cancer.

    Returns
    -------
    (x, y), (x_test, y_test) : tuple of tuple of numpy.ndarray
        Training and test set. x is flat: float32, C-contiguous, samples x features, channel
        first. `SHAPES` has the shape of an image.

    Raises
    ------
    ValueError
        If the name is unknown, or as the functions named above.
    FileNotFoundError, ImportError
        As the functions named above.
    """
    validation.choice("name", name, SHAPES)
    if name in _TEST_SAMPLES:
        whole = {"digits": digits, "wine": wine, "breast_cancer": breast_cancer}[name]()
        return split(whole, _TEST_SAMPLES[name], seed=seed)
    loaders = {
        "mnist": mnist,
        "fashion_mnist": fashion_mnist,
        "kmnist": kmnist,
        "cifar10": cifar10,
    }
    (x, y), (x_test, y_test) = loaders[name](root)
    return (_flat(x), y), (_flat(x_test), y_test)


def _flat(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return x.reshape(len(x), math.prod(x.shape[1:]))
