"""The network that an estimator describes, made anew from arrays whenever one is needed.

A fitted estimator keeps its parameters as plain arrays. So it can be copied, pickled and used by
several threads at once, which a network cannot.
"""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cep.network.network import Network

Arrays = list[NDArray[Any]]
# Weights, biases and feedback weights.
Parameters = tuple[Arrays, Arrays, Arrays]


@dataclass(frozen=True)
class Architecture:
    """All that a network is but its parameters; fields as for `Network`."""

    sizes: tuple[int, ...]
    setting: str
    activation: str
    dt: float
    clamp: bool
    feedback: str
    feedback_angle: float
    dtype: str

    def new_network(self, seed: int) -> Network:
        """A network with parameters as freshly drawn."""
        options: dict[str, Any] = {name: getattr(self, name) for name in OPTIONS}
        return Network(self.sizes, seed=seed, **options)

    def network(self, parameters: Parameters) -> Network:
        """A network with these parameters."""
        coefs, intercepts, feedback_coefs = parameters
        net = self.new_network(seed=0)
        for k, (coef, intercept) in enumerate(zip(coefs, intercepts, strict=True)):
            net.weights[k] = coef.T
            net.biases[k] = intercept
        for k, coef in enumerate(feedback_coefs, start=1):
            net.feedback_weights[k] = coef
        return net


# The fields that are hyperparameters of an estimator, and options of a network, by the same name.
OPTIONS = tuple(field.name for field in fields(Architecture) if field.name != "sizes")


def parameters_of(net: Network) -> Parameters:
    """Copies of a network's parameters, in the shapes of `EPClassifier`'s attributes."""
    return (
        [np.ascontiguousarray(weights.T) for weights in net.weights],
        [biases.copy() for biases in net.biases],
        [weights.copy() for weights in net.feedback_weights if weights is not None],
    )
