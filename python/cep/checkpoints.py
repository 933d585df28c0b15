"""Checkpoints: one safetensors file with parameters by name, and all that a run needs to go on.

The tensors are ``weights.0``, ``biases.0``, …, and ``feedback_weights.1``, … with untied feedback,
counted from the input, in the shapes of `Network.weights` and so on: whatever reads safetensors
reads them, without this package. The rest is JSON in the file's metadata; nothing in a checkpoint
is ever executed.
"""

import dataclasses
import hashlib
import importlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cep import _arguments
from cep._cep import __version__
from cep._files import write_whole
from cep.configuration import Configuration
from cep.history import History
from cep.network import Network
from cep.trainer import Position

_FORMAT = "cep checkpoint 1"


class CheckpointError(ValueError):
    """A file that is no checkpoint, or not whole, or not as it was written."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A run at one moment: between two batches, or after an epoch."""

    configuration: Configuration
    parameters: Mapping[str, NDArray[Any]]
    """Copies, by name."""
    random_state: tuple[int, int, int, int]
    """Of the network's own stream (see `Network.random_state`)."""
    history: History
    """Of the epochs finished."""
    position: Position = dataclasses.field(default_factory=Position)
    """In the epoch after them."""

    @classmethod
    def of(
        cls, net: Network, configuration: Configuration, history: History, position: Position
    ) -> "Checkpoint":
        """A copy of all that a run consists of at this moment."""
        return cls(
            configuration,
            {name: array.copy() for name, array in named_parameters(net).items()},
            net.random_state,
            History(**{name: list(values) for name, values in vars(history).items()}),
            dataclasses.replace(position),
        )

    @property
    def best_epoch(self) -> int:
        """The first epoch with the lowest test error, counted from 1; 0 where none was finished."""
        return self.history.best_epoch

    def restore(self, net: Network) -> None:
        """Give a network of the same configuration the parameters and the random state."""
        for name, array in named_parameters(net).items():
            array[...] = self.parameters[name]
        net.random_state = self.random_state

    def make_network(self) -> Network:
        """A network as it was at this moment, without states."""
        net = self.configuration.make_network()
        self.restore(net)
        return net


def named_parameters(net: Network) -> dict[str, NDArray[Any]]:
    """All parameters of a network in place, by the names they have in a checkpoint."""
    kinds: dict[str, Iterable[NDArray[Any] | None]] = {
        "weights": net.weights,
        "biases": net.biases,
        "feedback_weights": net.feedback_weights,
    }
    return {
        f"{kind}.{k}": array
        for kind, arrays in kinds.items()
        for k, array in enumerate(arrays)
        if array is not None
    }


