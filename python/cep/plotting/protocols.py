"""What pictures are drawn of, as far as they look at it."""

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
        """Steps × the shape of what is updated."""
        ...

    @property
    def gradients(self) -> NDArray[Any]:
        """Likewise."""
        ...

    def some_entries(self, entries: int = 5, seed: int = 0) -> "Curves":
        """Steps × entries."""
        ...


@runtime_checkable
class GDUReport(Protocol):
    """Such as `cep.GDUReport`."""

    @property
    def states(self) -> Sequence[Curves | None]:
        """Of each layer."""
        ...

    @property
    def weights(self) -> Sequence[Curves]:
        """Of each connection."""
        ...

    @property
    def feedback_weights(self) -> Sequence[Curves | None]:
        """Of each connection."""
        ...

    @property
    def angle(self) -> float:
        """Degrees."""
        ...


class RecordedPhase(Protocol):
    """Such as `cep.RecordedPhase`."""

    beta: float

    @property
    def steps(self) -> int:
        """Steps taken."""
        ...

    @property
    def states(self) -> Sequence[NDArray[Any] | None]:
        """Of each layer: steps + 1 × samples × units."""
        ...

    @property
    def weights(self) -> Sequence[NDArray[Any]] | None:
        """Of each connection; None where they stand still."""
        ...

    def layer_residuals(self, layer: int) -> NDArray[Any]:
        """Of each step."""
        ...

    def weight_movement(self, connection: int) -> NDArray[Any]:
        """Of each step."""
        ...


@runtime_checkable
class Phases(Protocol):
    """What a `cep.Record` has even if nothing was recorded."""

    @property
    def phases(self) -> Sequence[RecordedPhase]:
        """In their order."""
        ...


class Record(Phases, Protocol):
    """Such as `cep.Record`."""

    @property
    def nudged(self) -> RecordedPhase:
        """The last nudged phase."""
        ...

    @property
    def states(self) -> Sequence[NDArray[Any] | None]:
        """Of each layer: steps × samples × units."""
        ...


@runtime_checkable
class Network(Protocol):
    """Such as `cep.Network`."""

    @property
    def weights(self) -> Sequence[NDArray[Any]]:
        """Of each connection."""
        ...

    @property
    def shapes(self) -> Sequence[tuple[int, ...]]:
        """Of the state of each layer."""
        ...
