"""The interfaces of the objects that are plotted."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray


class History(Protocol):
    """Such as `cep.History`."""

    train_error: list[float]
    validation_error: list[float]
    test_error: list[float]

    def __len__(self) -> int: ...


class Curves(Protocol):
    """Such as those of `cep.GDUReport`."""

    @property
    def updates(self) -> NDArray[Any]:
        """Steps × the shape of the updated quantity."""
        ...

    @property
    def gradients(self) -> NDArray[Any]:
        """The same shape."""
        ...

    def some_entries(self, entries: int = 5, seed: int = 0) -> "Curves":
        """Curves of steps × entries."""
        ...


@runtime_checkable
class GDUReport(Protocol):
    """Such as `cep.GDUReport`."""

    @property
    def states(self) -> Sequence[Curves | None]:
        """The curves of each layer."""
        ...

    @property
    def weights(self) -> Sequence[Curves]:
        """The curves of each connection."""
        ...

    @property
    def feedback_weights(self) -> Sequence[Curves | None]:
        """The curves of each connection."""
        ...

    @property
    def angle(self) -> float:
        """The angle in degrees."""
        ...


class PhaseTrace(Protocol):
    """Such as `cep.PhaseTrace`."""

    beta: float

    @property
    def steps(self) -> int:
        """The number of steps."""
        ...

    @property
    def states(self) -> Sequence[NDArray[Any] | None]:
        """For each layer: steps + 1 × samples × units."""
        ...

    @property
    def weights(self) -> Sequence[NDArray[Any]] | None:
        """For each connection; None if they do not move."""
        ...

    def layer_residuals(self, layer: int) -> NDArray[Any]:
        """For each step."""
        ...

    def weight_movement(self, connection: int) -> NDArray[Any]:
        """For each step."""
        ...


@runtime_checkable
class Phases(Protocol):
    """The part of a `cep.Trace` that exists even if nothing was traced."""

    @property
    def phases(self) -> Sequence[PhaseTrace]:
        """The phases in order."""
        ...


class Trace(Phases, Protocol):
    """Such as `cep.Trace`."""

    @property
    def nudged(self) -> PhaseTrace:
        """The last nudged phase."""
        ...

    @property
    def states(self) -> Sequence[NDArray[Any] | None]:
        """For each layer: steps × samples × units."""
        ...


@runtime_checkable
class Network(Protocol):
    """Such as `cep.Network`."""

    @property
    def weights(self) -> Sequence[NDArray[Any]]:
        """For each connection."""
        ...

    @property
    def shapes(self) -> Sequence[tuple[int, ...]]:
        """The shape of the state of each layer."""
        ...
