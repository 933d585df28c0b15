"""CIFAR-10 in its binary version; no pickle is read."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from cep.datasets.files import Contents, Source, locate, unexpected
from cep.datasets.types import Dataset, FilePath

_ARCHIVE = "cifar-10-binary.tar.gz"
CIFAR10 = Source(
    title="CIFAR-10",
    folders=("cifar-10-batches-bin", "", "cifar-10/cifar-10-batches-bin", "cifar-10"),
    download_folder="cifar-10",
    checksums={_ARCHIVE: "c32a1d4ab5d03f1284b67883e8d87530"},
    mirrors=("https://www.cs.toronto.edu/~kriz/",),
)
_TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
_FILES = (*_TRAIN, "test_batch.bin")
_SHAPE = (3, 32, 32)
_RECORD_BYTES = 1 + 3 * 32 * 32
_RECORDS = 10_000  # In each file.
_CHUNK_BYTES = 1 << 20


def cifar10(root: FilePath | None = None) -> tuple[Dataset, Dataset]:
    """Load CIFAR-10, colour images of ten classes. If it is not found, download it once.

    The folder may hold ``cifar-10-batches-bin``, the six files of that (``data_batch_1.bin`` to
    ``data_batch_5.bin`` and ``test_batch.bin``), or ``cifar-10-binary.tar.gz``, which is read
    without being unpacked to the disk; all of them may be in ``cifar-10`` below it. This is the
    binary version; the pickled one (``cifar-10-python.tar.gz``) is never read. A download, of 162
    MB, is compared with the published checksum; checksums of local files are not checked. Source:
    A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
    https://www.cs.toronto.edu/~kriz/cifar.html. The page states no licence, and asks for a
    reference to the report.

    Parameters
    ----------
    root : path, optional
        The only folder to look in. Default: the one that ``CEP_DATA`` (environment) names, if
        any, then the user's cache (``pooch.os_cache("cep")``; a download goes to ``cifar-10``
        there).

    Returns
    -------
    (x, y), (x_test, y_test) : tuple of tuple of numpy.ndarray
        Training and test set, 50,000 and 10,000 samples. x: float32, C-contiguous, shape
        (images, 3, 32, 32), channels red, green, blue, then rows and columns; pixel / 255, in
        [0, 1]. y: int64, shape (images,), classes 0 to 9: airplane, automobile, bird, cat, deer,
        dog, frog, horse, ship and truck.

    Raises
    ------
    FileNotFoundError
        If `root` does not have the files, or they are not found and every mirror failed.
    ValueError
        A file is not 10,000 records of a label from 0 to 9 and 3072 bytes, or the archive is
        damaged or lacks a file.
    ImportError
        If the files are not in ``CEP_DATA`` and pooch, which manages the cache, is not installed.
    """
    found = locate(CIFAR10, _inspect, root)
    x, y = _empty(len(_TRAIN))
    x_test, y_test = _empty(1)
    batches = [*zip(x, y, strict=True), *zip(x_test, y_test, strict=True)]
    for name, place, content in _contents(found):
        _decode(place, content, *batches[_FILES.index(name)])
    return (x.reshape(-1, *_SHAPE), y.reshape(-1)), (x_test[0], y_test[0])


def _inspect(folder: Path) -> Contents:
    files = {name: folder / name for name in _FILES if (folder / name).is_file()}
    missing = tuple(name for name in _FILES if name not in files)
    if missing and (folder / _ARCHIVE).is_file():
        return Contents({_ARCHIVE: folder / _ARCHIVE}, missing=())
    return Contents(files, missing)


def _empty(batches: int) -> Dataset:
    x = np.empty((batches, _RECORDS, *_SHAPE), np.float32)
    return x, np.empty((batches, _RECORDS), np.int64)


def _contents(found: dict[str, Path]) -> Iterator[tuple[str, str, bytes]]:
    """Yield name, place and content of each file, with at most one surplus byte."""
    if _ARCHIVE in found:
        yield from _contents_of_archive(found[_ARCHIVE])
        return
    for name, path in found.items():
        with path.open("rb") as file:
            yield name, str(path), file.read(_RECORDS * _RECORD_BYTES + 1)


def _contents_of_archive(path: Path) -> Iterator[tuple[str, str, bytes]]:
    import tarfile  # Here, to keep `import cep` fast.

    missing = list(_FILES)
    largest = _RECORDS * _RECORD_BYTES
    try:
        # The mode "r|" reads forward only. In other modes a forged size can send tarfile backwards.
        with gzip.open(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                # Before tarfile skips the data, because skipping a forged size would take hours.
                if member.size > largest or member.issparse():
                    raise tarfile.ReadError(f"{member.name}: more than {largest} bytes, or sparse")
                name = PurePosixPath(member.name).name
                if member.isreg() and name in missing:
                    missing.remove(name)
                    file = archive.extractfile(member)
                    assert file is not None  # It is a regular file.
                    yield name, f"{path}: {name}", file.read()
            # Gzip compares its checksum at the end.
            while stream.read(_CHUNK_BYTES):
                pass
    # tarfile raises ValueError if it reads a word instead of a number.
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise unexpected(path, "a complete tar.gz archive", f"damage ({error})") from error
    if missing:
        raise unexpected(path, f"{len(_FILES)} files", f"no {', '.join(missing)}")


def _decode(
    place: str, content: bytes, x: npt.NDArray[np.float32], y: npt.NDArray[np.int64]
) -> None:
    expected = _RECORDS * _RECORD_BYTES
    if len(content) != expected:
        found = "more" if len(content) > expected else len(content)
        raise unexpected(place, f"{expected} bytes ({_RECORDS} records of {_RECORD_BYTES})", found)
    records = np.frombuffer(content, np.uint8).reshape(_RECORDS, _RECORD_BYTES)
    y[:] = records[:, 0]
    if np.any(y > 9):
        raise unexpected(place, "labels from 0 to 9", y.max())
    np.divide(records[:, 1:].reshape(x.shape), 255, out=x, dtype=np.float32)
