"""Plot of angles during training."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cep.plotting.plots import PALETTE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_MARKERS = "osD^v"


def plot_angles(
    records: Sequence[Mapping[str, Any]] | Sequence[Sequence[float | None]],
    ax: "Axes | None" = None,
    title: str = "",
    label: str = "",
) -> "Axes":
    """Plot angles against epochs: feedback to forward weights, and update to gradient.

    Below 90° feedback helps, and an update reduces the loss. A line marks 90°.

    Parameters
    ----------
    records : sequence of mapping, or sequence of sequence of float
        The records of a run (`RunResult.records`) whose ``diagnostics_kinds`` include
        ``"feedback_angles"`` or ``"gradient_angle"``; or the results of `Network.feedback_angles`
        after each epoch.
    ax : matplotlib.axes.Axes, optional
        The axes to draw on, for several runs in one plot; default: a new figure.
    title : str
        The title of the plot.
    label : str
        A prefix of the name of each curve, such as the name of the run.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the records contain no angles.
    ImportError
        If matplotlib is not installed.
    """
    curves = _curves(records)
    if not curves:
        raise ValueError(
            "the records contain no angles; record them with diagnostics_kinds="
            '("feedback_angles", "gradient_angle"), the first with untied feedback'
        )
    axes = new_figure(is_value=False).subplots() if ax is None else ax
    from matplotlib.lines import Line2D

    if ax is None:
        # An artist, unlike axhline, does not extend the axis beyond the data.
        across = axes.get_yaxis_transform()
        axes.add_artist(Line2D([0, 1], [90, 90], transform=across, color="0.4", linewidth=0.8))
    drawn = len(axes.get_legend_handles_labels()[0])
    for k, (name, epochs, angles) in enumerate(curves, start=drawn):
        style = ":" if name == "update to gradient" else "-"
        axes.plot(
            epochs,
            angles,
            color=PALETTE[k % len(PALETTE)],
            linestyle=style,
            marker=_MARKERS[k % len(_MARKERS)],
            markersize=4,
            label=f"{label}: {name}" if label else name,
        )
    axes.set(xlabel="epoch", ylabel="angle (°)", title=title)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return axes


def _curves(records: Sequence[Any]) -> list[tuple[str, list[float], list[float]]]:
    """The name, epochs and angles of each curve."""
    moments: list[tuple[float, Mapping[str, float | None]]] = []
    for number, entry in enumerate(records, start=1):
        if isinstance(entry, Mapping):
            epoch = entry["epoch"] - 1 + entry["batch"] / entry["batches"]
            feedback = enumerate(entry.get("feedback_angles") or [], start=1)
            angles = {_feedback(k): angle for k, angle in feedback}
            moments.append((epoch, {**angles, "update to gradient": entry.get("gradient_angle")}))
        else:
            moments.append((number, {_feedback(k): angle for k, angle in enumerate(entry)}))
    names = list(dict.fromkeys(name for _, angles in moments for name in angles))
    curves = []
    for name in names:
        found = [(epoch, angles[name]) for epoch, angles in moments if angles.get(name) is not None]
        if found:
            epochs, values = zip(*found, strict=True)
            curves.append((name, list(epochs), list(np.asarray(values, dtype=float))))
    return curves


def _feedback(connection: int) -> str:
    return f"feedback, connection {connection}"
