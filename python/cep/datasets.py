"""Data sets for tests, examples and the paper's experiments.

Images are rows of float32 in [0, 1], classes are int64. scikit-learn and pooch are optional
(``pip install 'cep[datasets]'``): :func:`mnist` on files already there and :func:`read_idx` need
neither, so they are imported only where they are used.
"""

import gzip
import importlib
import io
import math
import os
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["digits", "load", "mnist", "read_idx", "split"]
Dataset = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]

# Of the data sets that `load` knows: pixels of an image. All of them show the digits 0 to 9.
FEATURES = {"digits": 64, "mnist": 784}
CLASSES = 10
_DIGITS_TEST_IMAGES = 360

# The order of loading. The checksums are those of the published files, gzipped.
_MNIST_CHECKSUMS = {
    "train-images-idx3-ubyte": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte": "md5:d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte": "md5:9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte": "md5:ec29112dd5afa0611ce80d1b7f02629c",
}
_MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_IDX_MAXIMUM_DIMENSIONS = 32  # What every version of NumPy can hold.
_CHUNK_BYTES = 1 << 20


def load(
    name: str, root: str | os.PathLike[str] | None = None, *, seed: int = 0
) -> tuple[Dataset, Dataset]:
    """Load a data set by its name, as experiments use it.

    Parameters
    ----------
    name : {"digits", "mnist"}
        :func:`digits`, of which 360 are held out by :func:`split`, or :func:`mnist`.
    root : path, optional
        MNIST's folder.
    seed : int, default 0
        Of the digits' split.

    Returns
    -------
    (x, y), (x_test, y_test) : tuple of tuple of numpy.ndarray
        Training and test set.

    Raises
    ------
    ValueError
        There is no data set of this name, or as the functions named above.
    FileNotFoundError, ImportError
        As the functions named above.
    """
    if name not in FEATURES:
        raise ValueError(f"name must be {' or '.join(map(repr, FEATURES))}, got {name!r}")
    return mnist(root) if name == "mnist" else split(digits(), _DIGITS_TEST_IMAGES, seed=seed)


def digits() -> Dataset:
    """Return scikit-learn's handwritten digits: small, and there without a download.

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
    pixels, classes = _import_extra("sklearn.datasets").load_digits(return_X_y=True)
    return np.ascontiguousarray(pixels / 16, dtype=np.float32), classes.astype(np.int64)


def split(data: Dataset, test_size: int, *, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Split a data set at random, with each class in the same proportion on both sides.

    The samples are drawn by :func:`sklearn.model_selection.train_test_split` (``stratify=y``).

    Parameters
    ----------
    data : tuple of numpy.ndarray
        ``(x, y)``: samples x features, and one integer class a sample.
    test_size : int
        Samples in the test set. Both sides must have room for one sample of every class.
    seed : int, default 0
        Seed of the shuffle, 0 to 2**32 - 1. The same seed gives the same split.

    Returns
    -------
    (x, y), (x_test, y_test) : tuple of tuple of numpy.ndarray
        Training and test set: C-contiguous copies in the dtypes of `data`.

    Raises
    ------
    ValueError
        An argument is not as described, or a class has a single sample.
    ImportError
        scikit-learn is not installed.
    """
    if len(data) != 2 or not all(isinstance(part, np.ndarray) for part in data):
        raise ValueError("data must be a pair of arrays (x, y)")
    x, y = data
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise ValueError(f"y must hold one integer a sample; it is {y.dtype} of shape {y.shape}")
    if x.ndim == 0 or len(x) != len(y):
        raise ValueError(f"x of shape {x.shape} and y of shape {y.shape} differ in samples")
    classes, counts = np.unique(y, return_counts=True)
    if np.any(counts < 2):
        raise ValueError(f"every class needs 2 samples; class {classes[counts < 2][0]} has 1")
    _check_whole_number("test_size", test_size, len(classes), len(y) - len(classes))
    _check_whole_number("seed", seed, 0, 2**32 - 1)
    train, test = _import_extra("sklearn.model_selection").train_test_split(
        np.arange(len(y)), test_size=test_size, random_state=seed, stratify=y
    )
    return (np.ascontiguousarray(x[train]), y[train]), (np.ascontiguousarray(x[test]), y[test])


