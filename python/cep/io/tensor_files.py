"""safetensors files of ours: arrays by name, a state as JSON, and a checksum of both.

Whatever reads safetensors reads the arrays, without this package. Nothing in such a file is ever
executed.
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
    """A file that is no checkpoint or network, or not whole, or not as it was written."""


@dataclass(frozen=True, eq=False)
class TensorFile:
    """What is in a file."""

    format: str
    """What kind of file it is."""
    state: Any
    """What was written as JSON; an object, as far as it was written by us."""
    tensors: Mapping[str, NDArray[Any]]


def write(path: str | os.PathLike[str], content: TensorFile) -> None:
    """Write a file, in one step: a failure leaves the file that was there as it was.

    The state gets the version of this package as well.

    Raises
    ------
    OSError
        Where it cannot be written, as on a full disk.
    ImportError
        Where safetensors is not installed.
    """
    state = json.dumps({"cep_version": __version__, **content.state}, allow_nan=False)
    metadata = {
        "format": content.format,
        "state": state,
        "sha256": checksum(state, content.tensors),
    }
    write_whole(Path(path), _safetensors("numpy").save(dict(content.tensors), metadata))


def read(path: str | os.PathLike[str], kind: str, formats: Collection[str]) -> TensorFile:
    """Read a file, as it was written.

    Parameters
    ----------
    path : path
        The file.
    kind : str
        What it is expected to be, in words.
    formats : collection of str
        What its format may be.

    Raises
    ------
    CheckpointError
        The file is no safetensors file of these formats, or truncated, or was changed after it was
        written.
    OSError
        The file cannot be read.
    ImportError
        Where safetensors is not installed.
    """
    path = Path(path)
    library = _safetensors()
    with path.open("rb"):
        pass  # A file that is not there, or not to be read, is no matter of safetensors.
    try:
        with library.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") not in formats or not {"state", "sha256"} <= metadata.keys():
                raise CheckpointError(
                    f"{path} is a safetensors file, but no {kind} of cep: expected the format "
                    f"{' or '.join(map(repr, formats))} in its metadata, "
                    f"found {metadata.get('format')!r}"
                )
            # Not an iterable, but for keys().
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (library.SafetensorError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file: {error}; "
            "it was truncated, or is something else"
        ) from error
    if metadata["sha256"] != checksum(metadata["state"], tensors):
        raise CheckpointError(f"{path} was changed after it was written: its checksum is wrong")
    try:
        state = parse_json(metadata["state"])
    except ValueError as error:
        raise CheckpointError(f"{path} is no {kind} that can be used: {error}") from error
    return TensorFile(metadata["format"], state, tensors)


def checksum(state: str, tensors: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of the state, and of all names, types, shapes and numbers."""
    digest = hashlib.sha256(state.encode())
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def check_available() -> None:
    """Raise the ImportError that safetensors is not installed, if it is not."""
    _safetensors()


def _safetensors(module: str = "") -> Any:
    name = "safetensors" + (f".{module}" if module else "")
    return import_extra(name, "saving and loading", "experiments")
