"""Plots of networks and training. matplotlib is imported when a plot is drawn."""

import itertools
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from cep._util import validation
from cep._util.extras import import_extra
from cep.plotting.protocols import Curves, GDUReport, History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


# The palette of Okabe and Ito, which colour-blind readers can distinguish.
BLUE, VERMILION = "#0072B2", "#D55E00"
PALETTE = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

# Dots per inch of pixel files.
DPI = 300

_PERCENT_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_LINEAR = {"value": "linear"}
# Logarithmic, but including 0, the residual of a step that changed nothing.
_RESIDUALS = {"value": "symlog", "linthresh": 1e-10}
# The label, scale and curves of each panel.
_RECORD_PANELS = (
    ("residual", _RESIDUALS, ("free_residual", "nudged_residual")),
    ("mean energy", _LINEAR, ("free_energy", "nudged_energy")),
    ("weight norm", _LINEAR, ("weight_norms", "feedback_weight_norms")),
    ("feedback angle (°)", _LINEAR, ("feedback_angles",)),
    ("update to gradient (°)", _LINEAR, ("gradient_angle",)),
)


def plot_history(history: History, ax: "Axes | None" = None, title: str = "") -> "Axes":
    """Plot training, validation and test error against epochs, on a logarithmic axis.

    Parameters
    ----------
    history : History
        The result of `fit`.
    ax : matplotlib.axes.Axes, optional
        The axes to draw on; default: a new figure.
    title : str
        The title of the plot.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax.figure.savefig(path)`` saves the plot.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    axes = new_figure(is_value=False).subplots() if ax is None else ax
    epochs = range(1, len(history) + 1)
    percent = [100 * error for error in history.train_error]
    axes.plot(epochs, percent, color=BLUE, linestyle="--", label="training (while learning)")
    if history.validation_error:
        percent = [100 * error for error in history.validation_error]
        axes.plot(epochs, percent, color=VERMILION, label="validation")
    if history.test_error:
        percent = [100 * error for error in history.test_error]
        axes.plot(epochs, percent, color=PALETTE[2], linestyle="-.", label="test")
    if any([*history.train_error, *history.validation_error, *history.test_error]):
        scale_errors(axes)
    axes.set(xlabel="epoch", ylabel="error (%)", title=title)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return axes


def scale_errors(axes: "Axes") -> None:
    """Draw errors in percent on a logarithmic axis, which shows small differences too."""
    axes.set_yscale("log", nonpositive="clip")
    low, high = axes.get_ylim()
    axes.set_yticks(_PERCENT_TICKS, [f"{tick:g}" for tick in _PERCENT_TICKS])
    axes.minorticks_off()
    axes.set_ylim(max(low, _PERCENT_TICKS[0]), high)


def plot_records(
    records: Sequence[Mapping[str, Any]], history: History | None = None, title: str = ""
) -> "Figure":
    """Plot the records of a run against epochs, one panel for each kind of record.

    Parameters
    ----------
    records : sequence of mapping
        `RunResult.records` or `RunDirectory.records`.
    history : History, optional
        Its error curves become the first panel.
    title : str
        The title of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is nothing to draw.
    ImportError
        If matplotlib is not installed.
    """
    panels = [
        (label, scale, names)
        for label, scale, names in _RECORD_PANELS
        if any(record.get(name) is not None for record in records for name in names)
    ]
    curves = history is not None and len(history) > 0
    if not panels and not curves:
        raise ValueError("there is nothing to draw: no finished epoch and no records")
    rows = len(panels) + curves
    figure: Figure = new_figure(figsize=(6.4, 2.2 * rows + 0.6))
    axes = list(figure.subplots(rows, 1, squeeze=False, sharex=True)[:, 0])
    figure.suptitle(title)
    if history is not None and curves:
        plot_history(history, ax=axes.pop(0))
    for ax, (label, scale, names) in zip(axes, panels, strict=True):
        colours = itertools.cycle(PALETTE)
        for name in names:
            _draw_record(ax, records, name, colours)
        ax.set_ylabel(label)
        ax.set_yscale(**scale)
        ax.grid(alpha=0.3)
        ax.legend(frameon=False, fontsize="small")
    for ax in figure.axes:
        ax.set_xlabel("epoch")
        ax.tick_params(labelbottom=True)
    return figure


def _draw_record(
    ax: "Axes", records: Sequence[Mapping[str, Any]], name: str, colours: Iterator[str]
) -> None:
    """Draw a recorded number, or each of a list of them, one for each connection."""
    found = [record for record in records if record.get(name) is not None]
    if not found:
        return
    epochs = [record["epoch"] - 1 + record["batch"] / record["batches"] for record in found]
    values = np.array([record[name] for record in found], dtype=float)
    label = name.replace("_", " ")
    if values.ndim == 1:
        ax.plot(epochs, values, color=next(colours), label=label)
        return
    first = 1 if name.startswith("feedback") else 0
    for k, column in enumerate(values.T, start=first):
        ax.plot(epochs, column, color=next(colours), label=f"{label.rstrip('s')}, connection {k}")


def save(axes: "Axes", path: "os.PathLike[str]") -> None:
    """Save the figure of the axes."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.savefig(path, dpi=DPI)