def mnist(root: str | os.PathLike[str] | None = None) -> tuple[Dataset, Dataset]:
    """Load MNIST from the folder it is in, downloading it once where it is nowhere.

    The four IDX files may be gzipped or not, named as published (``train-images-idx3-ubyte``) or
    with a dot (``train-images.idx3-ubyte``), in the folder itself, in ``mnist`` or in ``MNIST/raw``
    (torchvision's layout) below it. Files found are taken as they are; only what is downloaded is
    compared with the published checksums. Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST
    database of handwritten digits", 1998.

    Parameters
    ----------
    root : path, optional
        The only folder to look in. Default: the one that ``CEP_DATA`` (environment) names, if
        any, then the user's cache (``pooch.os_cache("cep")``; a download goes to ``mnist`` there).

    Returns
    -------
    (x, y), (x_test, y_test) : tuple of tuple of numpy.ndarray
        Training and test set, as published 60,000 and 10,000 samples. x: float32, C-contiguous,
        shape (images, 784), pixel / 255, in [0, 1]. y: int64, shape (images,), classes 0 to 9.

    Raises
    ------
    FileNotFoundError
        `root` has no such files, or they are nowhere and every mirror failed.
    ValueError
        A file is damaged (see :func:`read_idx`) or holds something other than MNIST.
    ImportError
        The files are not in ``CEP_DATA`` and pooch, which knows the cache, is not installed.
    """
    images, labels, test_images, test_labels = _locate_mnist(root)
    return _read_mnist_pair(images, labels), _read_mnist_pair(test_images, test_labels)


def read_idx(path: str | os.PathLike[str]) -> npt.NDArray[Any]:
    """Read an array from an IDX file, gzipped or not (the content decides, not the name).

    Format: http://yann.lecun.com/exdb/mnist/.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    numpy.ndarray
        Of the shape and type the file declares (uint8, int8, int16, int32, float32 or float64),
        C-contiguous, writable, in native byte order.

    Raises
    ------
    ValueError
        The header is not that of an IDX file, or declares fewer or more bytes than are there, or
        the compression is broken. Memory is taken only for bytes that are there.
    OSError
        The file cannot be opened or read.
    """
    path = Path(path)
    with path.open("rb") as file:
        compressed = file.peek(2)[:2] == b"\x1f\x8b"
        try:
            return _parse_idx(gzip.GzipFile(fileobj=file) if compressed else file, path)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _unexpected(path, "a whole gzip file", f"damage ({error})") from error


def _parse_idx(stream: io.BufferedIOBase, path: Path) -> npt.NDArray[Any]:
    magic = stream.read(4)
    if len(magic) < 4:
        raise _unexpected(path, "an IDX header of at least 4 bytes", len(magic))
    if magic[:2] != b"\0\0":
        raise _unexpected(path, "an IDX file to begin with 00 00", magic[:2].hex(" "))
    code, dimensions = magic[2], magic[3]
    if code not in _IDX_TYPES:
        raise _unexpected(path, f"one of type codes {bytes(_IDX_TYPES).hex(' ')}", f"{code:02x}")
    if not 1 <= dimensions <= _IDX_MAXIMUM_DIMENSIONS:
        raise _unexpected(path, f"1 to {_IDX_MAXIMUM_DIMENSIONS} dimensions", dimensions)
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise _unexpected(path, f"{dimensions} sizes in {4 * dimensions} bytes", len(sizes))
    shape, dtype = tuple(np.frombuffer(sizes, ">u4").tolist()), np.dtype(_IDX_TYPES[code])
    # NumPy refuses a shape whose other sizes overflow even where one of them is zero.
    if dtype.itemsize * math.prod(size or 1 for size in shape) > sys.maxsize:
        raise _unexpected(path, "sizes that can be addressed", shape)
    expected = dtype.itemsize * math.prod(shape)
    # One byte more than expected tells trailing bytes, and makes gzip verify its own checksum.
    # By chunks, because read() allocates what it is asked for before it knows what is there.
    content = bytearray()
    while chunk := stream.read(min(expected + 1 - len(content), _CHUNK_BYTES)):
        content += chunk
    if len(content) != expected:
        found = "more" if len(content) > expected else len(content)
        raise _unexpected(path, f"{expected} bytes of data for {dtype} of shape {shape}", found)
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _read_mnist_pair(images_path: Path, labels_path: Path) -> Dataset:
    images, labels = read_idx(images_path), read_idx(labels_path)
    count = len(images)
    if images.dtype != np.uint8 or images.shape != (count, 28, 28):
        raise _unexpected(images_path, "28x28 uint8 images", f"{images.dtype} {images.shape}")
    if labels.dtype != np.uint8 or labels.shape != (count,):
        raise _unexpected(labels_path, f"{count} uint8 labels", f"{labels.dtype} {labels.shape}")
    if np.any(labels > 9):
        raise _unexpected(labels_path, "labels from 0 to 9", labels.max())
    # The dtype spares a float64 temporary of 376 MB.
    x = np.divide(images.reshape(count, 28 * 28), 255, dtype=np.float32)
    return x, labels.astype(np.int64)


