"""Gradients of the slow model, by finite differences of its steps."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy_model import Matrix, NumpyModel, loss_and_errors


def slopes_of(function: Callable[[], Any], array: Matrix, width: float = 1e-3) -> Matrix:
    """Central differences of fourth order, for each entry of the array."""
    slopes = []
    for place in np.ndindex(array.shape):
        value, found = array[place], []
        for shift in (-2, -1, 1, 2):
            array[place] = value + shift * width
            found.append(np.ravel(function()))
        array[place] = value
        far_below, below, above, far_above = found
        slopes.append((8 * (above - below) - (far_above - far_below)) / (12 * width))
    return np.reshape(slopes, (*array.shape, -1))


def bptt_gradient(model: NumpyModel, x: Matrix, y: Matrix, steps: int) -> list[Matrix]:
    """For the loss at the end of a free phase, in the order of a network's parameters."""

    def loss() -> float:
        return loss_and_errors(model.free_phase(x, steps)[-1], y)[0]

    return [slopes_of(loss, array)[..., 0] for array in model.parameters()]


def rbp_gradient(model: NumpyModel, x: Matrix, y: Matrix, steps: int) -> list[Matrix] | None:
    """The same at a steady state; None if it is not reached in this many steps.

    With J the Jacobian of a step, λ = (1 − Jᵀ)⁻¹ dL/ds, and dL/dθ = λᵀ ∂step/∂θ.
    """
    states = model.free_phase(x, steps)
    moved = model.step(states)
    if max(np.abs(one - other).max() for one, other in zip(states, moved, strict=True)) > 1e-12:
        return None

    def step() -> Matrix:
        return np.concatenate([layer.ravel() for layer in model.step(states)[1:]])

    jacobian = np.concatenate(
        [slopes_of(step, layer).reshape(layer.size, -1) for layer in states[1:]]
    ).T
    if np.abs(np.linalg.eigvals(jacobian)).max() > 0.95:
        return None
    of_loss = [np.zeros_like(layer) for layer in states[1:]]
    of_loss[-1] = (states[-1] - y) / len(y)
    outer = np.concatenate([each.ravel() for each in of_loss])
    adjoint = np.linalg.solve(np.eye(len(outer)) - jacobian.T, outer)
    return [slopes_of(lambda: adjoint @ step(), array)[..., 0] for array in model.parameters()]
