"""The archive of CIFAR-10 is read correctly, or refused with the reason."""

import gzip
import io
import random
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cifar_files import (
    ARCHIVE,
    FILES,
    FOLDER,
    Batches,
    archive_bytes,
    assert_holds_cifar,
    fake_cifar,
    members,
    tar_bytes,
)
from dataset_files import files_below

from cep import datasets

pytestmark = pytest.mark.once


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> Batches:
    """Two images per file."""
    return fake_cifar(2, monkeypatch)


def write(folder: Path, tar: bytes) -> None:
    """Write an archive of these bytes."""
    (folder / ARCHIVE).write_bytes(gzip.compress(tar, compresslevel=1, mtime=0))


def read_or_refused(folder: Path) -> tuple[Any, str]:
    """Return what was loaded, or None and the message of a ValueError that names the archive."""
    try:
        return datasets.cifar10(folder), ""
    except ValueError as error:
        message = str(error)
    assert message.startswith(f"{folder / ARCHIVE}: ")
    assert ": expected " in message
    assert ", found " in message
    return None, message


def refused(folder: Path) -> str:
    """Return the message of the error."""
    loaded, message = read_or_refused(folder)
    assert loaded is None
    return message


def test_any_order_of_files(tmp_path: Path, batches: Batches) -> None:
    """The name determines the batch, not the position in the archive."""
    contents = list(members(batches).items())
    for seed in range(5):
        random.Random(seed).shuffle(contents)
        write(tmp_path, tar_bytes(dict(contents)))
        assert_holds_cifar(datasets.cifar10(tmp_path), batches)


def test_other_members_are_left_alone(tmp_path: Path, batches: Batches) -> None:
    """Paths of the archive are not written to, and links are not followed."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name in ("../escaped.txt", str(tmp_path / "absolute.txt")):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"harm"))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            member = tarfile.TarInfo(f"{FOLDER}/{FILES[0]}")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        for name, content in members(batches).items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    folder = tmp_path / "inner"
    folder.mkdir()
    write(folder, stream.getvalue())
    assert_holds_cifar(datasets.cifar10(folder), batches)
    assert files_below(tmp_path) == {ARCHIVE}


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_named(tmp_path: Path, batches: Batches, file: str) -> None:
    contents = members(batches)
    del contents[f"{FOLDER}/{file}"]
    write(tmp_path, tar_bytes(contents))
    assert refused(tmp_path).endswith(f"expected 6 files, found no {file}")


@pytest.mark.parametrize("length", [0, 3073, 6145, 6147])
def test_a_file_of_another_length_is_named(tmp_path: Path, batches: Batches, length: int) -> None:
    contents = members(batches)
    name = f"{FOLDER}/{FILES[3]}"
    contents[name] = (contents[name] + b"\0")[:length]
    write(tmp_path, tar_bytes(contents))
    expected = (
        f"found damage ({name}: more than 6146 bytes, or sparse)"
        if length == 6147
        else f"{FILES[3]}: expected 6146 bytes (2 records of 3073), found {length}"
    )
    assert refused(tmp_path).endswith(expected)


def test_every_truncation_is_refused(tmp_path: Path, batches: Batches) -> None:
    """Truncations of the compressed archive, and of the tar file in it."""
    whole = archive_bytes(batches)
    for length in (*range(0, len(whole), 499), *range(len(whole) - 12, len(whole))):
        (tmp_path / ARCHIVE).write_bytes(whole[:length])
        refused(tmp_path)
    tar = tar_bytes(members(batches))
    end = tar.rindex(b"airplane\n")  # Missing data after the last batch are not noticed.
    for length in range(0, end - 1024, 511):
        write(tmp_path, tar[:length])
        refused(tmp_path)


def test_any_flipped_bit_is_harmless_or_refused(tmp_path: Path, batches: Batches) -> None:
    """Gzip's checksum protects the whole archive: 200 bits of the data, all of header and end."""
    whole = archive_bytes(batches)
    bits = [
        *range(80),
        *random.Random(0).sample(range(80, 8 * len(whole) - 64), 200),
        *range(8 * len(whole) - 64, 8 * len(whole)),
    ]
    harmless = 0
    for bit in bits:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / ARCHIVE).write_bytes(damaged)
        loaded, _ = read_or_refused(tmp_path)
        if loaded is not None:
            harmless += 1
            assert_holds_cifar(loaded, batches)
    assert harmless <= 80


