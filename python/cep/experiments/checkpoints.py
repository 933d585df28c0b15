"""Checkpoints: one safetensors file with parameters by name, and all that a run needs to go on.

The tensors are ``weights.0``, ``biases.0``, …, and ``feedback_weights.1``, … with untied feedback,
counted from the input, in the shapes of `Network.weights` and so on. The rest is JSON in the file's
metadata (see `cep.io.tensor_files`).
"""

import dataclasses
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from cep._util import validation
from cep.experiments.configuration import OPTIMIZERS, Configuration
from cep.io import parameters, tensor_files
from cep.io.tensor_files import CheckpointError, TensorFile
from cep.network.files import known_connections
from cep.network.layers import parameter_shapes, shapes
from cep.network.network import Network
from cep.network.optimizer_state import OptimizerState
from cep.training.history import COLUMNS, History
from cep.training.sources import Position

FORMAT = "cep checkpoint 1"
# Of the names of what an optimizer remembers.
_PREFIX = "optimizer."


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A run at one moment: between two batches, or after an epoch."""

    configuration: Configuration
    parameters: Mapping[str, NDArray[Any]] = field(repr=False)
    """Copies, by name."""
    random_state: tuple[int, int, int, int]
    """Of the network's own stream (see `Network.random_state`)."""
    history: History
    """Of the epochs finished."""
    position: Position = field(default_factory=Position)
    """In the epoch after them."""
    optimizer: OptimizerState | None = None
    """What the optimizer remembers; None before its first update."""
    devices: Mapping[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    """Copies of what devices are beside the parameters, by name; none for ideal ones."""

    @classmethod
    def of(
        cls, net: Network, configuration: Configuration, history: History, position: Position
    ) -> "Checkpoint":
        """A copy of all that a run consists of at this moment."""
        return cls(
            configuration,
            {name: array.copy() for name, array in net._named_parameters().items()},
            net.random_state,
            History(**{name: list(values) for name, values in vars(history).items()}),
            dataclasses.replace(position),
            net._optimizer_state(),
            {name: array.copy() for name, array in net._device_tensors().items()},
        )

    @property
    def best_epoch(self) -> int:
        """The first epoch with the lowest validation error, counted from 1; 0 without any."""
        return self.history.best_epoch

    def restore(self, net: Network) -> None:
        """Give a network of the same configuration all that this one had."""
        net._restore_devices(self.devices)
        net._restore_parameters(self.parameters)
        net.random_state = self.random_state
        net._restore_optimizer(self.optimizer)

    def make_network(self) -> Network:
        """A network as it was at this moment, without states."""
        net = self.configuration.make_network()
        self.restore(net)
        return net


def save(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint, in one step: a failure leaves the file that was there as it was.

    Raises
    ------
    OSError
        Where it cannot be written, as on a full disk.
    ImportError
        Where safetensors is not installed.
    """
    state = {
        "configuration": checkpoint.configuration.to_dict(),
        "rule": checkpoint.configuration.make_rule().name,
        "epoch": len(checkpoint.history),
        "best_epoch": checkpoint.best_epoch,
        "position": vars(checkpoint.position),
        "random_state": checkpoint.random_state,
        "history": vars(checkpoint.history),
    }
    tensors = {**checkpoint.parameters, **checkpoint.devices}
    if checkpoint.optimizer is not None:
        state["optimizer"] = {
            "name": checkpoint.optimizer.name,
            "steps": checkpoint.optimizer.steps,
        }
        tensors |= {_PREFIX + key: array for key, array in checkpoint.optimizer.arrays.items()}
    tensor_files.write(path, TensorFile(FORMAT, state, tensors))


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
    return from_file(path, tensor_files.read(path, "checkpoint", [FORMAT]))


def from_file(path: str | os.PathLike[str], content: TensorFile) -> Checkpoint:
    """The checkpoint that a file holds, checked; the path is for messages.

    Raises
    ------
    CheckpointError
        What the file holds does not fit together.
    """
    try:
        checkpoint = _checkpoint(content.state, content.tensors)
        configuration = checkpoint.configuration
        known = known_connections(configuration.edges, shapes(configuration.layers))
        if known is not None:
            expected = parameter_shapes(configuration.layers, known, configuration.feedback)
            parameters.check(checkpoint.parameters, expected, configuration.dtype)
        # What the engine alone judges, such as a dt out of its range.
        checkpoint.make_network()
    except (TypeError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is not a checkpoint that can be used: {error}") from error
    return checkpoint


def _checkpoint(state: dict[str, Any], tensors: Mapping[str, NDArray[Any]]) -> Checkpoint:
    configuration = Configuration.from_dict(state["configuration"])
    tensors, devices = parameters.split(tensors)
    history = dict(state["history"])
    if "test_error" not in history:  # Earlier versions validated with the test data.
        for name in ("error", "loss"):
            history |= {f"test_{name}": history[f"validation_{name}"], f"validation_{name}": []}
    return Checkpoint(
        configuration,
        {name: array for name, array in tensors.items() if not name.startswith(_PREFIX)},
        _random_state(state["random_state"]),
        _history(history, state["epoch"]),
        _position(state["position"], configuration.batch_size),
        _optimizer(state.get("optimizer"), tensors),
        devices,
    )


def _optimizer(
    values: dict[str, Any] | None, tensors: Mapping[str, NDArray[Any]]
) -> OptimizerState | None:
    arrays = {
        name.removeprefix(_PREFIX): array
        for name, array in tensors.items()
        if name.startswith(_PREFIX)
    }
    if values is None:
        if arrays:
            raise ValueError("there is the state of an optimizer, and not its name")
        return None
    return OptimizerState(
        validation.choice("optimizer", values["name"], OPTIMIZERS),
        validation.count("steps", values["steps"], lowest=1),
        arrays,
    )


def _random_state(words: Any) -> tuple[int, int, int, int]:
    whole = isinstance(words, list) and all(type(word) is int for word in words)
    if not whole or len(words) != 4 or not any(words) or not all(0 <= w < 2**64 for w in words):
        raise ValueError(f"random_state must be four integers, 0 to 2**64 − 1, got {words!r}")
    return words[0], words[1], words[2], words[3]


def _history(columns: Any, epochs: int) -> History:
    if not isinstance(columns, dict):
        raise TypeError(f"the history must be an object of columns, got {columns!r}")
    if missing := [name for name in COLUMNS if name not in columns]:
        raise ValueError(f"the history lacks {', '.join(missing)}")
    for name, column in columns.items():
        if not isinstance(column, list):
            raise TypeError(f"{name} must be a list, got {column!r}")
        lengths = {0, epochs} if name.startswith(("validation", "test")) else {epochs}
        if len(column) not in lengths:
            raise ValueError(f"{name} has {len(column)} entries, not {epochs}")
        for value in column:
            validation.real(name, value)
    return History(**columns)


def _position(values: dict[str, Any], batch_size: int) -> Position:
    position = Position(
        batch=validation.count("batch", values["batch"], lowest=0),
        errors=validation.count("errors", values["errors"], lowest=0),
        loss_sum=validation.real("loss_sum", values["loss_sum"]),
        seconds=validation.real("seconds", values["seconds"]),
        # Checkpoints of earlier versions lack it.
        samples=validation.count(
            "samples", values.get("samples", values["batch"] * batch_size), lowest=0
        ),
    )
    samples = position.batch * batch_size
    if position.samples > samples:
        raise ValueError(
            f"after {position.batch} batches there are up to {samples} samples, "
            f"got {position.samples}"
        )
    if position.errors > samples or not 0 <= position.loss_sum < math.inf:
        raise ValueError(
            f"after {position.batch} batches there are 0 to {samples} errors and a loss_sum that "
            f"is finite and 0 or more, got {position.errors} and {position.loss_sum}"
        )
    return position
