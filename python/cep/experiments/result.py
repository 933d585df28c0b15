"""Results of runs."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cep.experiments.configuration import Configuration
from cep.network.network import Network
from cep.training.history import History

StopReason = Literal["finished", "patience", "stopped", "diverged"]


def reason_to_stop(configuration: Configuration, history: History) -> StopReason | None:
    """The reason to stop after the epochs of the history; None if the run continues."""
    if len(history) >= configuration.epochs:
        return "finished"
    patience = configuration.patience
    if patience is not None and len(history) - history.best_epoch >= patience:
        return "patience"
    return None


def completed(stop_reason: str) -> bool:
    """Whether a run finished all epochs, or stopped because its patience was exhausted."""
    return stop_reason in ("finished", "patience")


def in_words(stop_reason: str, test_error: float) -> str:
    """How a run ended: "collapsed", or else the reason that stopped it."""
    return "collapsed" if completed(stop_reason) and test_error > 0.5 else stop_reason


class RunMetrics:
    """The metrics that `RunResult` and `RunOutcome` have in common."""

    history: History
    stop_reason: Any
    test_error: float

    @property
    def collapsed(self) -> bool:
        """Whether the run completed, but most of its predictions of the test data are wrong."""
        return self.ended == "collapsed"

    @property
    def ended(self) -> str:
        """How the run ended: "collapsed", or else `stop_reason`."""
        return in_words(self.stop_reason, self.test_error)

    @property
    def train_error(self) -> float:
        """Share of wrong predictions of the training data, accumulated during the last epoch."""
        return _last(self.history.train_error)

    @property
    def validation_error(self) -> float:
        """Share of wrong predictions of the validation data after the last epoch.

        NaN without validation data.
        """
        return _last(self.history.validation_error)

    @property
    def best_epoch(self) -> int:
        """The first epoch with the lowest validation error, counted from 1.

        0 without validation errors.
        """
        return self.history.best_epoch

    @property
    def best_validation_error(self) -> float:
        """The validation error of `best_epoch`; NaN without validation errors."""
        return min(self.history.validation_error, default=math.nan)

    @property
    def seconds(self) -> float:
        """Wall time of all epochs. It includes validation, but not records and checkpoints."""
        return sum(self.history.seconds)


def _last(errors: list[float]) -> float:
    return errors[-1] if errors else math.nan


@dataclass(frozen=True)
class RunResult(RunMetrics):
    """The result of a run: its network and its history."""

    configuration: Configuration
    history: History = field(repr=False)
    """Errors and losses of each epoch."""
    network: Network = field(repr=False)
    """The network after the last epoch. If the run diverged: after the last complete batch."""
    stop_reason: StopReason
    """Why the run stopped. "finished": all epochs are done. "patience": the validation error did
    not fall for `patience` epochs. "stopped": a callback stopped it. "diverged": a state became
    infinite or not a number."""
    message: str = ""
    """If the run diverged: what diverged."""
    records: list[dict[str, Any]] = field(default_factory=list, repr=False)
    """The records made during training (see `cep.Diagnostics`)."""
    test_error: float = math.nan
    """Share of wrong predictions of test data at the end, 0 to 1; NaN without such data, and if the
    run diverged or failed."""
    test_loss: float = math.nan
    """Mean loss of the test data at the end."""
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """The messages of each `cep.LearningWarning` given."""


@dataclass(frozen=True)
class RunOutcome(RunMetrics):
    """The result of one of several runs. It has a name, and no network."""

    name: str
    configuration: Configuration
    directory: Path
    """The directory of the run, with its checkpoints (see `RunDirectory`)."""
    stop_reason: StopReason | Literal["failed"]
    """Why the run stopped, as in `RunResult`; "failed" if an error ended it. The next call repeats
    a failed run."""
    message: str = ""
    """If the run diverged or failed: the error message."""
    history: History = field(default_factory=History, repr=False)
    """Errors and losses of each epoch; empty if the run failed."""
    test_error: float = math.nan
    """Share of wrong predictions of test data at the end, 0 to 1; NaN without such data, and if the
    run diverged or failed."""
    test_loss: float = math.nan
    """Mean loss of the test data at the end."""
    warnings: tuple[str, ...] = field(default=(), compare=False)
    """The messages of each `cep.LearningWarning` of this run."""
