"""Progress bars of training."""

import sys
from typing import Any

from cep.plotting.plots import is_notebook
from cep.training.history import History
from cep.training.loop import Callback, Training


def shows_bars() -> bool:
    """Whether progress bars can be shown: in a notebook, or if stderr is a terminal."""
    return is_notebook() or (sys.stderr is not None and sys.stderr.isatty())


class ProgressBar(Callback):
    """A bar over the samples of all epochs on standard error.

    If standard error is not a terminal, as in a log file, it prints one line per epoch.
    """

    def __init__(self) -> None:
        self._bar: Any = None

    def on_train_begin(self, training: Training) -> None:
        """Begin the bar."""
        if not shows_bars():
            return
        from tqdm.auto import tqdm

        samples, done = training.samples, len(training.history)
        total = None if samples is None else samples * training.epochs
        self._bar = tqdm(total=total, initial=done * (samples or 0), unit=" samples")

    def on_progress(self, training: Training) -> None:
        """Move it."""
        position = training.position
        if self._bar is None:
            return
        self._bar.set_description(f"epoch {training.epoch}", refresh=False)
        if position.samples:
            error = position.errors / position.samples
            self._bar.set_postfix_str(f"train error {error:.2%}", refresh=False)
        before = len(training.history) * (training.samples or 0)
        self._bar.update(max(0, before + position.samples - self._bar.n))

    def on_epoch_end(self, training: Training) -> None:
        """Print a line in place of a bar."""
        if self._bar is None and sys.stderr is not None:
            print(line(training.history, training.epochs), file=sys.stderr, flush=True)

    def on_train_end(self, training: Training) -> None:
        """End it."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def line(history: History, epochs: int) -> str:
    """The last epoch of a history as a line of text."""
    words = [f"training error {history.train_error[-1]:.2%}"]
    if history.validation_error:
        words.append(f"validation error {history.validation_error[-1]:.2%}")
    words.append(f"{history.seconds[-1]:.2f} s")
    return f"epoch {len(history)} of {epochs}: {', '.join(words)}"
