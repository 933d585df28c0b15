"""A live view in a notebook: a figure that is updated in place."""

import io
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from cep._util.extras import import_extra
from cep.plotting.plots import BLUE, PALETTE, VERMILION, plot_history
from cep.training.live.screens import Screen
from cep.training.live.snapshots import Snapshot

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLES = ("-", "--", "-.", ":")


class NotebookScreen(Screen):
    """Draws each snapshot in the output of the running cell."""

    def __init__(self) -> None:
        # Raises an ImportError now, not after the first snapshot.
        _new_figure()
        self._display: Any = None

    def show(self, look: Snapshot, *, epoch_ended: bool) -> None:
        """Draw a snapshot."""
        from IPython.display import Image, display

        buffer = io.BytesIO()
        picture(look).savefig(buffer, format="png", dpi=144)
        image = Image(buffer.getvalue(), format="png", retina=True)  # type: ignore[no-untyped-call]
        if self._display is None:
            self._display = display(image, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._display.update(image)


def picture(look: Snapshot) -> "Figure":
    """A snapshot as a figure of four panels."""
    figure: Figure = _new_figure()
    (errors, residuals), (activity, movement) = figure.subplots(2, 2)
    so_far = "" if look.train_error is None else f", training error {look.train_error:.2%}"
    figure.suptitle(
        f"epoch {look.epoch} of {look.epochs}: {look.done:,} of {look.samples:,} samples{so_far}",
        fontsize="medium",
    )
    _draw_errors(errors, look)
    if look.diverged:
        residuals.set_title(look.diverged, fontsize="small", wrap=True)
        return figure
    _draw_residuals(residuals, look)
    _draw_activity(activity, look)
    _draw_movement(movement, look)
    return figure


def _new_figure() -> Any:
    Figure = import_extra("matplotlib.figure", "the live view in a notebook", "live").Figure
    # Not a figure of pyplot, which would be shown again when the cell ends.
    return Figure(figsize=(8.4, 5.6), layout="constrained")


def _draw_errors(ax: "Axes", look: Snapshot) -> None:
    if len(look.history):
        plot_history(look.history, ax=ax)
    else:
        ax.set(xlabel="epoch", ylabel="error (%)")
    ax.set_title("error", fontsize="medium")
    ax.set_xlim(1, max(2, look.epochs))


def _draw_residuals(ax: "Axes", look: Snapshot) -> None:
    steps = np.arange(1, len(look.residuals) + 1)
    # A logarithmic axis cannot show 0, the residual of a step that changed nothing.
    residuals = np.where(look.residuals > 0, look.residuals, np.nan)
    free = look.free_steps
    ax.semilogy(steps[:free], residuals[:free], color=BLUE, label="free")
    if free < len(steps):
        ax.semilogy(steps[free:], residuals[free:], color=VERMILION, linestyle="--", label="nudged")
    ax.set(xlabel="step", ylabel="max |Δs|")
    ax.set_title("residual", fontsize="medium")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize="small")


def _draw_activity(ax: "Axes", look: Snapshot) -> None:
    low = min(0.0, *(float(layer.min()) for layer in look.activity))
    high = max(1.0, *(float(layer.max()) for layer in look.activity))
    curves = enumerate(zip(look.activity, itertools.cycle(PALETTE), itertools.cycle(_STYLES)), 1)
    for number, (layer, colour, style) in curves:
        counts, edges = np.histogram(layer, bins=40, range=(low, high))
        shares = 100 * counts / layer.size
        ax.stairs(shares, edges, color=colour, linestyle=style, label=f"layer {number}")
    ax.set(xlabel="state after the free phase", ylabel="units (%)", yscale="log")
    ax.set_title("layer activity", fontsize="medium")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize="small")


def _draw_movement(ax: "Axes", look: Snapshot) -> None:
    curves = enumerate(zip(look.movement, itertools.cycle(PALETTE), itertools.cycle(_STYLES)))
    for k, (norms, colour, style) in curves:
        ax.plot(norms, color=colour, linestyle=style, marker=".", label=f"connection {k}")
    ax.set(xlabel="step of the nudged phase", ylabel="‖W(t) − W(0)‖", ylim=(0, None))
    when = "while nudged" if look.is_continual else "at the update"
    ax.set_title(f"weights moving {when}", fontsize="medium")
    ax.grid(alpha=0.3)
    ax.legend(frameon=False, fontsize="small")
