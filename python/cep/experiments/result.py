"""What a run gives back."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cep.experiments.configuration import Configuration
from cep.network.network import Network
from cep.training.history import History

StopReason = Literal["finished", "patience", "stopped", "diverged"]


def reason_to_stop(configuration: Configuration, history: History) -> StopReason | None:
    """Why a run ends after these epochs; None where it goes on, or until it diverges."""
    if len(history) >= configuration.epochs:
        return "finished"
    patience = configuration.patience
    if patience is not None and len(history) - history.best_epoch >= patience:
        return "patience"
    return None


def came_to_its_end(reason: str) -> bool:
    """Whether a run did all that was asked for."""
    return reason in ("finished", "patience")


def is_mostly_wrong(reason: str, history: History) -> bool:
    """Whether a run came to its end with more wrong predictions than right ones."""
    return came_to_its_end(reason) and len(history) > 0 and history.validation_error[-1] > 0.5


def in_words(reason: str, history: History) -> str:
    """How a run ended: the reason, or that it is mostly wrong."""
    return "mostly wrong" if is_mostly_wrong(reason, history) else reason


class Measured:
    """What the history of a run comes to."""

    history: History
    reason: Any

    @property
    def mostly_wrong(self) -> bool:
        """Whether it came to its end with more wrong predictions of test data than right ones."""
        return is_mostly_wrong(self.reason, self.history)

    @property
    def ended(self) -> str:
        """How, in words: "mostly wrong", or else the reason."""
        return in_words(self.reason, self.history)

    @property
    def test_error(self) -> float:
        """Share of wrong predictions after the last epoch, 0 to 1; NaN where none was finished."""
        return self.history.validation_error[-1] if len(self.history) else math.nan

    @property
    def train_error(self) -> float:
        """The same of the training data, accumulated during the last epoch."""
        return self.history.train_error[-1] if len(self.history) else math.nan

    @property
    def best_epoch(self) -> int:
        """The first epoch with the lowest test error, counted from 1; 0 where none was finished."""
        return self.history.best_epoch

    @property
    def best_test_error(self) -> float:
        """The test error of that epoch; NaN where none was finished."""
        return min(self.history.validation_error, default=math.nan)

    @property
    def seconds(self) -> float:
        """Wall time of all epochs, evaluation included; records and checkpoints are not."""
        return sum(self.history.seconds)


@dataclass(frozen=True)
class RunResult(Measured):
    """How a run ended, epoch by epoch."""

    configuration: Configuration
    history: History = field(repr=False)
    """Errors and losses of each epoch; its validation data is the test data."""
    network: Network = field(repr=False)
    """As after the last epoch, or the last whole batch where the run diverged."""
    reason: StopReason
    """Why it stopped: all epochs done, no lower test error for too long, or divergence."""
    message: str = ""
    """What diverged, where something did."""
    records: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """What was recorded (see `cep.Diagnostics`)."""


@dataclass(frozen=True)
class RunOutcome(Measured):
    """How one of many runs ended: a `RunResult` that is small, and that has a name."""

    name: str
    configuration: Configuration
    directory: Path
    """Where the run is kept, with its checkpoints (see `RunDirectory`)."""
    reason: StopReason | Literal["failed"]
    """Why it stopped; "failed" where an error ended it, which the next call tries again."""
    message: str = ""
    """What diverged or failed, where something did."""
    history: History = field(default_factory=History, repr=False)
    """Errors and losses of each epoch; empty where the run failed."""
