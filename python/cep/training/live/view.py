"""The live view."""

import dataclasses
import sys
import time
from typing import Any

from cep._util import validation
from cep.plotting.plots import is_notebook
from cep.training.live.screens import Screen
from cep.training.live.snapshots import Probe, Snapshot
from cep.training.loop import Callback, Training
from cep.training.sources import ArraySource

# Between two snapshots, the progress is updated at this interval.
_SECONDS_BETWEEN_MOVES = 0.2
# The maximum share of the time spent on snapshots.
_LARGEST_SHARE = 0.1


class LiveView(Callback):
    """Shows a network during training: a callback of `cep.fit` and `cep.run`.

    It shows the error curves and, for one fixed batch, how the network relaxes: the residual of
    every step, the states of each layer at the end of the free phase, and the change of the weights
    of each connection at each step of the nudged phase. The batch is the first one of the training
    data and runs on a copy of the network, so the training is not affected.

    In a notebook it is a figure that is updated in place, in a terminal a text display, elsewhere
    (such as a log file) one line per epoch on standard error. It replaces the progress bar.

    Parameters
    ----------
    seconds : float
        Seconds between two snapshots, more than 0; longer if snapshots would take more than a
        tenth of the time. Each epoch ends with one.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value.
    ImportError
        When training begins, if the terminal's display needs rich, or the notebook's matplotlib,
        and it is not installed.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = validation.real("seconds", seconds)
        if not self.seconds > 0:
            raise ValueError(f"seconds must be more than 0, got {self.seconds:g}")
        self._screen: Screen | None = None
        self._look: Snapshot | None = None
        self._due = 0.0
        self._moved = 0.0

    _watched: Probe
    # Snapshots are taken by time, not after a number of batches.
    batch_interval = None

    def on_train_begin(self, training: Training) -> None:
        """Begin the display."""
        source = training.source
        if not isinstance(source, ArraySource):
            raise ValueError("a live view needs arrays as data, got batches")
        self._screen = screen_here()
        self._screen.__enter__()
        size = source.batch_size
        self._watched = Probe(training.net, source.inputs[:size], source.targets[:size])
        self._look, self._due, self._moved = None, 0.0, 0.0

    def on_epoch_begin(self, training: Training) -> None:
        """Take a first snapshot before training."""
        if self._look is None:
            self._show(training)

    def on_progress(self, training: Training) -> bool:
        """Show the progress of the epoch; request a pause when a snapshot is due."""
        now = time.monotonic()
        if self._look is not None and now - self._moved >= _SECONDS_BETWEEN_MOVES:
            self._moved = now
            changes: dict[str, Any] = {
                "epoch": training.epoch,
                "done": training.position.samples,
                "errors": training.position.errors,
            }
            assert self._screen is not None
            self._screen.move(dataclasses.replace(self._look, **changes))
        return now >= self._due

    def on_batch_end(self, training: Training) -> None:
        """Take a snapshot, except at the end of the epoch."""
        if training.position.batch != training.batches:
            self._show(training)

    def on_epoch_end(self, training: Training) -> None:
        """Take a snapshot, with the error curves."""
        self._show(training, epoch_ended=True)

    def on_train_end(self, training: Training) -> None:
        """End the display."""
        if self._screen is not None:
            self._screen.__exit__(None, None, None)
            self._screen = None

    def _show(self, training: Training, *, epoch_ended: bool = False) -> None:
        start = time.monotonic()
        position, history = training.position, training.history
        samples = training.samples
        assert samples is not None
        assert self._screen is not None
        done, errors = position.samples, position.errors
        if epoch_ended:
            done, errors = samples, round(history.train_error[-1] * samples)
        self._look = Snapshot(
            epoch=training.epoch,
            epochs=training.epochs,
            done=done,
            samples=samples,
            errors=errors,
            history=history,
            **self._watched.run(training.rule),
        )
        self._screen.show(self._look, epoch_ended=epoch_ended)
        now = time.monotonic()
        self._due = now + max(self.seconds, (now - start) / _LARGEST_SHARE)


def screen_here() -> Screen:
    """The screen for the present environment."""
    if is_notebook():
        from cep.training.live.notebook import NotebookScreen

        return NotebookScreen()
    if sys.stderr.isatty():
        from cep.training.live.terminal import TerminalScreen

        return TerminalScreen()
    return Screen()
