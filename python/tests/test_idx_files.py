"""IDX files are read correctly, or refused with the reason."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from dataset_files import CODES, compress, idx_bytes, idx_header, read_or_refused
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from cep import datasets

# read_idx


@given(
    array=st.sampled_from(sorted(CODES)).flatmap(
        lambda code: numpy_strategies.arrays(
            np.dtype(code), numpy_strategies.array_shapes(min_dims=1, max_dims=5, min_side=0)
        )
    ),
    gz=st.booleans(),
)
def test_idx_round_trip(scratch: Path, array: npt.NDArray[Any], gz: bool) -> None:
    """Any array is read back bit for bit, in native order, for any file name."""
    scratch.write_bytes(compress(idx_bytes(array)) if gz else idx_bytes(array))
    result = datasets.read_idx(scratch)
    assert (result.shape, result.dtype) == (array.shape, array.dtype)
    assert result.dtype.isnative
    assert result.tobytes() == array.tobytes()
    assert result.flags.c_contiguous
    assert result.flags.writeable


def test_idx_path_may_be_text(scratch: Path) -> None:
    """A str is a path too."""
    scratch.write_bytes(idx_bytes(np.arange(3, dtype=np.uint8)))
    assert datasets.read_idx(str(scratch)).tolist() == [0, 1, 2]


def test_idx_larger_than_a_chunk(scratch: Path) -> None:
    """Content read in several pieces is joined in order."""
    array = np.arange(3 * 2**18 + 5, dtype=np.int32)
    for content in (idx_bytes(array), compress(idx_bytes(array))):
        scratch.write_bytes(content)
        np.testing.assert_array_equal(datasets.read_idx(scratch), array)


def test_a_missing_idx_file_is_an_oserror(tmp_path: Path) -> None:
    """A missing file is not reported as damaged."""
    with pytest.raises(FileNotFoundError):
        datasets.read_idx(tmp_path / "nothing")


VALID = idx_bytes(np.arange(12, dtype=np.int16).reshape(3, 4))


@pytest.mark.parametrize("content", [VALID, compress(VALID)], ids=["plain", "gzip"])
def test_every_truncation_is_refused(scratch: Path, content: bytes) -> None:
    """A file truncated anywhere is damaged, and the error names it."""
    for length in range(len(content)):
        scratch.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"file\.idx: expected .*, found "):
            datasets.read_idx(scratch)


@pytest.mark.parametrize("extra", [b"\0", b"rest", bytes(3 << 20)])
def test_trailing_bytes_are_refused(scratch: Path, extra: bytes) -> None:
    """In the data, plain or compressed, and after the compressed stream."""
    for content in (VALID + extra, compress(VALID + extra), compress(VALID) + compress(extra)):
        scratch.write_bytes(content)
        with pytest.raises(ValueError, match=r"expected 24 bytes of data .*, found more"):
            datasets.read_idx(scratch)
    scratch.write_bytes(compress(VALID) + b"rest")
    with pytest.raises(ValueError, match="expected a complete gzip file"):
        datasets.read_idx(scratch)


@pytest.mark.slow
def test_any_single_byte_edit_of_the_header_is_read_or_refused(scratch: Path) -> None:
    """All 12 x 255 edits are refused, always with a ValueError."""
    read = []
    for position in range(12):
        for value in set(range(256)) - {VALID[position]}:
            scratch.write_bytes(VALID[:position] + bytes([value]) + VALID[position + 1 :])
            read.append(read_or_refused(scratch))
    # No other type is two bytes wide, no other shape holds 12 values.
    assert read == [None] * 12 * 255


def test_any_flipped_bit_of_a_gzip_file_is_harmless_or_refused(scratch: Path) -> None:
    """Gzip's checksum protects the data; some bits of its header are irrelevant."""
    content = compress(VALID)
    expected = np.arange(12, dtype=np.int16).reshape(3, 4)
    refused = 0
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        scratch.write_bytes(damaged)
        result = read_or_refused(scratch)
        if result is None:
            refused += 1
        else:
            np.testing.assert_array_equal(result, expected)
    assert refused >= 8 * (len(content) - 10)


@given(content=st.binary(max_size=64), gz=st.booleans())
def test_arbitrary_bytes_are_read_or_refused(scratch: Path, content: bytes, gz: bool) -> None:
    """No content causes another exception."""
    for prefix in (b"", b"\0\0", b"\0\0\x08\x01", b"\x1f\x8b\x08"):
        scratch.write_bytes(compress(prefix + content) if gz else prefix + content)
        read_or_refused(scratch)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "at least 4 bytes, found 0"),
        (b"\0\0\x08", "at least 4 bytes, found 3"),
        (b"\x89PNG\r\n\x1a\n", "begin with 00 00, found 89 50"),
        (idx_header(0x0A, (1,)) + b"\0", "08 09 0b 0c 0d 0e, found 0a"),
        (b"\0\0\x08\0" + b"\0" * 8, "1 to 32 dimensions, found 0"),
        (idx_header(0x08, (1,) * 33) + b"\0", "1 to 32 dimensions, found 33"),
        (b"\0\0\x08\x03" + b"\0\0\0\1" * 2, "3 sizes in 12 bytes, found 8"),
        (idx_header(0x08, (28, 28)) + bytes(783), r"784 bytes of data for uint8 .*, found 783"),
        (idx_header(0x0E, (2,)) + bytes(15), r"16 bytes of data .*, found 15"),
        (idx_header(0x0E, (2**32 - 1,) * 2), "can be addressed"),
        (idx_header(0x08, (2**32 - 1,) * 32), "can be addressed"),
        (idx_header(0x08, (0, 2**32 - 1, 2**32 - 1, 2**32 - 1)), "can be addressed"),
    ],
)
def test_damage_is_told(scratch: Path, content: bytes, message: str) -> None:
    """The message says what was expected and what was found."""
    for written in (content, compress(content)):
        scratch.write_bytes(written)
        with pytest.raises(ValueError, match=message):
            datasets.read_idx(scratch)


def test_as_many_dimensions_as_numpy_has(scratch: Path) -> None:
    """The limit itself is allowed."""
    scratch.write_bytes(idx_header(0x08, (1,) * 32) + b"\7")
    assert datasets.read_idx(scratch).shape == (1,) * 32


@pytest.mark.parametrize(
    "content",
    [
        idx_header(0x0E, (2**31, 2**20)) + bytes(100),
        idx_header(0x08, (10,)) + bytes(64 << 20),
        idx_header(0x08, (2**32 - 1,)) + bytes(100),
    ],
    ids=["declares terabytes", "bomb", "declares gigabytes"],
)
def test_memory_follows_neither_declaration_nor_compression(scratch: Path, content: bytes) -> None:
    """Little memory is used before a wrong size is noticed."""
    for written in (content, compress(content)):
        scratch.write_bytes(written)
        del written
        tracemalloc.start()
        with pytest.raises(ValueError, match="bytes of data"):
            datasets.read_idx(scratch)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4 << 20
