"""Gradient estimators: the estimate of the gradient of the loss by each rule."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cep._engine.words import BIASES, FEEDBACK_WEIGHTS, WEIGHTS
from cep._util import validation
from cep.learning import rules
from cep.network.network import Network


@dataclass(frozen=True, eq=False)
class Gradient:
    """dL/dθ of the mean loss L of a batch, with the shapes of the parameters."""

    weights: list[NDArray[Any]] = field(repr=False)
    """For each connection, input first: units of layer k+1 × units of layer k."""
    biases: list[NDArray[Any]] = field(repr=False)
    """For each layer except the input."""
    feedback_weights: list[NDArray[Any] | None] = field(repr=False)
    """Units of layer k × units of layer k+1; None for a connection without feedback weights."""
    loss: float
    """L at the end of the free phase."""
    errors: int
    """Wrong predictions at the end of the free phase."""

    def flatten(self, *, biases: bool = True) -> NDArray[np.float64]:
        """All numbers as one float64 vector, in the order of `Network.parameters`.

        Weights, then biases if requested, then feedback weights.
        """
        arrays = [*self.weights, *(self.biases if biases else [])]
        arrays += [v for v in self.feedback_weights if v is not None]
        return np.concatenate([np.ravel(array) for array in arrays], dtype=np.float64)

    def angle(self, other: "Gradient", *, biases: bool = False) -> float:
        """Degrees between the weights of this gradient and another, with biases if requested."""
        a, b = self.flatten(biases=biases), other.flatten(biases=biases)
        cosine = a @ b / np.sqrt((a @ a) * (b @ b))
        return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))

    def relative_error(self, exact: "Gradient") -> float:
        """``|self − exact| / |exact|`` over all parameters."""
        a, b = self.flatten(), exact.flatten()
        return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def gradient(net: Network, x: ArrayLike, y: ArrayLike, estimator: rules.LearningRule) -> Gradient:
    """The gradient of the loss on a batch, as estimated by a rule.

    The loss L is the mean over the batch at the end of the free phase. An estimate is the negative
    update of the rule at learning rate 1.

    Parameters
    ----------
    net : Network
        Its parameters and states do not change. An estimator with a random sign of β draws it from
        the network's stream, as `train_batch` does.
    x : array_like, batch × units of the input layer
        Real numbers, all finite.
    y : array_like
        Integer classes, one for each sample, or target values, batch × output units.
    estimator : EP, CEP, BPTT or RBP
        Only `CEP` uses its learning rates here.

    Returns
    -------
    Gradient
        ``.weights``, ``.biases``, ``.feedback_weights``, ``.loss``, ``.errors``.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value.
    DivergenceError
        If a state or gradient became infinite or not a number.

    Examples
    --------
    If the dynamics descend an energy, EP's estimate tends to the gradient as β → 0:

    >>> net = cep.Network([4, 6, 3], setting="real-time", follows_energy=True, clamp=False,
    ...                   dtype="float64", seed=0)
    >>> x, y = np.full((2, 4), 0.5), [0, 2]
    >>> estimate = cep.gradient(net, x, y, cep.EP(500, 500, 1e-3, beta_sign="symmetric"))
    >>> exact = cep.gradient(net, x, y, cep.BPTT(500))
    >>> bool(estimate.relative_error(exact) < 1e-5)
    True

    With the published equations the estimate lacks a factor at the output layer (see
    docs/equations.md): σ′ in the prototypical setting, ρ′ in the real-time one.
    """
    inputs, wanted = validation.samples(x, y, net.dtype, net.shapes[0])
    connections = len(net.edges)
    rule = rules.checked("estimator", estimator)._for_engine(connections)
    estimate, (samples, errors, loss_sum) = net._engine.gradient(
        inputs, wanted, rule, net._observer
    )

    def arrays(name: str) -> list[NDArray[Any]]:
        return [np.asarray(estimate.array(name, k)) for k in range(connections)]

    return Gradient(
        weights=arrays(WEIGHTS),
        biases=[np.asarray(estimate.array(BIASES, k)) for k in range(len(net.sizes) - 1)],
        feedback_weights=[
            np.asarray(estimate.array(FEEDBACK_WEIGHTS, k))
            if net._has_feedback_weights(k)
            else None
            for k in range(connections)
        ],
        loss=loss_sum / samples,
        errors=errors,
    )
