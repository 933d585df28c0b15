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

# Between two looks what was learned since is shown as often as this.
_SECONDS_BETWEEN_MOVES = 0.2
# A look may take this share of the time.
_LARGEST_SHARE = 0.1


class LiveView(Callback):
    """Shows a network while it learns: a callback of `cep.fit` and `cep.run`.

    Error curves, and on one batch, always the same, how it relaxes: the residual of every step,
    what the states of each layer are at the end of the free phase, and how far the weights of each
    connection have moved at each step of the nudged phase. It is the first batch of the training
    data, run on a copy of the network: what is learned is the same to the last bit.

    Where it is shown it finds out by itself. In a notebook there is a figure that is drawn anew in
    its place, in a terminal a display of text, elsewhere (a log file) a line an epoch on standard
    error. It replaces the progress bar.

    Parameters
    ----------
    seconds : float
        Between two looks at the network, more than 0; longer where looks would take more than a
        tenth of the time. There is one after every epoch in any case.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value.
    ImportError
        When training begins, where the terminal's display needs rich, or the notebook's matplotlib,
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
    # A look is taken when it is time, not after a number of batches.
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
        """Snapshot at the network before it learns, where there has been no look yet."""
        if self._look is None:
            self._show(training)

    def on_progress(self, training: Training) -> bool:
        """Show how far the epoch has come; ask for a pause when it is time for a look."""
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
        """Snapshot at the network; the end of the epoch has a look of its own."""
        if training.position.batch != training.batches:
            self._show(training)

    def on_epoch_end(self, training: Training) -> None:
        """Snapshot at the network, and at the error curves."""
        self._show(training, epoch_ended=True)

    def on_train_end(self, training: Training) -> None:
        """End the display, which stays as it is."""
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
    """A screen for the place where the program runs."""
    if is_notebook():
        from cep.training.live.notebook import NotebookScreen

        return NotebookScreen()
    if sys.stderr.isatty():
        from cep.training.live.terminal import TerminalScreen

        return TerminalScreen()
    return Screen()
