"""Pictures of what networks did. matplotlib is imported when one is drawn."""

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


# Okabe and Ito's palette, which colour-blind readers can tell apart.
BLUE, VERMILION = "#0072B2", "#D55E00"
PALETTE = (BLUE, VERMILION, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

# Dots per inch of pixel files.
DPI = 300

_PERCENT_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_LINEAR = {"value": "linear"}
# Logarithmic, with a place for 0: a residual is that where a step changed no bit.
_RESIDUALS = {"value": "symlog", "linthresh": 1e-10}
# Label, scale, and what is drawn in each panel.
_RECORD_PANELS = (
    ("residual", _RESIDUALS, ("free_residual", "nudged_residual")),
    ("mean energy", _LINEAR, ("free_energy", "nudged_energy")),
    ("weight norm", _LINEAR, ("weight_norms", "feedback_weight_norms")),
    ("feedback angle (°)", _LINEAR, ("feedback_angles",)),
    ("update to gradient (°)", _LINEAR, ("gradient_angle",)),
)


def plot_history(history: History, ax: "Axes | None" = None, title: str = "") -> "Axes":
    """Draw training, validation and test error against epochs, on a logarithmic axis.

    Parameters
    ----------
    history : History
        What `fit` returned.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure without it.
    title : str
        Of the picture.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax.figure.savefig(path)`` saves the picture.

    Raises
    ------
    ImportError
        Where matplotlib is not installed.
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
    """Draw what a run recorded against epochs, a panel a kind of record.

    Parameters
    ----------
    records : sequence of mapping
        Of `RunResult.records` or `RunDirectory.records`.
    history : History, optional
        Its error curves become the first panel.
    title : str
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        Where there is nothing to draw.
    ImportError
        Where matplotlib is not installed.
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
    """Draw a number that was recorded, or each of a list of them, one a connection."""
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
    """Write the figure that axes belong to."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    figure.savefig(path, dpi=DPI)


def plot_gdu(report: GDUReport, entries: int = 5, seed: int = 0) -> "Figure":
    """Draw what `gdu_check` found: updates dashed, minus gradients solid, a panel a layer.

    Parameters
    ----------
    report : GDUReport
        What `gdu_check` returned.
    entries : int
        Neurons or synapses drawn in each panel, chosen at random among those that move.
    seed : int
        Of the choice.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError
        Where it is no report.
    ImportError
        Where matplotlib is not installed.
    """
    validation.kind("report", report, GDUReport, "cep.gdu_check(…)")
    neurons = [curves for curves in report.states if curves is not None]
    feedback = [curves for curves in report.feedback_weights if curves is not None]
    rows: list[tuple[str, Sequence[Curves]]] = [("neurons", neurons), ("weights", report.weights)]
    if feedback:
        rows.append(("feedback weights", feedback))
    columns = len(report.weights)
    figure: Figure = new_figure(figsize=(3.6 * columns, 2.8 * len(rows)))
    panels = figure.subplots(len(rows), columns, squeeze=False, sharex=True)
    for (name, row), axes in zip(rows, panels, strict=True):
        # The input has no neurons that move; nor does feedback reach it: the last panels align.
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
    """Draw some entries of one pair of curves: updates dashed, minus gradients solid.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    curves : Curves
        Of a report of `gdu_check`.
    entries : int
        Neurons or synapses drawn, chosen at random among those that move.
    seed : int
        Of the choice.
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
    named = (("update", "--"), ("−gradient", "-"))
    handles = [Line2D([], [], color="black", linestyle=style, label=name) for name, style in named]
    ax.legend(handles=handles, frameon=False, fontsize="x-small")


def new_figure(*, is_value: bool = True, **options: Any) -> Any:
    """An empty figure; it takes the options of matplotlib's.

    A notebook shows it as a value, or, where it is none, when its cell ends.
    """
    Figure = import_extra("matplotlib.figure", "drawing", "plot").Figure
    if is_notebook() and is_value:
        # One of pyplot's own would be shown twice: as the value of its cell, and when that ends.
        _teach_notebook_to_show_figures()
    elif is_notebook() or "matplotlib.pyplot" in sys.modules:
        from matplotlib import pyplot

        return pyplot.figure(layout="constrained", **options)
    return Figure(layout="constrained", **options)


def plain_axes() -> "Axes":
    """Axes of a figure that pyplot knows nothing of: for files."""
    Figure = import_extra("matplotlib.figure", "drawing", "plot").Figure
    axes: Axes = Figure(layout="constrained").subplots()
    return axes


@cache
def _teach_notebook_to_show_figures() -> None:
    from matplotlib import pyplot

    # What the first of pyplot's figures does.
    pyplot.close(pyplot.figure())


def is_notebook() -> bool:
    """Whether a kernel runs the program: something that shows pictures."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None