def plot_gdu(report: GDUReport, entries: int = 5, seed: int = 0) -> "Figure":
    """Plot the result of `gdu_check`: updates dashed, negative gradients solid, a panel per layer.

    Parameters
    ----------
    report : GDUReport
        The result of `gdu_check`.
    entries : int
        Neurons or synapses drawn in each panel, chosen at random among those that move.
    seed : int
        The seed of the choice.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError
        If the argument is not a report.
    ImportError
        If matplotlib is not installed.
    """
    validation.kind("report", report, GDUReport, "cep.gdu_check(…)")
    neurons = [curves for curves in report.states if curves is not None]
    feedback = [curves for curves in report.feedback_weights if curves is not None]
    rows: list[tuple[str, Sequence[Curves]]] = [("neurons", neurons), ("weights", report.weights)]
    if feedback:
        rows.append(("feedback weights", feedback))
    columns = len(report.weights)
    figure: Figure = new_figure(figsize=(3.3 * columns, 2.5 * len(rows)))
    panels = figure.subplots(len(rows), columns, squeeze=False, sharex=True)
    for (name, row), axes in zip(rows, panels, strict=True):
        # The input has no moving neurons and gets no feedback, so panels are aligned at the right.
        offset = columns - len(row)
        for ax in axes[:offset]:
            ax.axis("off")
        for k, (curves, ax) in enumerate(zip(row, axes[offset:], strict=True)):
            place = f"layer {k + 1}" if name == "neurons" else f"connection {k + offset}"
            draw_curves(ax, curves, entries, seed)
            ax.set_title(f"{name}, {place}", fontsize="medium", loc="right")
    figure.suptitle(f"updates and negative gradients; angle of the totals {report.angle:.1f}°")
    return figure


def draw_curves(ax: "Axes", curves: Curves, entries: int = 5, seed: int = 0) -> None:
    """Draw some entries of a pair of curves: updates dashed, negative gradients solid.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The axes to draw on.
    curves : Curves
        Curves of a report of `gdu_check`.
    entries : int
        Neurons or synapses drawn, chosen at random among those that move.
    seed : int
        The seed of the choice.
    """
    from matplotlib.lines import Line2D

    chosen = curves.some_entries(entries, seed)
    pairs = zip(chosen.updates.T, chosen.gradients.T, itertools.cycle(PALETTE), strict=False)
    for update, gradient, colour in pairs:
        ax.plot(gradient, color=colour, linewidth=1.2, alpha=0.7)
        ax.plot(update, color=colour, linewidth=1.8, linestyle="--")
    ax.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
    ax.set(xlabel="step t", ylabel="update, −gradient")
    ax.tick_params(labelbottom=True)
    ax.grid(alpha=0.3)
    handles = [
        Line2D([], [], color="black", linestyle="--", label="update"),
        Line2D([], [], color="black", linestyle="-", label="−gradient"),
    ]
    ax.legend(handles=handles, frameon=False, fontsize="x-small")


def new_figure(*, is_value: bool = True, **options: Any) -> Any:
    """Create an empty figure with matplotlib's options.

    A notebook shows it as the value of a cell, or otherwise when the cell ends.
    """
    Figure = import_extra("matplotlib.figure", "drawing", "plot").Figure
    if is_notebook() and is_value:
        # A figure of pyplot would be shown twice: as the value of its cell and when the cell ends.
        _teach_notebook_to_show_figures()
    elif is_notebook() or "matplotlib.pyplot" in sys.modules:
        from matplotlib import pyplot

        return pyplot.figure(layout="constrained", **options)
    return Figure(layout="constrained", **options)


def plain_axes() -> "Axes":
    """Axes of a figure that is independent of pyplot, for files."""
    Figure = import_extra("matplotlib.figure", "drawing", "plot").Figure
    axes: Axes = Figure(layout="constrained").subplots()
    return axes


@cache
def _teach_notebook_to_show_figures() -> None:
    from matplotlib import pyplot

    # pyplot's first figure does the same.
    pyplot.close(pyplot.figure())


def is_notebook() -> bool:
    """Whether the program runs in a notebook, which shows pictures."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
