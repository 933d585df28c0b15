"""The view itself, and training under its eyes."""

import dataclasses
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cep._util import validation
from cep.learning.rules import LearningRule
from cep.plotting.plots import is_notebook
from cep.training.live.screens import Screen
from cep.training.live.snapshots import Look, Watched
from cep.training.trainer import Pause, Trainer

# Between two looks what was learned since is shown as often as this.
_SECONDS_BETWEEN_MOVES = 0.2
# A look may take this share of the time.
_LARGEST_SHARE = 0.1


class LiveView:
    """Shows a network while it learns: ``cep.fit(…, live=cep.LiveView())``, and so `cep.run`.

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

    @contextmanager
    def watching(self, trainer: Trainer, epochs: int) -> "Iterator[Watch]":
        """Show the training of a trainer's network, from here to the end of the block."""
        with screen_here() as screen:
            yield Watch(self.seconds, trainer, epochs, screen)


def screen_here() -> Screen:
    """A screen for the place where the program runs."""
    if is_notebook():
        from cep.training.live.notebook import NotebookScreen

        return NotebookScreen()
    if sys.stderr.isatty():
        from cep.training.live.terminal import TerminalScreen

        return TerminalScreen()
    return Screen()


class Watch:
    """A training that is being watched."""

    def __init__(self, seconds: float, trainer: Trainer, epochs: int, screen: Screen) -> None:
        self._seconds = seconds
        self._trainer = trainer
        self._epochs = epochs
        self._screen = screen
        size = trainer.batch_size
        self._watched = Watched(trainer.net, trainer.inputs[:size], trainer.targets[:size])
        self._look: Look | None = None
        self._due = 0.0
        self._moved = 0.0

    def train_epoch(self, rule: LearningRule) -> None:
        """Train all that is left of the epoch, and finish it."""
        trainer = self._trainer

        def report(done: int, total: int, errors: int, loss_sum: float) -> None:
            self.moved(done, errors)
            if self.wants_a_pause(-(-done // trainer.batch_size)):
                raise Pause

        self.begin(rule)
        while trainer.position.batch < trainer.batches:
            trainer.train_batches(rule, report)
            self.batches_ended(rule)
        trainer.finish_epoch(rule)
        self.epoch_ended(rule)

    def begin(self, rule: LearningRule) -> None:
        """Look at the network before it learns, where there has been no look yet."""
        if self._look is None:
            self._show(rule)

    def moved(self, done: int, errors: int) -> None:
        """So many samples of the epoch are done, so many of them were predicted wrongly."""
        now = time.monotonic()
        if self._look is None or now - self._moved < _SECONDS_BETWEEN_MOVES:
            return
        self._moved = now
        epoch = len(self._trainer.history) + 1
        self._screen.move(dataclasses.replace(self._look, epoch=epoch, done=done, errors=errors))

    def wants_a_pause(self, batches: int) -> bool:
        """Whether to stop for a look, so many batches of the epoch being done."""
        return batches > self._trainer.position.batch and time.monotonic() >= self._due

    def batches_ended(self, rule: LearningRule) -> None:
        """Look at the network where it is time to; the end of the epoch has a look of its own."""
        is_over = self._trainer.position.batch == self._trainer.batches
        if not is_over and time.monotonic() >= self._due:
            self._show(rule)

    def epoch_ended(self, rule: LearningRule) -> None:
        """Look at the network, and at the error curves."""
        self._show(rule, epoch_ended=True)

    def _show(self, rule: LearningRule, *, epoch_ended: bool = False) -> None:
        start = time.monotonic()
        trainer = self._trainer
        position, history = trainer.position, trainer.history
        epoch, done, errors = len(history) + 1, position.batch * trainer.batch_size, position.errors
        if epoch_ended:
            epoch, done = len(history), trainer.samples
            errors = round(history.train_error[-1] * trainer.samples)
        self._look = Look(
            epoch=epoch,
            epochs=self._epochs,
            done=min(done, trainer.samples),
            samples=trainer.samples,
            errors=errors,
            history=history,
            **self._watched.run(rule),
        )
        self._screen.show(self._look, epoch_ended=epoch_ended)
        now = time.monotonic()
        self._due = now + max(self._seconds, (now - start) / _LARGEST_SHARE)
