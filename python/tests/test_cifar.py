"""CIFAR-10 is found in all supported places, downloaded once, and refused if it is damaged."""

import hashlib
import os
import pickle
import re
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cifar_files import (
    ARCHIVE,
    FILES,
    FOLDER,
    archive_bytes,
    assert_holds_cifar,
    fake_cifar,
    write_cifar,
)
from dataset_files import Answer, files_below

from cep import datasets
from cep.datasets import cifar

pytestmark = pytest.mark.once

# Files that are there


@pytest.mark.parametrize(
    ("below", "archive"),
    [
        ("", False), (FOLDER, False), ("cifar-10", False), (f"cifar-10/{FOLDER}", False),
        ("", True), ("cifar-10", True),
    ],
)  # fmt: skip
def test_every_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str, archive: bool
) -> None:
    """The files, their folder, or the archive; checksums are not checked."""
    batches = fake_cifar(3, monkeypatch)
    write_cifar(tmp_path / below, batches, archive=archive)
    before = files_below(tmp_path)
    assert_holds_cifar(datasets.cifar10(tmp_path), batches)
    assert_holds_cifar(datasets.cifar10(str(tmp_path)), batches)
    assert files_below(tmp_path) == before


def test_each_byte_is_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A label; then red, green and blue, each row by row."""
    batches = fake_cifar(2, monkeypatch)
    write_cifar(tmp_path, batches)
    content = bytearray((tmp_path / FILES[2]).read_bytes())
    record = bytes(position % 251 for position in range(3072))
    content[3073:] = bytes([7]) + record
    (tmp_path / FILES[2]).write_bytes(content)
    (x, y), _ = datasets.cifar10(tmp_path)
    assert y[2 * 2 + 1] == 7
    image = x[2 * 2 + 1]
    for channel in range(3):
        for row in range(32):
            for column in range(32):
                expected = np.float32(record[1024 * channel + 32 * row + column] / 255)
                assert image[channel, row, column] == expected


def test_pixels_are_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of the 256 values is the float32 nearest to value / 255."""
    batches = fake_cifar(1, monkeypatch)
    batches[FILES[0]][1].reshape(-1)[:256] = np.arange(256)
    write_cifar(tmp_path, batches)
    (x, _), _ = datasets.cifar10(tmp_path)
    np.testing.assert_array_equal(x.reshape(-1)[:256], (np.arange(256) / 255).astype(np.float32))


def test_places_have_an_order(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """First root alone, then CEP_DATA, then the cache."""
    batches = fake_cifar(1, monkeypatch)
    for index, folder in enumerate((tmp_path / "root", tmp_path / "environment", cache)):
        batches[FILES[0]][0][0] = index
        write_cifar(folder, batches, archive=index > 0)

    def loaded(root: Path | None = None) -> int:
        return int(datasets.cifar10(root)[0][1][0])

    assert loaded() == 2
    monkeypatch.setenv("CEP_DATA", "")
    assert loaded() == 2
    monkeypatch.setenv("CEP_DATA", str(tmp_path / "environment"))
    assert loaded() == 1
    assert loaded(tmp_path / "root") == 0
    (tmp_path / "environment" / ARCHIVE).unlink()
    assert loaded() == 2


def test_an_incomplete_folder_is_not_the_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive next to it is used, if it exists."""
    batches = fake_cifar(2, monkeypatch)
    write_cifar(tmp_path / FOLDER, batches)
    (tmp_path / FOLDER / FILES[1]).unlink()
    (tmp_path / FOLDER / FILES[5]).unlink()
    (tmp_path / FOLDER / FILES[5]).mkdir()
    with pytest.raises(FileNotFoundError) as caught:
        datasets.cifar10(tmp_path)
    message = str(caught.value)
    for expected in (
        "CIFAR-10 was not found",
        f"\n  {tmp_path / FOLDER} (lacks {FILES[1]}, {FILES[5]})\n",
        f"\n  {tmp_path}\n", f"\n  {tmp_path / 'cifar-10' / FOLDER}\n", ARCHIVE, "CEP_DATA",
    ):  # fmt: skip
        assert expected in message
    write_cifar(tmp_path, batches, archive=True)
    assert_holds_cifar(datasets.cifar10(tmp_path), batches)


def test_the_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde in root or CEP_DATA is the user's home."""
    monkeypatch.setenv("HOME" if os.name != "nt" else "USERPROFILE", str(tmp_path))
    monkeypatch.setenv("CEP_DATA", "~/data")
    batches = fake_cifar(1, monkeypatch)
    write_cifar(tmp_path / "data", batches)
    assert_holds_cifar(datasets.cifar10(), batches)
    assert_holds_cifar(datasets.cifar10("~/data"), batches)


def test_files_that_are_there_need_no_pooch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users with local files need no extra."""
    monkeypatch.setitem(sys.modules, "pooch", None)
    monkeypatch.setenv("CEP_DATA", str(tmp_path))
    batches = fake_cifar(1, monkeypatch)
    write_cifar(tmp_path, batches, archive=True)
    assert_holds_cifar(datasets.cifar10(), batches)


def test_the_pickled_version_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither under its own names nor under those of the binary version."""
    fake_cifar(1, monkeypatch)

    class Harm:
        def __reduce__(self) -> tuple[object, ...]:
            return (pytest.fail, ("a pickle was read",))

    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"")
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(pickle.dumps(Harm()))
    with pytest.raises(FileNotFoundError):
        datasets.cifar10(tmp_path)
    for file in FILES:
        (tmp_path / file).write_bytes(pickle.dumps(Harm()))
    with pytest.raises(ValueError, match="expected 3073 bytes"):
        datasets.cifar10(tmp_path)


