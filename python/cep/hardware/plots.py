"""Plots of devices, and of their effects on weights and errors."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from cep._util import validation
from cep.devices.synapses import Ideal, PulsedSynapse
from cep.network.network import Network
from cep.plotting.plots import BLUE, PALETTE, VERMILION, new_figure, scale_errors

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_pulse_response(
    device: PulsedSynapse,
    directions: ArrayLike | None = None,
    devices: int = 20,
    weight: float | None = None,
    seed: int = 0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Plot the weight of devices after each pulse: mean, standard deviation and single devices.

    Parameters
    ----------
    device : PulsedSynapse
        The model.
    directions : array_like of int, optional
        1 for a pulse up, −1 for a pulse down. Default: up from bound to bound, and down again.
    devices : int
        The number of devices that are drawn from the model, each with separate noise.
    weight : float, optional
        The weight before the first pulse. Default: ``w_min``.
    seed : int
        The seed of the first device. Those of the others are the following numbers.
    ax : matplotlib.axes.Axes, optional
        The axes to draw on. Default: those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value.
    ImportError
        If matplotlib is not installed.
    """
    validation.kind("device", device, PulsedSynapse, "cep.hardware.LinearStep(...)")
    number = validation.count("devices", devices)
    if directions is None:
        pulses = min(round(1.5 * (device.w_max - device.w_min) / device.dw_min), 20_000)
        directions = np.repeat([1, -1], pulses)
    start = device.w_min if weight is None else weight
    first = validation.seed(seed)
    curves = np.array(
        [device.pulse_response(directions, start, seed=first + k) for k in range(number)]
    )
    axes = new_figure(is_value=False).subplots() if ax is None else ax
    count = np.arange(1, curves.shape[1] + 1)
    mean, spread = curves.mean(axis=0), curves.std(axis=0)
    for k, curve in enumerate(curves[:3]):
        label = None if k else "single devices"
        axes.plot(count, curve, color="0.75", linewidth=0.6, label=label)
    axes.fill_between(
        count, mean - spread, mean + spread, color=BLUE, alpha=0.25, label="± 1 deviation"
    )
    axes.plot(count, mean, color=BLUE, label=f"mean of {number} devices")
    for bound, label in ((device.w_min, "bounds"), (device.w_max, None)):
        axes.axhline(bound, color=VERMILION, linestyle=":", linewidth=1, label=label)
    axes.set(xlabel="pulse", ylabel="weight", title=device.name.replace("_", " "))
    axes.legend(frameon=False)
    return axes


def plot_weight_histogram(net: Network, bins: int = 60, ax: "Axes | None" = None) -> "Axes":
    """Plot histograms of the weights of each connection, with the bounds of their devices.

    Parameters
    ----------
    net : Network
        The network. Its bounds are shown without variation from device to device.
    bins : int
        The number of bins.
    ax : matplotlib.axes.Axes, optional
        The axes to draw on. Default: those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value.
    ImportError
        If matplotlib is not installed.
    """
    validation.kind("net", net, Network, "cep.Network(…)")
    number = validation.count("bins", bins)
    axes = new_figure(is_value=False).subplots() if ax is None else ax
    for k, weights in enumerate(net.weights):
        colour = PALETTE[k % len(PALETTE)]
        heights, edges = np.histogram(np.array(weights), number, density=True)
        axes.stairs(heights, edges, color=colour, label=f"connection {k}")
    bounded = [each for each in net.synapses if not isinstance(each, Ideal)]
    bounds = {getattr(each, name) for each in bounded for name in ("w_min", "w_max")}
    for number, bound in enumerate(sorted(bounds)):
        axes.axvline(bound, color="0.3", linestyle=":", label=None if number else "bounds")
    axes.set(xlabel="weight", ylabel="density", yscale="log")
    axes.legend(frameon=False)
    return axes


def plot_errors(
    errors: Mapping[str, Mapping[float, Sequence[float]]],
    label: str,
    ax: "Axes | None" = None,
    title: str = "",
) -> "Axes":
    """Plot errors against a swept quantity, with one line per rule and one point per seed.

    Parameters
    ----------
    errors : mapping of str to mapping of float to sequence of float
        The errors of all seeds, 0 to 1, by the name of the line ("EP", "C-EP") and the value of the
        quantity.
    label : str
        The name of the quantity. Its axis is logarithmic if all values are above 0.
    ax : matplotlib.axes.Axes, optional
        The axes to draw on. Default: those of a new figure.
    title : str
        The title of the plot.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If errors is not such a mapping, or is empty.
    ImportError
        If matplotlib is not installed.
    """
    if not isinstance(errors, Mapping):
        raise TypeError(f'errors must be such as {{"EP": {{0.1: [0.2, 0.3]}}}}, got {errors!r}')
    if not any(errors.values()):
        raise ValueError("errors has no points; expected one line or more with one point or more")
    axes = new_figure(is_value=False).subplots() if ax is None else ax
    for k, (name, points) in enumerate(errors.items()):
        colour, marker = PALETTE[k % len(PALETTE)], "osD^vPX"[k % 7]
        values = sorted(points)
        means = [100 * float(np.mean(points[value])) for value in values]
        axes.plot(values, means, color=colour, marker=marker, label=name)
        for value in values:
            seeds = [100 * error for error in points[value]]
            axes.plot([value] * len(seeds), seeds, ".", color=colour, alpha=0.4, markersize=4)
    if all(value > 0 for points in errors.values() for value in points):
        axes.set_xscale("log")
    axes.set(xlabel=label, ylabel="test error (%)", title=title)
    scale_errors(axes)
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    return axes
