"""Keeps a run on disk while it trains."""

import time
from collections.abc import Callable
from typing import Any

from cep._util.signals import NAMES, Interruption
from cep.experiments import checkpoints
from cep.experiments.checkpoints import Checkpoint
from cep.experiments.configuration import Configuration
from cep.experiments.metrics_file import metrics_of
from cep.experiments.result import RunResult
from cep.experiments.run_directory import RunDirectory
from cep.experiments.tensorboard import EventWriter
from cep.training.trainer import Trainer

# Within an epoch, there is a checkpoint as often as this.
_SECONDS_BETWEEN_CHECKPOINTS = 60.0


class Keeper:
    """Writes what has to be written at each moment of a run.

    Parameters
    ----------
    directory : RunDirectory
        Opened.
    configuration : Configuration
        Of the run.
    trainer : Trainer
        Whose network, history and position are kept.
    checkpoint_every : int, optional
        Batches between two checkpoints within an epoch.
    interruption : callable
        What to raise after Ctrl-C or SIGTERM; None before.
    events : EventWriter, optional
        Where metrics go as well.
    """

    def __init__(
        self,
        directory: RunDirectory,
        configuration: Configuration,
        trainer: Trainer,
        checkpoint_every: int | None,
        interruption: Callable[[], Interruption | None],
        events: EventWriter | None,
    ) -> None:
        self.checkpoint_every = checkpoint_every
        self.records: list[dict[str, Any]] = directory.records()
        self._directory = directory
        self._configuration = configuration
        self._trainer = trainer
        self._interruption = interruption
        self._events = events
        self._saved = time.monotonic()

    def wants_a_pause(self, batches: int) -> bool:
        """Whether to stop before `batches_ended`, so many batches of the epoch being done.

        To save, only where there is something new: a batch that takes longer than the time between
        two checkpoints would otherwise never end.
        """
        is_further = batches > self._trainer.position.batch
        return self._interruption() is not None or (is_further and self._is_time_to_save())

    def batches_ended(self) -> None:
        """Save where it is time to; raise what Ctrl-C or SIGTERM have left to be raised."""
        batch, every = self._trainer.position.batch, self.checkpoint_every
        if (
            self._interruption() is not None
            or self._is_time_to_save()
            or (every is not None and batch % every == 0)
        ):
            self._save()
        self._stop_where_interrupted()

    def epoch_ended(self) -> None:
        """Write the metrics, and save."""
        history = self._trainer.history
        self._directory.add_epoch(history)
        if self._events is not None:
            self._events.add_epoch(metrics_of(history, len(history)))
        if history.best_epoch == len(history):
            checkpoints.save(self._directory.best, self._checkpoint())
        self._save()
        self._stop_where_interrupted()

    def add_record(self, record: dict[str, Any]) -> None:
        """Write a record."""
        self._directory.add_record(record)

    def run_ended(self, result: RunResult) -> None:
        """Write why, and draw the error curves."""
        self._directory.set_status(result.reason, result.message)
        title = f"{self._configuration.title}: test error {result.test_error:.2%}"
        self._directory.draw(result.history, title)

    def _is_time_to_save(self) -> bool:
        return time.monotonic() - self._saved >= _SECONDS_BETWEEN_CHECKPOINTS

    def _save(self) -> None:
        checkpoints.save(self._directory.last, self._checkpoint())
        self._saved = time.monotonic()

    def _checkpoint(self) -> Checkpoint:
        trainer = self._trainer
        return Checkpoint.of(trainer.net, self._configuration, trainer.history, trainer.position)

    def _stop_where_interrupted(self) -> None:
        if (error := self._interruption()) is not None:
            self._directory.set_status("interrupted", f"stopped by {NAMES[error]}")
            raise error
