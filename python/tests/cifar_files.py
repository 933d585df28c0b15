"""Files of CIFAR-10, made up for the tests of cep.datasets."""

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from cep.datasets import cifar

ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
FILES = [
    "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
    "data_batch_5.bin", "test_batch.bin",
]  # fmt: skip

Batches = dict[str, tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]]


def fake_cifar(records: int, monkeypatch: pytest.MonkeyPatch) -> Batches:
    """Return labels and images of each file, and set the loader's number of records."""
    monkeypatch.setattr(cifar, "_RECORDS", records)
    generator = np.random.default_rng(0)
    return {
        file: (
            generator.integers(0, 10, records, dtype=np.uint8),
            generator.integers(0, 256, (records, 3, 32, 32), dtype=np.uint8),
        )
        for file in FILES
    }


def batch_bytes(labels: npt.NDArray[np.uint8], images: npt.NDArray[np.uint8]) -> bytes:
    """Return the content of a file: labels, each followed by its image."""
    return b"".join(
        bytes([label]) + image.tobytes() for label, image in zip(labels, images, strict=True)
    )


def members(batches: Batches) -> dict[str, bytes]:
    """Return the contents of the archive, in the published order."""
    contents = {f"{FOLDER}/{file}": batch_bytes(*batch) for file, batch in batches.items()}
    order = [4, 0, 3, 5, 2, 1]
    return {
        f"{FOLDER}/readme.html": b"<meta>",
        **{f"{FOLDER}/{FILES[each]}": contents[f"{FOLDER}/{FILES[each]}"] for each in order},
        f"{FOLDER}/batches.meta.txt": b"airplane\n",
    }


def tar_bytes(contents: dict[str, bytes]) -> bytes:
    """Return a tar file with a folder and these files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        folder = tarfile.TarInfo(FOLDER)
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def archive_bytes(batches: Batches) -> bytes:
    """Return the archive."""
    return gzip.compress(tar_bytes(members(batches)), compresslevel=1, mtime=0)


def write_cifar(folder: Path, batches: Batches, *, archive: bool = False) -> None:
    """Write the files, or the archive of them, into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if archive:
        (folder / ARCHIVE).write_bytes(archive_bytes(batches))
        return
    for file, batch in batches.items():
        (folder / file).write_bytes(batch_bytes(*batch))


def assert_holds_cifar(loaded: Any, batches: Batches) -> None:
    """Compare the arrays returned by cifar10() with those in the files."""
    (x, y), (x_test, y_test) = loaded
    train = [batches[file] for file in FILES[:5]]
    for given_x, given_y, parts in ((x, y, train), (x_test, y_test, [batches[FILES[5]]])):
        labels = np.concatenate([part[0] for part in parts])
        images = np.concatenate([part[1] for part in parts])
        assert (given_x.shape, given_x.dtype) == (images.shape, np.float32)
        assert (given_y.shape, given_y.dtype) == (labels.shape, np.int64)
        assert given_x.flags.c_contiguous
        assert given_x.flags.writeable
        np.testing.assert_array_equal(np.round(given_x * 255), images)
        np.testing.assert_allclose(given_x, images / 255, rtol=1e-7)
        np.testing.assert_array_equal(given_y, labels)
