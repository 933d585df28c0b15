"""Shared functions for plots of errors. Colours differ together with markers or lines."""

from typing import TYPE_CHECKING

from cep.reproduction.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PERCENT_TICKS = (1, 2, 3, 5, 10, 20, 50, 100)
# The position, in percent, of runs that diverged, which have no error.
_DIVERGED = 140.0


def draw_seeds(ax: "Axes", x: float, trials: Trials, colour: str) -> None:
    """Draw small markers for several seeds; seeds that diverged are above all errors."""
    errors = [100 * outcome.test_error for outcome in trials.finished]
    if len(errors) > 1:
        ax.plot([x] * len(errors), errors, "_", color=colour, markersize=7, markeredgewidth=1)
    if trials.diverged:
        ax.plot(x, _DIVERGED, "x", color=colour, markersize=6, markeredgewidth=1.5)
        ax.annotate("diverged", (x, _DIVERGED), (0, 5), textcoords="offset points",
                    ha="center", fontsize="x-small")  # fmt: skip


def scale_errors(ax: "Axes") -> None:
    """Set a logarithmic axis of percent, for errors from 2 % to 90 %."""
    ax.set_yscale("log")
    ax.set_yticks(_PERCENT_TICKS, [f"{tick} %" for tick in _PERCENT_TICKS])
    ax.minorticks_off()
    low, high = ax.get_ylim()
    ax.set_ylim(max(1e-3, min(low, 1.5)), max(high, 110.0) * 1.1)
    ax.grid(alpha=0.3)
