"""Where a live view is shown."""

import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager

from cep.training.live.snapshots import Snapshot


class Screen(AbstractContextManager["Screen"]):
    """Shows looks at a network, as lines on standard error: one an epoch."""

    def __exit__(self, *exception: object) -> None:
        """Leave it as it should stay."""

    def show(self, look: Snapshot, *, epoch_ended: bool) -> None:
        """Show a new look."""
        if epoch_ended:
            print(line(look), file=sys.stderr, flush=True)

    def move(self, look: Snapshot) -> None:
        """Show how far the epoch has come, the rest of the look being an older one."""


def line(look: Snapshot) -> str:
    """A look in words."""
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
