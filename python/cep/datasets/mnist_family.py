"""MNIST and the data sets in its format: the same names, shapes and numbers of files."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from cep.datasets.files import Contents, Source, locate, unexpected
from cep.datasets.idx import read_idx
from cep.datasets.types import Dataset, FilePath

# The files of each are in the order of loading.
MNIST = Source(
    title="MNIST",
    folders=("", "mnist", "MNIST/raw"),
    download_folder="mnist",
    checksums={
        "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
        "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
        "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
    },
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)
FASHION_MNIST = Source(
    title="Fashion-MNIST",
    folders=("", "fashion-mnist", "fashion_mnist", "FashionMNIST/raw"),
    download_folder="fashion-mnist",
    checksums={
        "train-images-idx3-ubyte.gz": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "train-labels-idx1-ubyte.gz": "25c81989df183df01b3e8a0aad5dffbe",
        "t10k-images-idx3-ubyte.gz": "bef4ecab320f06d8554ea6380940ec79",
        "t10k-labels-idx1-ubyte.gz": "bb300cfdad3c16e7a12a480ee83cd310",
    },
    mirrors=(
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
)
KMNIST = Source(
    title="KMNIST",
    folders=("", "kmnist", "KMNIST/raw"),
    download_folder="kmnist",
    checksums={
        "train-images-idx3-ubyte.gz": "bdb82020997e1d708af4cf47b453dcf7",
        "train-labels-idx1-ubyte.gz": "e144d726b3acfaa3e44228e80efcd344",
        "t10k-images-idx3-ubyte.gz": "5c965bf0a639b31b8f53240b1b52f4d7",
        "t10k-labels-idx1-ubyte.gz": "7320c461ea6c1c855c0b718fb2a4b134",
    },
    mirrors=("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
)
_FAMILY = (MNIST, FASHION_MNIST, KMNIST)

# The MD5 of the unpacked files, in the same order.
_UNPACKED = {
    "6bbc9ace898e44ae57da46a324031adb": MNIST,
    "a25bea736e30d166cdddb491f175f624": MNIST,
    "2646ac647ad5339dbf082846283269ea": MNIST,
    "27ae3e4e09519cfbb04c329615203637": MNIST,
    "f4a8712d7a061bf5bd6d2ca38dc4d50a": FASHION_MNIST,
    "9018921c3c673c538a1fc5bad174d6f9": FASHION_MNIST,
    "8181f5470baa50b63fa0f6fddb340f0a": FASHION_MNIST,
    "15d484375f8d13e6eb1aabb0c3f46965": FASHION_MNIST,
}


def mnist(root: FilePath | None = None) -> tuple[Dataset, Dataset]:
    """Load MNIST from its folder. If it is not found, download it once.

    The four IDX files may be gzipped or not, named as published (``train-images-idx3-ubyte``) or
    with a dot (``train-images.idx3-ubyte``), in the folder itself, in ``mnist`` or in ``MNIST/raw``
    (torchvision's layout) below it. Downloads are compared with the published checksums. Local
    files are not checked, except that a folder does not count if its checksums are those of
    Fashion-MNIST or KMNIST, whose files have the same names. Source: Y. LeCun, C. Cortes,
    C. J. C. Burges, "The MNIST database of handwritten digits", 1998.

    Parameters
    ----------
    root : path, optional
        The only folder to search. Default: the one that ``CEP_DATA`` (environment) names, if
        any, then the user's cache (``pooch.os_cache("cep")``; a download goes to ``mnist`` there).

    Returns
    -------
    (x, y), (x_test, y_test) : tuple of tuple of numpy.ndarray
        Training and test set, as published 60,000 and 10,000 samples. x: float32, C-contiguous,
        shape (images, 784), pixel / 255, in [0, 1]. y: int64, shape (images,), classes 0 to 9.

    Raises
    ------
    FileNotFoundError
        If `root` does not have the files, or they are not found and every mirror failed, or the
        folder for downloads holds another data set.
    ValueError
        If a file is damaged (see :func:`read_idx`) or does not hold 28x28 images or labels of ten
        classes.
    ImportError
        If the files are not in ``CEP_DATA`` and pooch, which manages the cache, is not installed.
    """
    return _load(MNIST, root)


def fashion_mnist(root: FilePath | None = None) -> tuple[Dataset, Dataset]:
    """Load Fashion-MNIST, ten kinds of clothing in MNIST's form, as :func:`mnist` loads MNIST.

    The folders searched are the folder itself and ``fashion-mnist``, ``fashion_mnist`` and
    ``FashionMNIST/raw`` (torchvision's layout) below it. A folder does not count if its checksums
    are those of MNIST or KMNIST. Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel
    Image Dataset for Benchmarking Machine Learning Algorithms", 2017, arXiv 1708.07747. Licence:
    MIT.

    Parameters
    ----------
    root : path, optional
        As for :func:`mnist`. A download goes to ``fashion-mnist`` in the user's cache.

    Returns
    -------
    (x, y), (x_test, y_test) : tuple of tuple of numpy.ndarray
        As for :func:`mnist`. The classes are T-shirt/top, trouser, pullover, dress, coat, sandal,
        shirt, sneaker, bag and ankle boot.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As :func:`mnist`.
    """
    return _load(FASHION_MNIST, root)


def kmnist(root: FilePath | None = None) -> tuple[Dataset, Dataset]:
    """Load Kuzushiji-MNIST, ten cursive hiragana in MNIST's form, as :func:`mnist` loads MNIST.

    The folders searched are the folder itself and ``kmnist`` and ``KMNIST/raw`` (torchvision's
    layout) below it. A folder does not count if its checksums are those of MNIST or Fashion-MNIST.
    Source: T. Clanuwat et al., "Deep Learning for Classical Japanese Literature", 2018,
    arXiv 1812.01718. Licence: CC BY-SA 4.0, which requires attribution. Its authors suggest
    '"KMNIST Dataset" (created by CODH), adapted from "Kuzushiji Dataset" (created by NIJL and
    others), doi:10.20676/00000341'.

    Parameters
    ----------
    root : path, optional
        As for :func:`mnist`. A download goes to ``kmnist`` in the user's cache.

    Returns
    -------
    (x, y), (x_test, y_test) : tuple of tuple of numpy.ndarray
        As for :func:`mnist`. The classes are o, ki, su, tsu, na, ha, ma, ya, re and wo.

    Raises
    ------
    FileNotFoundError, ValueError, ImportError
        As :func:`mnist`.
    """
    return _load(KMNIST, root)


def _load(source: Source, root: FilePath | None) -> tuple[Dataset, Dataset]:
    found = locate(source, lambda folder: _inspect(source, folder), root)
    images, labels, test_images, test_labels = (found[file] for file in source.checksums)
    return _read_pair(images, labels), _read_pair(test_images, test_labels)


def _inspect(source: Source, folder: Path) -> Contents:
    files, missing = {}, []
    for file in source.checksums:
        name = file.removesuffix(".gz")
        stems = (name, name.replace("-idx", ".idx"))
        variants = (folder / f"{stem}{end}" for stem in stems for end in (".gz", ""))
        if path := next(filter(Path.is_file, variants), None):
            files[file] = path
        else:
            missing.append(name)
    known = _recognise(files.values())
    other = known.title if known not in (None, source) else ""
    return Contents(files, tuple(missing), other)


def _recognise(paths: Iterable[Path]) -> Source | None:
    """Return the data set that files belong to, by the first known checksum.

    Labels are the smallest files and come first, so mostly no other file is read.
    """
    for path in sorted(paths, key=lambda path: path.stat().st_size):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
        checksum = digest.hexdigest()
        for source in _FAMILY:
            if checksum in source.checksums.values():
                return source
        if checksum in _UNPACKED:
            return _UNPACKED[checksum]
    return None


def _read_pair(images_path: Path, labels_path: Path) -> Dataset:
    images, labels = read_idx(images_path), read_idx(labels_path)
    count = len(images)
    if images.dtype != np.uint8 or images.shape != (count, 28, 28):
        raise unexpected(images_path, "28x28 uint8 images", f"{images.dtype} {images.shape}")
    if labels.dtype != np.uint8 or labels.shape != (count,):
        raise unexpected(labels_path, f"{count} uint8 labels", f"{labels.dtype} {labels.shape}")
    if np.any(labels > 9):
        raise unexpected(labels_path, "labels from 0 to 9", labels.max())
    # The dtype avoids a temporary float64 array of 376 MB.
    x = np.divide(images.reshape(count, 28 * 28), 255, dtype=np.float32)
    return x, labels.astype(np.int64)
