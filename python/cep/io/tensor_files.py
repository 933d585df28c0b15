"""safetensors files of cep: named arrays, a state as JSON, and a checksum of both.

Any safetensors reader can read the arrays. No code in such a file is executed.
"""

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cep._cep import __version__
from cep._util.extras import import_extra
from cep._util.files import parse_json, write_whole


class CheckpointError(ValueError):
    """An invalid, truncated or modified checkpoint or network file."""


@dataclass(frozen=True, eq=False)
class TensorFile:
    """The content of a file."""

    format: str
    """The format, which names the kind of file."""
    state: Any
    """The state written as JSON; an object in files written by cep."""
    tensors: Mapping[str, NDArray[Any]]


def write(path: str | os.PathLike[str], content: TensorFile) -> None:
    """Write a file atomically: if it fails, the old file is unchanged.

    The version of this package is added to the state.

    Raises
    ------
    OSError
        If it cannot be written, as on a full disk.
    ImportError
        If safetensors is not installed.
    """
    state = json.dumps({"cep_version": __version__, **content.state}, allow_nan=False)
    metadata = {
        "format": content.format,
        "state": state,
        "sha256": checksum(state, content.tensors),
    }
    write_whole(Path(path), _safetensors("numpy").save(dict(content.tensors), metadata))


def read(path: str | os.PathLike[str], kind: str, formats: Collection[str]) -> TensorFile:
    """Read a file and check its format and checksum.

    Parameters
    ----------
    path : path
        The file.
    kind : str
        The expected kind of file, in words.
    formats : collection of str
        The accepted formats.

    Raises
    ------
    CheckpointError
        If the file is not a safetensors file of these formats, is truncated, or was modified.
    OSError
        If the file cannot be read.
    ImportError
        If safetensors is not installed.
    """
    path = Path(path)
    library = _safetensors()
    with path.open("rb"):
        pass  # Missing and unreadable files raise an OSError below.
    try:
        with library.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") not in formats or not {"state", "sha256"} <= metadata.keys():
                raise CheckpointError(
                    f"{path} is a safetensors file, but not a {kind} of cep: expected the format "
                    f"{' or '.join(map(repr, formats))} in its metadata, "
                    f"found {metadata.get('format')!r}"
                )
            # The file object is not iterable, but has keys().
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (library.SafetensorError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is not a complete safetensors file: {error}; "
            "it was truncated or has another format"
        ) from error
    if metadata["sha256"] != checksum(metadata["state"], tensors):
        raise CheckpointError(f"{path} was changed after it was written: its checksum is wrong")
    try:
        state = parse_json(metadata["state"])
    except ValueError as error:
        raise CheckpointError(f"{path} is not a valid {kind}: {error}") from error
    return TensorFile(metadata["format"], state, tensors)


def checksum(state: str, tensors: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of the state and of all names, types, shapes and values."""
    digest = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def check_available() -> None:
    """Raise an ImportError if safetensors is not installed."""
    _safetensors()


def _safetensors(module: str = "") -> Any:
    name = "safetensors" + (f".{module}" if module else "")
    return import_extra(name, "saving and loading", "experiments")
