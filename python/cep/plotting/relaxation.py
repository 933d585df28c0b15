"""Plot of the states in phase traces."""

import itertools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cep._util import validation
from cep.plotting.plots import BLUE, PALETTE, VERMILION, new_figure
from cep.plotting.protocols import Phases, PhaseTrace, Trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


_NUDGED_SHADE = "#E69F00"


def plot_relaxation(trace: Trace, sample: int = 0, units: int = 5, seed: int = 0) -> "Figure":
    """Plot how states relax: a row for each layer, with its states and its residual by step.

    All phases are drawn one after another, with nudged ones shaded. If weights moved, a last row
    shows the Frobenius norm of W(t) − W(0) of each connection.

    Parameters
    ----------
    trace : Trace
        The phases traced by `trace`.
    sample : int
        The index in the batch of the sample whose states are drawn. Residuals include all
        traced samples.
    units : int
        The number of units drawn of each layer, chosen at random; output layers of up to ten units
        are drawn completely.
    seed : int
        The seed of the choice.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value, and if nothing was traced.
    ImportError
        If matplotlib is not installed.
    """
    validation.kind("trace", trace, Phases, "cep.trace(…)")
    units = validation.count("units", units)
    layers = _layers(trace, validation.integer("sample", sample))
    moved = any(phase.weights is not None for phase in trace.phases)
    rows = len(layers) + moved
    figure: Figure = new_figure(figsize=(8.4, 2.0 * rows + 0.5))
    grid = figure.add_gridspec(rows, 2)
    first = None
    for row, layer in enumerate(layers):
        left = figure.add_subplot(grid[row, 0], sharex=first)
        first = left if first is None else first
        _draw_states(left, trace, layer, sample, units, seed)
        right = figure.add_subplot(grid[row, 1], sharex=first)
        _draw_residuals(right, trace, layer)
    if moved:
        _draw_movement(figure.add_subplot(grid[-1, :], sharex=first), trace)
    for ax in figure.axes:
        _shade_nudged(ax, trace)
        ax.set_xlabel("step")
        ax.grid(alpha=0.3)
    _name_nudged(figure.axes[1], trace)
    return figure


def _layers(trace: Trace, sample: int) -> list[int]:
    """The traced layers that relax."""
    if not trace.phases:
        raise ValueError("there is nothing to draw: no phase has been traced")
    states = trace.states
    layers = [k for k, kept in enumerate(states) if kept is not None and k > 0]
    if not layers:
        raise ValueError("there is nothing to draw: no layer above the input has been traced")
    first = states[layers[0]]
    assert first is not None
    if not 0 <= sample < first.shape[1]:
        raise ValueError(f"sample must be 0 to {first.shape[1] - 1}, got {sample}")
    return layers


def _spans(trace: Trace) -> list[tuple[PhaseTrace, NDArray[np.int64]]]:
    """Each phase, with the indices of its steps from the beginning of the trace."""
    ends = np.cumsum([0] + [phase.steps for phase in trace.phases])
    return [
        (phase, np.arange(start, start + phase.steps + 1))
        for phase, start in zip(trace.phases, ends, strict=False)
    ]


def _draw_states(ax: "Axes", trace: Trace, layer: int, sample: int, units: int, seed: int) -> None:
    is_output = layer == len(trace.states) - 1
    chosen: NDArray[np.int64] | None = None
    for phase, moments in _spans(trace):
        is_first = chosen is None
        states = phase.states[layer]
        assert states is not None
        states = states.reshape(*states.shape[:2], -1)
        if chosen is None:
            count = states.shape[2]
            few = count if is_output and count <= 10 else min(units, count)
            chosen = np.sort(np.random.default_rng(seed).permutation(count)[:few])
        colours = itertools.cycle(PALETTE)
        styles = itertools.chain(["-"] * len(PALETTE), itertools.cycle(["--"]))
        for unit, colour, style in zip(chosen, colours, styles, strict=False):
            values = states[:, sample, unit]
            label = str(unit) if is_first else None
            ax.plot(moments, values, color=colour, linestyle=style, linewidth=1.2, label=label)
    ax.set_ylabel("state")
    ax.set_title(f"{_name(trace, layer)}, sample {sample}", fontsize="medium")
    ax.legend(
        loc="center left",  # To the right of the panel, so that it covers no curve.
        bbox_to_anchor=(1.0, 0.5),
        title="unit",
        frameon=False,
        fontsize="x-small",
        title_fontsize="x-small",
    )


def _name(trace: Trace, layer: int) -> str:
    return "output" if layer == len(trace.states) - 1 else f"layer {layer}"


def _draw_residuals(ax: "Axes", trace: Trace, layer: int) -> None:
    for phase, moments in _spans(trace):
        residuals = phase.layer_residuals(layer)
        # A logarithmic axis cannot show 0, the residual of a step that changed nothing.
        residuals[residuals == 0] = np.nan
        colour = VERMILION if phase.beta else BLUE
        marker = "." if phase.steps < 2 else None
        label = "nudged phase" if phase.beta else "free phase"
        if label in ax.get_legend_handles_labels()[1]:
            label = "_" + label  # The legend names each kind once.
        ax.plot(moments[1:], residuals, color=colour, linewidth=1.4, marker=marker, label=label)
    ax.legend(frameon=False, fontsize="x-small")
    ax.set_yscale("log")
    ax.set_ylabel("max |Δs|")
    ax.set_title(f"{_name(trace, layer)}: residual", fontsize="medium")


def _draw_movement(ax: "Axes", trace: Trace) -> None:
    for phase, moments in _spans(trace):
        if phase.weights is None:
            continue
        styles = itertools.cycle(["-", "--", "-.", ":"])
        for k, (colour, style) in enumerate(
            zip(PALETTE[: len(phase.weights)], styles, strict=False)
        ):
            ax.plot(
                moments,
                phase.weight_movement(k),
                color=colour,
                linestyle=style,
                label=f"connection {k}" if phase is trace.nudged else None,
            )
    ax.set_ylabel("‖W(t) − W(0)‖")
    ax.set_title("change of the weights in the nudged phase", fontsize="medium")
    ax.legend(frameon=False, fontsize="small")


def _shade_nudged(ax: "Axes", trace: Trace) -> None:
    for phase, moments in _spans(trace):
        if phase.beta:
            ax.axvspan(moments[0], moments[-1], color=_NUDGED_SHADE, alpha=0.15, linewidth=0)


def _name_nudged(ax: "Axes", trace: Trace) -> None:
    for phase, moments in _spans(trace):
        if phase.beta:
            ax.annotate(
                f"nudged, β = {phase.beta:g}",
                (moments[-1], 0),
                xycoords=("data", "axes fraction"),
                xytext=(-3, 4),
                textcoords="offset points",
                ha="right",
                va="bottom",
                rotation=90,
                fontsize="x-small",
                color="0.3",
            )
