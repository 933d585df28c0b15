"""The picture of what units of the first hidden layer look for in the input."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from cep import _arguments
from cep.network import Network
from cep.plots import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_weights(
    net: Network, units: int | Iterable[int] = 25, shape: tuple[int, int] | None = None
) -> "Figure":
    """Draw receptive fields: the weights from the input to units of layer 1, a picture a unit.

    All pictures have one scale of colours, blue below 0, red above.

    Parameters
    ----------
    net : Network
        Its ``weights[0]`` are drawn.
    units : int or iterable of int
        How many units of layer 1, from the first on, or which.
    shape : (rows, columns), optional
        Of the input as a picture; default: a square.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value, and where the input is no square and `shape` is
        not given.
    ImportError
        Where matplotlib is not installed.
    """
    _arguments.kind("net", net, Network, "cep.Network(…)")
    weights = np.array(net.weights[0])
    chosen = _units(units, len(weights))
    rows, columns = _shape(shape, weights.shape[1])
    across = math.ceil(math.sqrt(len(chosen)))
    down = math.ceil(len(chosen) / across)
    figure: Figure = new_figure(figsize=(1.0 * across + 0.9, 1.0 * down * rows / columns + 0.2))
    axes = figure.subplots(down, across, squeeze=False)
    largest = float(np.abs(weights[chosen]).max()) or 1.0
    for ax in axes.flat:
        ax.axis("off")
    image = None
    for ax, unit in zip(axes.flat, chosen, strict=False):
        field = weights[unit].reshape(rows, columns)
        image = ax.imshow(field, cmap="RdBu_r", vmin=-largest, vmax=largest)
        ax.set_title(str(unit), fontsize="xx-small", pad=2)
    assert image is not None
    figure.colorbar(image, ax=list(axes.flat), label="weight", shrink=0.8)
    return figure


def _units(units: int | Iterable[int], count: int) -> list[int]:
    if isinstance(units, Iterable):
        chosen = [_arguments.integer(f"units[{k}]", unit) for k, unit in enumerate(units)]
        if not chosen:
            raise ValueError("units names none")
        if wrong := [unit for unit in chosen if not 0 <= unit < count]:
            raise ValueError(f"there is no unit {wrong[0]}; those of layer 1 are 0 to {count - 1}")
        return chosen
    return list(range(min(_arguments.count("units", units), count)))


def _shape(shape: tuple[int, int] | None, inputs: int) -> tuple[int, int]:
    if shape is None:
        side = math.isqrt(inputs)
        if side * side != inputs:
            raise ValueError(f"{inputs} inputs are no square: give the shape of an input")
        return side, side
    try:
        rows, columns = shape
    except (TypeError, ValueError):
        raise TypeError(f"shape must be (rows, columns), got {shape!r}") from None
    rows, columns = _arguments.count("shape[0]", rows), _arguments.count("shape[1]", columns)
    if rows * columns != inputs:
        raise ValueError(f"shape {(rows, columns)} has {rows * columns} places for {inputs} inputs")
    return rows, columns