# Damage


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(
    ("length", "found"), [(0, "0"), (1, "1"), (3073, "3073"), (6145, "6145"), (6147, "more"),
                          (9219, "more")],
)  # fmt: skip
def test_a_file_of_another_length_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, length: int, found: str
) -> None:
    """Cut anywhere, also between records, or longer."""
    batches = fake_cifar(2, monkeypatch)
    write_cifar(tmp_path, batches)
    content = (tmp_path / file).read_bytes() + bytes(2 * 3073)
    (tmp_path / file).write_bytes(content[:length])
    message = f"{tmp_path / file}: expected 6146 bytes (2 records of 3073), found {found}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        datasets.cifar10(tmp_path)


def test_the_published_length(tmp_path: Path) -> None:
    """10,000 records per file; the tests expect fewer."""
    for file in FILES:
        (tmp_path / file).write_bytes(bytes(3073))
    with pytest.raises(ValueError, match=r"expected 30730000 bytes \(10000 records of 3073\)"):
        datasets.cifar10(tmp_path)


@pytest.mark.parametrize("label", [10, 255])
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("archive", [True, False])
def test_a_label_above_9_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, label: int, file: str, archive: bool
) -> None:
    """As another file or CIFAR-100 would have."""
    batches = fake_cifar(3, monkeypatch)
    batches[file][0][1] = label
    write_cifar(tmp_path, batches, archive=archive)
    place = f"{tmp_path / ARCHIVE}: {file}" if archive else str(tmp_path / file)
    message = f"{place}: expected labels from 0 to 9, found {label}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        datasets.cifar10(tmp_path)


# Memory


@pytest.mark.parametrize("archive", [True, False])
def test_memory_is_that_of_the_result_and_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: bool
) -> None:
    """A file has one byte per pixel; a float64 copy would have eight."""
    write_cifar(tmp_path, fake_cifar(400, monkeypatch), archive=archive)
    tracemalloc.start()
    loaded = datasets.cifar10(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    result = sum(array.nbytes for part in loaded for array in part)
    file = 400 * 3073
    assert peak < result + 3 * file + (1 << 20)


# Downloads


def published(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """Make a checksum the published one."""
    monkeypatch.setitem(cifar.CIFAR10.checksums, ARCHIVE, hashlib.md5(content).hexdigest())


def test_the_archive_is_downloaded_once(
    cache: Path, serve: Callable[[Answer], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One file in the cache, never unpacked; the second call is local."""
    batches = fake_cifar(2, monkeypatch)
    content = archive_bytes(batches)
    published(monkeypatch, content)
    requested = serve(lambda _: content)
    assert_holds_cifar(datasets.cifar10(), batches)
    assert_holds_cifar(datasets.cifar10(), batches)
    assert requested == [f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"]
    assert [path.relative_to(cache).as_posix() for path in cache.rglob("*.*")] == [
        f"cifar-10/{ARCHIVE}"
    ]


def test_the_archive_completes_an_incomplete_cache(
    cache: Path, serve: Callable[[Answer], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of an incomplete set are neither used nor removed."""
    batches = fake_cifar(2, monkeypatch)
    content = archive_bytes(batches)
    published(monkeypatch, content)
    (cache / "cifar-10").mkdir(parents=True)
    (cache / "cifar-10" / FILES[0]).write_bytes(b"something")
    serve(lambda _: content)
    assert_holds_cifar(datasets.cifar10(), batches)
    assert files_below(cache) == {FILES[0], ARCHIVE}


@pytest.mark.parametrize("failure", ["refused", "other content"])
def test_a_failed_download_is_told(
    tmp_path: Path,
    cache: Path,
    serve: Callable[[Answer], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    failure: str,
) -> None:
    """The message has the places searched, the files needed and the reason; no part stays."""
    import requests

    content = archive_bytes(fake_cifar(2, monkeypatch))
    published(monkeypatch, content)
    monkeypatch.setenv("CEP_DATA", str(tmp_path / "environment"))

    def answer(url: str) -> bytes:
        if failure == "refused":
            raise requests.ConnectionError(f"no route to {url}")
        return content[:-1]

    serve(answer)
    with pytest.raises(FileNotFoundError) as caught:
        datasets.cifar10()
    message = str(caught.value)
    for base in (tmp_path / "environment", cache):
        for below in ("", FOLDER, "cifar-10", f"cifar-10/{FOLDER}"):
            assert f"\n  {base / below}\n" in message
    reason = "no route to" if failure == "refused" else "hash"
    assert f"Downloads failed:\n  https://www.cs.toronto.edu/~kriz/{ARCHIVE}: " in message
    assert reason in message
    assert files_below(cache) == set()


def test_the_published_checksum_is_asked_for(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checksum that pooch compares with."""
    import pooch

    asked = []
    batches = fake_cifar(1, monkeypatch)

    def retrieve(url: str, known_hash: str, *, fname: str, path: Path) -> str:
        asked.append((fname, known_hash))
        write_cifar(path, batches, archive=True)
        return str(path / fname)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    assert_holds_cifar(datasets.cifar10(), batches)
    assert asked == [(ARCHIVE, "md5:c32a1d4ab5d03f1284b67883e8d87530")]
