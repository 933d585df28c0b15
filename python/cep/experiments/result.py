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


def completed(stop_reason: str) -> bool:
    """Whether a run finished its epochs or its patience."""
    return stop_reason in ("finished", "patience")


def in_words(stop_reason: str, test_error: float) -> str:
    """How a run ended: "collapsed", or else the reason that stopped it."""
    return "collapsed" if completed(stop_reason) and test_error > 0.5 else stop_reason


class RunMetrics:
    """The metrics that results and outcomes share."""

    history: History
    stop_reason: Any
    test_error: float

    @property
    def collapsed(self) -> bool:
        """Whether it completed with more wrong predictions of test data than right ones."""
        return self.ended == "collapsed"

    @property
    def ended(self) -> str:
        """How it ended: "collapsed", or else `stop_reason`."""
        return in_words(self.stop_reason, self.test_error)

    @property
    def train_error(self) -> float:
        """Share of wrong training predictions, accumulated during the last epoch."""
        return _last(self.history.train_error)

    @property
    def validation_error(self) -> float:
        """Share of wrong validation predictions after the last epoch; NaN without such data."""
        return _last(self.history.validation_error)

    @property
    def best_epoch(self) -> int:
        """The first epoch with the lowest validation error, counted from 1; 0 without any."""
        return self.history.best_epoch

    @property
    def best_validation_error(self) -> float:
        """The validation error of that epoch; NaN without any."""
        return min(self.history.validation_error, default=math.nan)

    @property
    def seconds(self) -> float:
        """Wall time of all epochs, validation included; records and checkpoints are not."""
        return sum(self.history.seconds)


def _last(errors: list[float]) -> float:
    return errors[-1] if errors else math.nan


@dataclass(frozen=True)
class RunResult(RunMetrics):
    """How a run ended, epoch by epoch."""

    configuration: Configuration
    history: History = field(repr=False)
    """Errors and losses of each epoch."""
    network: Network = field(repr=False)
    """As after the last epoch, or the last whole batch where the run diverged."""
    stop_reason: StopReason
    """Why it stopped: all epochs done, no lower validation error for too long, by a callback, or
    divergence."""
    message: str = ""
    """What diverged, where something did."""
    records: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """What was recorded (see `cep.Diagnostics`)."""
    test_error: float = math.nan
    """Share of wrong predictions of test data at the end, 0 to 1; NaN without such data, and if the
    run diverged or failed."""
    test_loss: float = math.nan
    """Mean loss of the test data at the end."""
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """The messages of each `cep.LearningWarning` given."""


@dataclass(frozen=True)
class RunOutcome(RunMetrics):
    """How one of many runs ended: a `RunResult` that is small, and that has a name."""

    name: str
    configuration: Configuration
    directory: Path
    """Where the run is kept, with its checkpoints (see `RunDirectory`)."""
    stop_reason: StopReason | Literal["failed"]
    """Why it stopped; "failed" where an error ended it, which the next call tries again."""
    message: str = ""
    """What diverged or failed, where something did."""
    history: History = field(default_factory=History, repr=False)
    """Errors and losses of each epoch; empty where the run failed."""
    test_error: float = math.nan
    """Share of wrong predictions of test data at the end, 0 to 1; NaN without such data, and if the
    run diverged or failed."""
    test_loss: float = math.nan
    """Mean loss of the test data at the end."""
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """The messages of each `cep.LearningWarning` of this run."""