def _locate_mnist(root: str | os.PathLike[str] | None) -> list[Path]:
    given = root if root is not None else os.environ.get("CEP_DATA") or None
    places = [] if given is None else _mnist_folders(given)
    found = _first_complete(places)
    if not found and root is not None:
        raise FileNotFoundError(_not_found(places))
    if not found:
        pooch = _import_extra("pooch")
        cache = _mnist_folders(pooch.os_cache("cep"))
        found = _first_complete(cache) or _complete(pooch, cache[1], places + cache)
    return [found[name] for name in _MNIST_CHECKSUMS]


def _mnist_folders(base: str | os.PathLike[str]) -> list[Path]:
    folder = Path(os.path.expanduser(base))
    return [folder, folder / "mnist", folder / "MNIST" / "raw"]


def _first_complete(places: list[Path]) -> dict[str, Path]:
    return next((files for files in map(_files_in, places) if len(files) == 4), {})


def _files_in(folder: Path) -> dict[str, Path]:
    files = {}
    for name in _MNIST_CHECKSUMS:
        stems = (name, name.replace("-idx", ".idx"))
        variants = (folder / f"{stem}{end}" for stem in stems for end in (".gz", ""))
        if path := next(filter(Path.is_file, variants), None):
            files[name] = path
    return files


def _complete(pooch: Any, folder: Path, places: list[Path]) -> dict[str, Path]:
    """Download what `folder` lacks; what the user put there stays."""
    files = _files_in(folder)
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        for name in [name for name in _MNIST_CHECKSUMS if name not in files]:
            files[name] = _download(pooch, name, folder, places)
    finally:
        logger.setLevel(level)
    return files


def _download(pooch: Any, name: str, folder: Path, places: list[Path]) -> Path:
    file, checksum, failures = f"{name}.gz", _MNIST_CHECKSUMS[name], ""
    for mirror in _MNIST_MIRRORS:
        try:
            # Pooch renames a temporary file once its checksum is right: no half file stays.
            return Path(pooch.retrieve(mirror + file, checksum, fname=file, path=folder))
        except (OSError, ValueError) as error:  # ValueError: the checksum is wrong.
            failures += f"\n  {mirror}{file}: {error}"
    raise FileNotFoundError(_not_found(places) + "\nDownloads failed:" + failures)


def _not_found(places: list[Path]) -> str:
    message = "MNIST was not found. Places looked at:"
    for place in places:
        present = _files_in(place)
        missing = [name for name in _MNIST_CHECKSUMS if name not in present]
        message += f"\n  {place}" + (f" (lacks {', '.join(missing)})" if present else "")
    return (
        f"{message}\nPut {', '.join(f'{name}.gz' for name in _MNIST_CHECKSUMS)}, or the same "
        "unpacked, in one folder; name it by root or by the environment variable CEP_DATA."
    )


def _unexpected(path: Path, expected: str, found: object) -> ValueError:
    return ValueError(f"{path}: expected {expected}, found {found}")


def _check_whole_number(name: str, value: Any, low: int, high: int) -> None:
    integer = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not (integer and low <= value <= high):
        raise ValueError(f"{name} must be a whole number from {low} to {high}; it is {value!r}")


def _import_extra(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{error}: pip install 'cep[datasets]'") from error
