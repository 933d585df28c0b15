"""The data of a run: a named data set, arrays or a file; and their fingerprint."""

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cep import datasets
from cep._util import validation
from cep.datasets.splitting import stratified
from cep.experiments.configuration import Configuration

Arrays = tuple[NDArray[Any], NDArray[Any]]

_PARTS = ("train", "validation", "test")
_TEST_FRACTION = 0.2
# Number of bytes that are hashed at a time.
_CHUNK = 1 << 24


@dataclass(frozen=True, eq=False)
class Splits:
    """Training, validation and test data."""

    train: Arrays
    validation: Arrays | None = None
    """None if the data have no validation part; a share of the training data may be held out."""
    test: Arrays | None = None
    path: str | None = None
    """The file of the data, if they were read from one."""

    @property
    def inputs(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.train[0].shape[1:]

    @property
    def classes(self) -> int:
        """Number of output units: columns of target values, or the largest label plus one."""
        labels = self.train[1]
        return labels.shape[1] if labels.ndim == 2 else int(labels.max()) + 1

    def as_for(self, shape: tuple[int, ...]) -> "Splits":
        """The data for an input layer of this shape. For a layer of units, images are flattened."""
        if len(shape) == 3:
            return self
        given: dict[str, Any] = {name: getattr(self, name) for name in _PARTS}
        for name, pair in given.items():
            given[name] = pair and (pair[0].reshape(len(pair[0]), -1), pair[1])
        return dataclasses.replace(self, **given)

    def fingerprint(self, name: str) -> dict[str, Any]:
        """Name, shapes, classes and SHA-256 of the data, which identify them."""
        digest = hashlib.sha256()
        shapes = {}
        for part in _PARTS:
            pair = getattr(self, part)
            if pair is None:
                continue
            shapes[part] = [list(array.shape) for array in pair]
            for array in pair:
                digest.update(f"{part} {array.dtype.str} {array.shape} ".encode())
                for rows in _chunks(array):
                    digest.update(np.ascontiguousarray(rows).data)
        return {
            "name": name,
            "path": self.path,
            "shapes": shapes,
            "classes": self.classes,
            "sha256": digest.hexdigest(),
        }


RunData = Splits | Mapping[str, Any] | tuple[Any, Any] | str | os.PathLike[str]


def _chunks(array: NDArray[Any]) -> Iterable[NDArray[Any]]:
    rows = max(1, _CHUNK // max(1, array[:1].nbytes))
    return (array[start : start + rows] for start in range(0, len(array), rows))


def splits_of(
    configuration: Configuration,
    data: RunData | None,
    data_root: str | os.PathLike[str] | None = None,
) -> Splits:
    """The data of a run, loaded and checked.

    Parameters
    ----------
    configuration : Configuration
        The configuration. Its ``data`` names the data set, if no data are given.
    data : mapping, path or ((x, y), (x_test, y_test)), optional
        ``{"train": (x, y), "validation": (x, y), "test": (x, y)}``, of which only the first is
        required; or an ``.npz`` file (see `read_npz`).
    data_root : path, optional
        The folder of the named data set.

    Raises
    ------
    TypeError, ValueError
        If the data have another form, or no data set has this name.
    FileNotFoundError, ImportError
        If the data are not found, or a library is not installed.
    """
    if data is None:
        if configuration.data not in datasets.SHAPES:
            known = validation.unknown("data set", configuration.data, datasets.SHAPES)
            raise ValueError(f"{known}; or give the arrays as data=")
        root = None if data_root is None else Path(data_root).expanduser()
        train, test = configuration.load_data(root)
        return Splits(train, test=test)
    if isinstance(data, Splits):
        return data
    if isinstance(data, (str, os.PathLike)):
        return read_npz(data, seed=configuration.seed)
    if isinstance(data, tuple) and len(data) == 2:
        data = {"train": data[0], "test": data[1]}
    if not isinstance(data, Mapping):
        raise TypeError(
            'data must be {"train": (x, y), "test": (x, y)}, the path of an .npz file, or '
            f"((x, y), (x_test, y_test)), got {type(data).__name__}"
        )
    if unknown := [name for name in data if name not in _PARTS]:
        raise ValueError(validation.unknown("part of the data", unknown[0], _PARTS))
    if data.get("train") is None:
        raise ValueError('data has no training data; expected {"train": (x, y), …}')
    parts: dict[str, Any] = {
        name: _arrays(name, pair) for name, pair in data.items() if pair is not None
    }
    return Splits(**parts)


def check_root(
    configuration: Configuration, data: RunData | None, data_root: str | os.PathLike[str] | None
) -> None:
    """Raise a ValueError if a folder of data is given but has no effect."""
    if data_root is not None and not reads_files(configuration, data):
        raise ValueError(
            f"data_root has no effect on {configuration.data!r}, which is not read from a folder: "
            "leave it out"
        )


def reads_files(configuration: Configuration, data: RunData | None) -> bool:
    """Whether the configuration names a data set that is read from files."""
    return data is None and configuration.data not in ("digits", "wine", "breast_cancer")


class Fingerprints:
    """Fingerprints of the data of several configurations. Each data set is loaded once."""

    def __init__(self, data: RunData | None, data_root: str | os.PathLike[str] | None) -> None:
        self._data, self._root = data, data_root
        self._found: dict[tuple[str, int], dict[str, Any]] = {}

    def of(self, configuration: Configuration) -> dict[str, Any]:
        """The fingerprint of the data that `splits_of` returns."""
        # Some data sets are split by the seed.
        key = (configuration.data, configuration.seed)
        if key not in self._found:
            splits = splits_of(configuration, self._data, self._root)
            self._found[key] = splits.fingerprint(configuration.data)
        return self._found[key]


def _arrays(name: str, data: Any) -> Arrays:
    x, y = validation.pair(f"data[{name!r}]", data)
    return _checked(name, validation.array_of("x", x), validation.targets(y, np.dtype(np.float64)))


def _checked(name: str, x: NDArray[Any], y: NDArray[Any]) -> Arrays:
    if x.ndim < 2 or not len(x) or len(x) != len(y):
        raise ValueError(
            f"the {name} data must be x, samples × features or × channels × height × width, and "
            f"y, one label per sample, got the shapes {x.shape} and {y.shape}"
        )
    return x, y


def read_npz(path: str | os.PathLike[str], *, seed: int) -> Splits:
    """Read data from a file of ``numpy.savez``.

    The file has the arrays ``x`` and ``y``, and may have ``x_test``, ``y_test``, ``x_validation``
    and ``y_validation``. If it has no test set, a fifth of the samples, stratified by class,
    becomes the test set. Images of type uint8 are divided by 255. An array samples × height ×
    width contains images of one channel.

    Parameters
    ----------
    path : path
        The file. No code in it is executed.
    seed : int
        The seed of the split into training and test data.

    Raises
    ------
    ValueError
        If the file is not an .npz file, or lacks an array.
    OSError
        If the file cannot be read.
    """
    path = Path(path).expanduser()
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"{path} is not an .npz file of arrays: {error}") from error
    if "x" not in arrays:
        names = ", ".join(arrays) or "none"
        raise ValueError(f"{path} must have the arrays x and y, found {names}")
    found: dict[str, Arrays] = {}
    for part, suffix in (("train", ""), ("validation", "_validation"), ("test", "_test")):
        x, y = arrays.get(f"x{suffix}"), arrays.get(f"y{suffix}")
        if (x is None) != (y is None):
            raise ValueError(f"{path} must have both x{suffix} and y{suffix}, or neither")
        if x is not None and y is not None:
            found[part] = _checked(part, _images(x), validation.targets(y, np.dtype(np.float64)))
    if "test" not in found:
        x, y = found["train"]
        train, test = stratified(y, _TEST_FRACTION, seed)
        found |= {"train": (x[train], y[train]), "test": (x[test], y[test])}
    return Splits(**found, path=str(path.absolute()))


def _images(x: NDArray[Any]) -> NDArray[Any]:
    if x.ndim == 3:
        x = x[:, None]
    return np.divide(x, 255, dtype=np.float32) if x.dtype == np.uint8 else x
