"""Plot of the receptive fields of the first hidden layer."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from cep._util import validation
from cep.plotting.plots import new_figure
from cep.plotting.protocols import Network

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_weights(
    net: Network, units: int | Iterable[int] = 25, shape: tuple[int, int] | None = None
) -> "Figure":
    """Plot receptive fields: the weights from the input to units of layer 1, one picture each.

    For a convolution it draws the kernels, one picture for each channel of layer 1, averaged over
    the channels of the input. All pictures share a colour scale, blue below 0, red above.

    Parameters
    ----------
    net : Network
        The network whose ``weights[0]`` are drawn.
    units : int or iterable of int
        The number of units of layer 1 to draw, or their indices.
    shape : (rows, columns), optional
        The shape of the input as a picture; default: that of its images, or a square. A kernel has
        its own shape.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value, and if the input is not a square and `shape` is
        not given.
    ImportError
        If matplotlib is not installed.
    """
    validation.kind("net", net, Network, "cep.Network(…)")
    weights = np.array(net.weights[0])
    chosen = _units(units, len(weights))
    if weights.ndim > 2:
        if shape is not None and tuple(shape) != weights.shape[2:]:
            raise ValueError(f"shape is {shape}; the kernels are {weights.shape[2:]}")
        rows, columns = weights.shape[2:]
        weights = weights.mean(axis=1).reshape(len(weights), -1)
    else:
        image = net.shapes[0]
        usual = image[1:] if shape is None and len(image) == 3 and image[0] == 1 else shape
        rows, columns = _shape(usual, weights.shape[1])
    across = math.ceil(math.sqrt(len(chosen)))
    down = math.ceil(len(chosen) / across)
    figure: Figure = new_figure(figsize=(1.1 * across + 0.9, 1.2 * down * rows / columns + 0.5))
    axes = figure.subplots(down, across, squeeze=False)
    largest = float(np.abs(weights[chosen]).max()) or 1.0
    for ax in axes.flat:
        ax.axis("off")
    picture = None
    for ax, unit in zip(axes.flat, chosen, strict=False):
        field = weights[unit].reshape(rows, columns)
        picture = ax.imshow(field, cmap="RdBu_r", vmin=-largest, vmax=largest)
        ax.set_title(str(unit), fontsize="x-small", pad=2)
    assert picture is not None
    figure.colorbar(picture, ax=list(axes.flat), label="weight", shrink=0.8)
    figure.suptitle("weights to units of layer 1", fontsize="medium")
    return figure


def _units(units: int | Iterable[int], count: int) -> list[int]:
    if isinstance(units, Iterable):
        chosen = [validation.integer(f"units[{k}]", unit) for k, unit in enumerate(units)]
        if not chosen:
            raise ValueError("units is empty; expected one unit or more")
        if wrong := [unit for unit in chosen if not 0 <= unit < count]:
            raise ValueError(
                f"unit {wrong[0]} does not exist; the units of layer 1 are 0 to {count - 1}"
            )
        return chosen
    return list(range(min(validation.count("units", units), count)))


def _shape(shape: tuple[int, int] | None, inputs: int) -> tuple[int, int]:
    if shape is None:
        side = math.isqrt(inputs)
        if side * side != inputs:
            raise ValueError(f"{inputs} inputs are not a square; give the shape of an input")
        return side, side
    try:
        rows, columns = shape
    except (TypeError, ValueError):
        raise TypeError(f"shape must be (rows, columns), got {shape!r}") from None
    rows, columns = validation.count("shape[0]", rows), validation.count("shape[1]", columns)
    if rows * columns != inputs:
        raise ValueError(f"shape {(rows, columns)} has {rows * columns} places for {inputs} inputs")
    return rows, columns
