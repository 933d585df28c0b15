"""Read IDX files, the format of MNIST."""

import gzip
import io
import math
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cep.datasets.files import unexpected
from cep.datasets.types import FilePath

_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAXIMUM_DIMENSIONS = 32  # Supported by every version of NumPy.
_CHUNK_BYTES = 1 << 20


def read_idx(path: FilePath) -> npt.NDArray[Any]:
    """Read an array from an IDX file, gzipped or not (detected from the content).

    Format: http://yann.lecun.com/exdb/mnist/.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    numpy.ndarray
        The declared shape and type (uint8, int8, int16, int32, float32 or float64),
        C-contiguous, writable, in native byte order.

    Raises
    ------
    ValueError
        If the header is not that of an IDX file, the declared size differs from the actual one, or
        the compression is damaged. Memory is allocated only for bytes that exist.
    OSError
        If the file cannot be opened or read.
    """
    path = Path(path)
    with path.open("rb") as file:
        compressed = file.peek(2)[:2] == b"\x1f\x8b"
        try:
            return _parse_idx(gzip.GzipFile(fileobj=file) if compressed else file, path)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise unexpected(path, "a complete gzip file", f"damage ({error})") from error


def _parse_idx(stream: io.BufferedIOBase, path: Path) -> npt.NDArray[Any]:
    magic = stream.read(4)
    if len(magic) < 4:
        raise unexpected(path, "an IDX header of at least 4 bytes", len(magic))
    if magic[:2] != b"\0\0":
        raise unexpected(path, "an IDX file to begin with 00 00", magic[:2].hex(" "))
    code, dimensions = magic[2], magic[3]
    if code not in _TYPES:
        raise unexpected(path, f"one of type codes {bytes(_TYPES).hex(' ')}", f"{code:02x}")
    if not 1 <= dimensions <= _MAXIMUM_DIMENSIONS:
        raise unexpected(path, f"1 to {_MAXIMUM_DIMENSIONS} dimensions", dimensions)
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise unexpected(path, f"{dimensions} sizes in {4 * dimensions} bytes", len(sizes))
    shape, dtype = tuple(np.frombuffer(sizes, ">u4").tolist()), np.dtype(_TYPES[code])
    # NumPy refuses a shape whose other sizes overflow, even if one of them is zero.
    if dtype.itemsize * math.prod(size or 1 for size in shape) > sys.maxsize:
        raise unexpected(path, "sizes that can be addressed", shape)
    expected = dtype.itemsize * math.prod(shape)
    # Reading one byte more than expected detects trailing bytes and makes gzip verify its checksum.
    # In chunks, because read() allocates the requested size first.
    content = bytearray()
    while chunk := stream.read(min(expected + 1 - len(content), _CHUNK_BYTES)):
        content += chunk
    if len(content) != expected:
        found = "more" if len(content) > expected else len(content)
        raise unexpected(path, f"{expected} bytes of data for {dtype} of shape {shape}", found)
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
