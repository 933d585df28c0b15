"""A live view as text in a terminal, by rich."""

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cep._util.extras import needs
from cep.training.live.charts import Curve, bars, braille, resampled
from cep.training.live.screens import Screen
from cep.training.live.snapshots import Snapshot

try:
    from rich.console import Console, Group
    from rich.constrain import Constrain
    from rich.live import Live
    from rich.panel import Panel
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text
except ImportError as error:
    raise ImportError(needs("the live view in a terminal", error, "live")) from error

if TYPE_CHECKING:
    from rich.console import RenderableType

_HEIGHT = 6
# Columns of a panel. A narrower terminal has one panel in a row.
_NARROWEST = 36
# Free columns at the right: the echo of Ctrl-C would otherwise break the last line.
_ECHO = 4


class TerminalScreen(Screen):
    """Draws each snapshot over the previous one; the last one stays.

    Parameters
    ----------
    console : rich.console.Console, optional
        Default: standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = Console(stderr=True) if console is None else console
        # Printed text goes above the view if both use the same terminal.
        self._live = Live(
            console=self._console, auto_refresh=False, redirect_stdout=sys.stdout.isatty()
        )

    def __enter__(self) -> "TerminalScreen":
        self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._live.stop()

    def show(self, look: Snapshot, *, epoch_ended: bool) -> None:
        """Draw a snapshot."""
        width = self._console.width - _ECHO
        self._live.update(Constrain(view(look, width), width), refresh=True)

    def move(self, look: Snapshot) -> None:
        """Draw a snapshot within an epoch."""
        self.show(look, epoch_ended=False)


def view(look: Snapshot, width: int) -> "RenderableType":
    """A snapshot as rich prints it, `width` columns wide."""
    columns = 2 if width >= 2 * _NARROWEST else 1
    inside = width // columns - 4
    moving = "‖W(t) − W(0)‖ " + ("while nudged" if look.is_continual else "at the update")
    panels = [
        Panel(_errors(look, inside), title="error"),
        Panel(_residuals(look, inside), title="residual, max |Δs|"),
        Panel(_activity(look, inside), title="states after the free phase"),
        Panel(_movement(look, inside), title=moving),
    ]
    grid = Table.grid(expand=True)
    for _ in range(columns):
        grid.add_column(ratio=1)
    for first in range(0, len(panels), columns):
        grid.add_row(*panels[first : first + columns])
    return Group(_heading(look, width), grid)


def _heading(look: Snapshot, width: int) -> Table:
    heading = Table.grid(expand=True, padding=(0, 1))
    heading.add_column(no_wrap=True)
    heading.add_column(ratio=1)
    heading.add_column(no_wrap=True, justify="right")
    so_far = ""
    if look.train_error is not None and width >= 2 * _NARROWEST:
        so_far = f", training error {look.train_error:.2%}"
    heading.add_row(
        f"epoch {look.epoch} of {look.epochs}",
        ProgressBar(look.samples, look.done),
        f"{look.done:,} of {look.samples:,} samples{so_far}",
    )
    return heading


def _errors(look: Snapshot, width: int) -> "RenderableType":
    history = look.history
    if not len(history):
        return _lines(["no epoch has ended yet"], _HEIGHT + 3)
    # Logarithmic: most of the training happens at small errors.
    every = np.array([*history.train_error, *history.validation_error])
    low = every[every > 0].min(initial=1.0)
    high = max(low, every.max())
    curves, legend = [], []
    for errors, name in (
        (history.train_error, "┄ training"),
        (history.validation_error, "─ validation"),
    ):
        if errors:
            logarithms = np.log10(np.maximum(errors, low))
            curves.append(Curve(list(logarithms), dashed=name.startswith("┄")))
            legend.append(f"{name} {errors[-1]:.2%}")
    labels = (f"{100 * low:.2g} %", f"{100 * high:.2g} %")
    return _chart(curves, width, (math.log10(low), math.log10(high)), labels, legend)


def _residuals(look: Snapshot, width: int) -> "RenderableType":
    positive = look.residuals[look.residuals > 0]
    if look.diverged or not positive.size:
        return _lines([look.diverged or "no step changed a state"], _HEIGHT + 3)
    # Steps that changed nothing get the lowest positive residual.
    logarithms = np.log10(np.maximum(look.residuals, positive.min()))
    low, high = float(logarithms.min()), float(logarithms.max())
    legend = [f"free {look.residuals[look.free_steps - 1]:.0e}"]
    if look.free_steps < len(look.residuals):
        legend.append(f"nudged from step {look.free_steps}: {look.residuals[-1]:.0e}")
    labels = (f"{10**low:.0e}", f"{10**high:.0e}")
    nudged_at = look.free_steps / len(look.residuals)
    return _chart([Curve(list(logarithms))], width, (low, high), labels, legend, nudged_at)


def _chart(
    curves: Sequence[Curve],
    width: int,
    ends: tuple[float, float],
    labels: tuple[str, str],
    legend: Sequence[str],
    mark: float = 1.0,
) -> "RenderableType":
    """Curves with an axis, its limits and labels, a mark, and a legend of up to two lines."""
    margin = max(map(len, labels))
    columns = max(4, width - margin - 2)
    marked = min(columns, round(mark * columns))
    lines = []
    for number, row in enumerate(braille(curves, columns, _HEIGHT, *ends)):
        label = {0: labels[1], _HEIGHT - 1: labels[0]}.get(number, "")
        line = Text(f"{label:>{margin}} │")
        line.append(row[:marked], style="bright_blue")
        line.append(row[marked:], style="yellow")
        lines.append(line)
    lines.append(Text(" " * margin + " └" + "─" * columns))
    return Group(*lines, _lines(legend, 2))


def _activity(look: Snapshot, width: int) -> "RenderableType":
    """Histograms of the states of each layer."""
    if look.diverged:
        return _lines([""], len(look.activity) + 1)
    low = min(0.0, *(float(layer.min()) for layer in look.activity))
    high = max(1.0, *(float(layer.max()) for layer in look.activity))
    columns = max(8, width - 22)
    grid = _grid()
    for number, layer in enumerate(look.activity, start=1):
        counts, _ = np.histogram(layer, bins=columns, range=(low, high))
        # With square roots, small numbers of units are visible next to large ones.
        shares = np.sqrt(counts)
        picture = Text(bars(list(shares), 0, float(shares.max())), style="bright_blue")
        grid.add_row(f"layer {number}", picture, f"mean {layer.mean():.2f}")
    ends = f"{low:.3g}{'states':^{columns - len(f'{low:.3g}{high:.3g}')}}{high:.3g}"
    grid.add_row("", ends, "")
    return grid


def _movement(look: Snapshot, width: int) -> "RenderableType":
    if look.diverged:
        return _lines([""], len(look.activity) + 1)
    columns = max(8, width - 25)
    grid = _grid()
    for k, norms in enumerate(look.movement):
        picture = Text(_rising(norms, columns), style="yellow")
        grid.add_row(f"connection {k}", picture, f"{norms[-1]:.2e}")
    last = len(look.movement[0]) - 1
    grid.add_row("", f"0{'step':^{columns - 1 - len(str(last))}}{last}", "")
    return grid


def _rising(norms: NDArray[np.float64], columns: int) -> str:
    return bars(list(resampled(list(norms), columns)), 0, float(norms.max()))


def _grid() -> Table:
    grid = Table.grid(padding=(0, 1))
    for _ in range(3):
        grid.add_column(no_wrap=True)
    return grid


def _lines(lines: Sequence[str], height: int) -> "RenderableType":
    """Text of `height` lines, which are truncated if they are too long."""
    text = "\n".join([*lines, *[""] * (height - len(lines))])
    return Text(text, overflow="ellipsis", no_wrap=True)
