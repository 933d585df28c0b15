"""Checkpoints: one safetensors file with the parameters and all that a run needs to continue.

The tensors are ``weights.0``, ``biases.0``, …, and ``feedback_weights.1``, … with untied feedback,
counted from the input. They have the shapes of `Network.weights` and so on. All other values are
JSON in the metadata of the file (see `cep.io.tensor_files`).
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
# Prefix of the names of an optimizer's tensors.
_PREFIX = "optimizer."


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a run between two batches or after an epoch."""

    configuration: Configuration
    parameters: Mapping[str, NDArray[Any]] = field(repr=False)
    """Copies of the parameters, by name."""
    random_state: tuple[int, int, int, int]
    """The state of the network's random numbers (see `Network.random_state`)."""
    history: History
    """The history of the finished epochs."""
    position: Position = field(default_factory=Position)
    """The position in the epoch that follows them."""
    optimizer: OptimizerState | None = None
    """The state of the optimizer; None before its first update."""
    devices: Mapping[str, NDArray[Any]] = field(default_factory=dict, repr=False)
    """Copies of the tensors of the devices, by name; empty for ideal synapses."""

    @classmethod
    def of(
        cls, net: Network, configuration: Configuration, history: History, position: Position
    ) -> "Checkpoint":
        """A copy of the present state of a run."""
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
        """The first epoch with the lowest validation error, counted from 1.

        0 without validation errors.
        """
        return self.history.best_epoch

    def restore(self, net: Network) -> None:
        """Restore the saved state in a network of the same configuration."""
        net._restore_devices(self.devices)
        net._restore_parameters(self.parameters)
        net.random_state = self.random_state
        net._restore_optimizer(self.optimizer)

    def make_network(self) -> Network:
        """The saved network. The states of its units are not saved."""
        net = self.configuration.make_network()
        self.restore(net)
        return net


def save(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint in one step. After a failure, an existing file is unchanged.

    Raises
    ------
    OSError
        If the file cannot be written, for example because the disk is full.
    ImportError
        If safetensors is not installed.
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
    """Read and validate a checkpoint.

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
        If the file is not a checkpoint of this package, or is truncated or modified.
    OSError
        If the file cannot be read.
    ImportError
        If safetensors is not installed.
    """
    return from_file(path, tensor_files.read(path, "checkpoint", [FORMAT]))


def from_file(path: str | os.PathLike[str], content: TensorFile) -> Checkpoint:
    """The checkpoint in a file, after validation. The path is used in messages.

    Raises
    ------
    CheckpointError
        If the content of the file is inconsistent.
    """
    try:
        checkpoint = _checkpoint(content.state, content.tensors)
        configuration = checkpoint.configuration
        known = known_connections(configuration.edges, shapes(configuration.layers))
        if known is not None:
            expected = parameter_shapes(configuration.layers, known, configuration.feedback)
            parameters.check(checkpoint.parameters, expected, configuration.dtype)
        # The engine checks the other values, such as the range of dt.
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
            raise ValueError("the file contains the state of an optimizer, but not its name")
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
        # Checkpoints of earlier versions have no number of samples.
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