def test_any_changed_byte_of_the_headers_is_read_or_refused(
    tmp_path: Path, batches: Batches
) -> None:
    """With a correct checksum of the header, only ValueErrors occur."""
    tar = tar_bytes(members(batches))
    header = (
        512 * 3
    )  # The header of the first batch, after the folder and the page with its header.
    assert tar[header:].startswith(f"{FOLDER}/".encode())
    kind = 156
    for position in [*range(0, 100, 20), *range(124, 136), kind, *range(157, 512, 20)]:
        for value in range(256) if position == kind else (0, 49, 128, 255):
            damaged = bytearray(tar)
            damaged[header + position] = value
            write(tmp_path, with_checksum(damaged, header))
            loaded, _ = read_or_refused(tmp_path)
            if loaded is not None:
                assert_holds_cifar(loaded, batches)


def with_checksum(tar: bytearray, header: int) -> bytes:
    """Return the tar file with the right checksum in a header."""
    tar[header + 148 : header + 156] = b" " * 8
    total = sum(tar[header : header + 512])
    tar[header + 148 : header + 156] = b"%06o\0 " % total
    return bytes(tar)


@pytest.mark.parametrize(
    "size",
    [
        b"77777777777\0",
        b"\x80" + (2**62).to_bytes(11, "big"),
        b"\x80" + (2**87).to_bytes(11, "big"),
        b"\xff" + (-512 % 2**88).to_bytes(11, "big"),
        b"\xff" + (-(2**40) % 2**88).to_bytes(11, "big"),
    ],
    ids=["8 GB", "exabytes", "more", "less than nothing", "far less"],
)
@pytest.mark.parametrize("kind", [b"0", b"5", b"L", b"x", b"S", b"7"])
def test_a_forged_size_is_refused_at_once(
    tmp_path: Path, batches: Batches, size: bytes, kind: bytes
) -> None:
    """For a file, a folder, a long name, attributes, a sparse file and an unknown kind."""
    tar = bytearray(tar_bytes(members(batches)))
    header = 512
    tar[header + 124 : header + 136] = size
    tar[header + 156 : header + 157] = kind
    write(tmp_path, with_checksum(tar, header))
    tracemalloc.start()
    loaded, _ = read_or_refused(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20
    if loaded is not None:  # The size of the first folder is ignored.
        assert_holds_cifar(loaded, batches)


def test_a_sparse_file_is_refused(tmp_path: Path, batches: Batches) -> None:
    """It could have any length without content."""
    tar = bytearray(tar_bytes(members(batches)))
    header = 512
    tar[header + 156 : header + 157] = b"S"
    tar[header + 257 : header + 265] = b"ustar  \0"
    tar[header + 483 : header + 495] = b"00000000100\0"
    write(tmp_path, with_checksum(tar, header))
    refused(tmp_path)


@pytest.mark.parametrize(
    "attributes",
    [
        {"size": "many"}, {"size": "9" * 30}, {"size": "-5"}, {"GNU.sparse.size": "many"},
        {"GNU.sparse.realsize": "9" * 30}, {"GNU.sparse.map": "0,many"},
        {"GNU.sparse.map": "0," + "9" * 30}, {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"},
    ],
    ids=repr,
)  # fmt: skip
def test_forged_attributes_are_refused(
    tmp_path: Path, batches: Batches, attributes: dict[str, str]
) -> None:
    """Numbers in POSIX extended headers that are invalid or too large."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members(batches).items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.pax_headers = attributes if name.endswith(FILES[0]) else {}
            archive.addfile(member, io.BytesIO(content))
    write(tmp_path, stream.getvalue())
    refused(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        lambda tar: b"",
        lambda tar: b"not a gzip file",
        lambda tar: tar,
        lambda tar: gzip.compress(b""),
        lambda tar: gzip.compress(b"not a tar file" * 100),
        lambda tar: gzip.compress(tar) + b"rest",
    ],
    ids=["empty", "text", "not compressed", "nothing in it", "no tar file in it", "a rest"],
)
def test_invalid_archives(
    tmp_path: Path, batches: Batches, content: Callable[[bytes], bytes]
) -> None:
    (tmp_path / ARCHIVE).write_bytes(content(tar_bytes(members(batches))))
    assert "expected a complete tar.gz archive, found damage (" in refused(tmp_path)