def save(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint, in one step: a failure leaves the file that was there as it was.

    Parameters
    ----------
    path : path
        The file; by custom ``.safetensors``.
    checkpoint : Checkpoint
        What to save.

    Raises
    ------
    OSError
        Where it cannot be written, as on a full disk.
    ImportError
        Where safetensors is not installed.
    """
    state = json.dumps(
        {
            "cep_version": __version__,
            "configuration": checkpoint.configuration.to_dict(),
            "rule": checkpoint.configuration.make_rule().name,
            "epoch": len(checkpoint.history),
            "best_epoch": checkpoint.best_epoch,
            "position": vars(checkpoint.position),
            "random_state": checkpoint.random_state,
            "history": vars(checkpoint.history),
        },
        allow_nan=False,
    )
    tensors = dict(checkpoint.parameters)
    metadata = {"format": _FORMAT, "state": state, "sha256": _checksum(state, tensors)}
    write_whole(Path(path), _safetensors("numpy").save(tensors, metadata))


def load(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint, and check all of it.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    Checkpoint

    Raises
    ------
    CheckpointError
        The file is no checkpoint of ours, or truncated, or was changed after it was written.
    OSError
        The file cannot be read.
    ImportError
        Where safetensors is not installed.
    """
    path = Path(path)
    state, tensors = _read(path)
    try:
        checkpoint = _checkpoint(json.loads(state), tensors)
        _check_parameters(checkpoint)
    except (TypeError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is not a checkpoint that can be used: {error}") from error
    return checkpoint


def _read(path: Path) -> tuple[str, dict[str, NDArray[Any]]]:
    """The state and the tensors, as they were written."""
    library = _safetensors()
    with path.open("rb"):
        pass  # A file that is not there, or not to be read, is no matter of safetensors.
    try:
        with library.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != _FORMAT or not {"state", "sha256"} <= metadata.keys():
                raise CheckpointError(
                    f"{path} is a safetensors file, but no checkpoint of cep: expected the format "
                    f"{_FORMAT!r} in its metadata, found {metadata.get('format')!r}"
                )
            # Not an iterable, but for keys().
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (library.SafetensorError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{path} is not a whole safetensors file: {error}; "
            "it was truncated, or is something else"
        ) from error
    if metadata["sha256"] != _checksum(metadata["state"], tensors):
        raise CheckpointError(f"{path} was changed after it was written: its checksum is wrong")
    return metadata["state"], tensors


def _checkpoint(state: dict[str, Any], tensors: dict[str, NDArray[Any]]) -> Checkpoint:
    return Checkpoint(
        Configuration.from_dict(state["configuration"]),
        tensors,
        _random_state(state["random_state"]),
        _history(state["history"], state["epoch"]),
        _position(state["position"]),
    )


def _random_state(words: Any) -> tuple[int, int, int, int]:
    whole = isinstance(words, list) and all(type(word) is int for word in words)
    if not whole or len(words) != 4 or not any(words) or not all(0 <= w < 2**64 for w in words):
        raise ValueError(f"random_state must be four integers, 0 to 2**64 − 1, got {words!r}")
    return words[0], words[1], words[2], words[3]


def _history(columns: dict[str, Any], epochs: int) -> History:
    for name, column in columns.items():
        if not isinstance(column, list):
            raise TypeError(f"{name} must be a list, got {column!r}")
        lengths = {0, epochs} if name.startswith("validation") else {epochs}
        if len(column) not in lengths:
            raise ValueError(f"{name} has {len(column)} entries, not {epochs}")
        for value in column:
            _arguments.real(name, value)
    return History(**columns)


def _position(values: dict[str, Any]) -> Position:
    return Position(
        batch=_arguments.count("batch", values["batch"], lowest=0),
        errors=_arguments.count("errors", values["errors"], lowest=0),
        loss_sum=_arguments.real("loss_sum", values["loss_sum"]),
        seconds=_arguments.real("seconds", values["seconds"]),
    )


def _check_parameters(checkpoint: Checkpoint) -> None:
    """Raise what is wrong where the parameters are not those of the configuration's network."""
    configuration = checkpoint.configuration
    expected: dict[str, tuple[int, ...]] = {}
    for k, (below, above) in enumerate(
        zip(configuration.sizes[:-1], configuration.sizes[1:], strict=True)
    ):
        expected[f"weights.{k}"] = (above, below)
        expected[f"biases.{k}"] = (above,)
        if k > 0 and configuration.feedback == "untied":
            expected[f"feedback_weights.{k}"] = (below, above)
    found = {name: array.shape for name, array in checkpoint.parameters.items()}
    if found != expected:
        raise ValueError(f"expected the parameters {expected}, found {found}")
    for name, array in checkpoint.parameters.items():
        if array.dtype != np.dtype(configuration.dtype):
            raise ValueError(f"{name} is {array.dtype}, the network {configuration.dtype}")


def _checksum(state: str, tensors: Mapping[str, NDArray[Any]]) -> str:
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
    try:
        return importlib.import_module("safetensors" + (f".{module}" if module else ""))
    except ImportError as error:
        raise ImportError("checkpoints need safetensors: pip install 'cep[experiments]'") from error
