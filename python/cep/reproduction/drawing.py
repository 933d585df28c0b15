"""The figures, drawn. What differs in colour differs in marker or line too, for print in grey."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from cep.plots import BLUE, PALETTE, VERMILION, draw_curves, new_figure
from cep.reproduction import report
from cep.reproduction.published import FEEDBACK_ANGLES, error_at_angle
from cep.reproduction.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cep.reproduction.angle_figure import AngleSweep
    from cep.reproduction.correlation_figure import Correlation, CorrelationPoint
    from cep.reproduction.theorem_figure import TheoremCurves

_MARKERS = "osD^vPX*p"
_HOLLOW: dict[str, Any] = {"mfc": "none", "markersize": 8, "markeredgewidth": 1.5}
_PERCENT_TICKS = (1, 2, 3, 5, 10, 20, 50, 100)
# Percent: the place of runs that diverged, which have no error.
_DIVERGED = 140.0


def draw_angles(sweep: "AngleSweep") -> "Figure":
    """Draw errors against angles: means and every seed, beside what was published."""
    figure: Figure = new_figure(figsize=(5.6, 3.8))
    ax = figure.subplots()
    published = [error_at_angle(sweep.preset.name, angle) for angle in FEEDBACK_ANGLES]
    percents = [100 * error for error in published if error is not None]
    if percents:
        ax.plot(FEEDBACK_ANGLES, percents, "s--", color=VERMILION, mfc="none", label="published")
    means = [100 * trials.test_error.mean for trials in sweep.trials.values()]
    epochs = {report.epochs(trials, sweep.preset) for trials in sweep.trials.values()}
    label = f"cep, {' and '.join(sorted(epochs))} epochs"
    ax.plot(list(sweep.trials), means, "o-", color=BLUE, label=label)
    for angle, trials in sweep.trials.items():
        _draw_seeds(ax, angle, trials, BLUE)
    _scale_errors(ax)
    ax.set_ylabel("test error after learning")
    ax.set_xlabel("angle between feedback and forward weights before learning")
    ax.set_xticks(FEEDBACK_ANGLES, [f"{angle:g}°" for angle in FEEDBACK_ANGLES])
    ax.set_title(sweep.preset.name)
    ax.margins(x=0.08)
    ax.legend(frameon=False, loc="center left")
    return figure


def draw_theorem(curves: "TheoremCurves") -> "Figure":
    """Draw updates dashed and minus gradients solid: a row a rule, a column a layer."""
    figure: Figure = new_figure(figsize=(10, 8))
    panels = figure.subplots(len(curves.rules), 4, sharex=True)
    for row, (name, rule) in zip(panels, curves.rules.items(), strict=True):
        for ax, (panel, drawn) in zip(row, rule.panels.items(), strict=True):
            draw_curves(ax, drawn)
            # To the right, as matplotlib writes a power of ten on the left.
            ax.set_title(f"{name}: {panel}", fontsize="medium", loc="right")
    for ax in panels[-1]:
        ax.set_xlabel("step t")
    figure.suptitle(
        f"{curves.setting} setting: updates (dashed) and minus the gradients of BPTT (solid)"
    )
    return figure


def draw_correlation(correlation: "Correlation") -> "Figure":
    """Draw errors against angles, a marker a preset; the published points are hollow."""
    figure: Figure = new_figure(figsize=(10, 4.4))
    panels = figure.subplots(1, 2, sharey=True)
    names = dict.fromkeys(point.preset.name for point in correlation.points)
    styles = zip(names, itertools.cycle(PALETTE), itertools.cycle(_MARKERS), strict=False)
    for name, colour, marker in styles:
        points = [point for point in correlation.points if point.preset.name == name]
        for column, ax in enumerate(panels):
            _draw_points(ax, points, column, colour, marker)
        for point in points:
            if point.published_angle is not None and point.published_error is not None:
                angle, percent = point.published_angle, 100 * point.published_error
                panels[1].plot(angle, percent, marker, color=colour, **_HOLLOW)
    panels[1].plot([], [], "o", color="grey", **_HOLLOW, label="hollow: published")
    titles = ("all steps", "without step t = 0, as in the paper's code")
    for ax, title in zip(panels, titles, strict=True):
        _scale_errors(ax)
        ax.set_title(title, fontsize="medium")
        ax.margins(x=0.12)
        ax.xaxis.set_major_formatter("{x:g}°")
    panels[0].set_ylabel("test error after learning")
    figure.supxlabel("angle of total update to total gradient before learning", fontsize="medium")
    figure.legend(*panels[1].get_legend_handles_labels(), loc="outside right center", frameon=False)
    return figure


def _draw_points(
    ax: "Axes", points: "Sequence[CorrelationPoint]", column: int, colour: str, marker: str
) -> None:
    """Draw a preset: its row of the table, and its feedback angles joined in their order."""
    for point in points:
        if point.feedback_angle is None:
            mean = 100 * point.trials.test_error.mean
            label = point.preset.name
            ax.plot(point.angles[column], mean, marker, color=colour, markersize=8, label=label)
        _draw_seeds(ax, point.angles[column], point.trials, colour)
    joined = [point for point in points if point.feedback_angle is not None]
    if joined:
        angles = [point.angles[column] for point in joined]
        means = [100 * point.trials.test_error.mean for point in joined]
        first, last = joined[0].feedback_angle, joined[-1].feedback_angle
        label = f"{joined[0].preset.name}, feedback {first:g}° to {last:g}°"
        ax.plot(angles, means, f"{marker}:", color=colour, markersize=4, linewidth=1, label=label)


def _draw_seeds(ax: "Axes", x: float, trials: Trials, colour: str) -> None:
    """Draw each seed small, where there are several, and those that diverged above all errors."""
    errors = [100 * outcome.test_error for outcome in trials.finished]
    if len(errors) > 1:
        ax.plot([x] * len(errors), errors, "_", color=colour, markersize=7, markeredgewidth=1)
    if trials.diverged:
        ax.plot(x, _DIVERGED, "x", color=colour, markersize=6, markeredgewidth=1.5)
        ax.annotate("diverged", (x, _DIVERGED), (0, 5), textcoords="offset points",
                    ha="center", fontsize="x-small")  # fmt: skip


def _scale_errors(ax: "Axes") -> None:
    """Percent on a logarithmic axis: 2 % and 90 % on one picture."""
    ax.set_yscale("log")
    ax.set_yticks(_PERCENT_TICKS, [f"{tick} %" for tick in _PERCENT_TICKS])
    ax.minorticks_off()
    low, high = ax.get_ylim()
    ax.set_ylim(max(1e-3, min(low, 1.5)), max(high, 110.0) * 1.1)
    ax.grid(alpha=0.3)
