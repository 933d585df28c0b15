"""The base class of live views: plain lines."""

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager

from cep.training.live.snapshots import Snapshot


class Screen(AbstractContextManager["Screen"]):
    """Shows snapshots as lines on standard error, one per epoch."""

    def __exit__(self, *exception: object) -> None:
        """End the view."""

    def show(self, look: Snapshot, *, epoch_ended: bool) -> None:
        """Show a new snapshot."""
        if epoch_ended:
            print(line(look), file=sys.stderr, flush=True)

    def move(self, look: Snapshot) -> None:
        """Show the progress of the epoch with an older snapshot."""


def line(look: Snapshot) -> str:
    """A snapshot as a line of text."""
    history = look.history
    words = [f"training error {history.train_error[-1]:.2%}"]
    if history.validation_error:
        words.append(f"validation error {history.validation_error[-1]:.2%}")
    if look.diverged:
        words.append(look.diverged)
    else:
        words.append(f"residual {look.residuals[look.free_steps - 1]:.1e}")
        words.append(f"mean states {_numbers(layer.mean() for layer in look.activity)}")
        words.append(f"weights move by {_numbers(norms[-1] for norms in look.movement)}")
    return f"epoch {look.epoch}: {', '.join(words)}"


def _numbers(values: Iterable[float]) -> str:
    return " ".join(f"{value:.2g}" for value in values)
