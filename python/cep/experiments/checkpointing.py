"""Writes the files of a run during training."""

import math
import time
from collections.abc import Callable

from cep._util.signals import NAMES, Interruption
from cep.experiments import checkpoints
from cep.experiments.checkpoints import Checkpoint
from cep.experiments.configuration import Configuration
from cep.experiments.run_directory import RunDirectory
from cep.training.diagnostics import Diagnostics
from cep.training.loop import Callback, Training

# Time between two checkpoints within an epoch.
_SECONDS_BETWEEN_CHECKPOINTS = 60.0


class CheckpointCallback(Callback):
    """Writes checkpoints, metrics, records and the status of a run.

    Parameters
    ----------
    directory : RunDirectory
        The directory of the run, opened.
    configuration : Configuration
        The configuration of the run.
    checkpoint_every : int, optional
        Number of batches between two checkpoints within an epoch.
    interruption : callable
        Returns the exception to raise after Ctrl-C or SIGTERM; None if there was no signal.
    diagnostics : Diagnostics, optional
        The diagnostics whose records are written. They are called before this callback.
    """

    def __init__(
        self,
        directory: RunDirectory,
        configuration: Configuration,
        checkpoint_every: int | None,
        interruption: Callable[[], Interruption | None],
        diagnostics: Diagnostics | None,
    ) -> None:
        self.checkpoint_every = checkpoint_every
        intervals = [checkpoint_every, None if diagnostics is None else diagnostics.batch_interval]
        given = [each for each in intervals if each is not None]
        self.batch_interval = math.gcd(*given) if given else None
        self._directory = directory
        self._configuration = configuration
        self._interruption = interruption
        self._diagnostics = diagnostics
        self._written = 0 if diagnostics is None else len(diagnostics.records)
        self._saved = time.monotonic()

    def on_epoch_begin(self, training: Training) -> None:
        """Write the record that was made before the first batch."""
        self._write_records()

    def on_progress(self, training: Training) -> bool:
        """Request a pause if a checkpoint is due, and after Ctrl-C or SIGTERM."""
        return self._interruption() is not None or self._is_time_to_save()

    def on_batch_end(self, training: Training) -> None:
        """Save a checkpoint if one is due. Raise the exception of Ctrl-C or SIGTERM."""
        self._write_records()
        batch, every = training.position.batch, self.checkpoint_every
        is_due = every is not None and batch % every == 0
        if self._interruption() is not None or self._is_time_to_save() or is_due:
            self._save(training)
        self._stop_if_interrupted()

    def on_epoch_end(self, training: Training) -> None:
        """Write the metrics, and save a checkpoint."""
        history = training.history
        self._directory.add_epoch(history)
        if history.best_epoch == len(history):
            checkpoints.save(self._directory.best, self._checkpoint(training))
        self._save(training)
        self._stop_if_interrupted()

    def on_train_end(self, training: Training) -> None:
        """Save a checkpoint if a callback stopped training, or a signal stopped an evaluation."""
        if training.stop_reason == "stopped" or training.is_evaluating:
            self._save(training)
        if (error := self._interruption()) is not None:
            self._directory.set_status("interrupted", f"stopped by {NAMES[error]}")

    def _write_records(self) -> None:
        if self._diagnostics is not None:
            for record in self._diagnostics.records[self._written :]:
                self._directory.add_record(record)
            self._written = len(self._diagnostics.records)

    def _is_time_to_save(self) -> bool:
        return time.monotonic() - self._saved >= _SECONDS_BETWEEN_CHECKPOINTS

    def _save(self, training: Training) -> None:
        checkpoints.save(self._directory.last, self._checkpoint(training))
        self._saved = time.monotonic()

    def _checkpoint(self, training: Training) -> Checkpoint:
        return Checkpoint.of(training.net, self._configuration, training.history, training.position)

    def _stop_if_interrupted(self) -> None:
        if (error := self._interruption()) is not None:
            raise error
