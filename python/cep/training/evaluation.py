"""How well a network predicts."""

from typing import NamedTuple

from numpy.typing import ArrayLike

from cep._util import validation
from cep.network.network import Network

Data = tuple[ArrayLike, ArrayLike]


class Evaluation(NamedTuple):
    """How well a network predicts."""

    error: float
    """Share of wrong predictions, 0 to 1."""
    loss: float
    """Mean over the samples of ``½ |s_L − y|²``."""


def evaluate(net: Network, data: Data, steps: int) -> Evaluation:
    """Error rate and loss at the end of a free phase.

    Parameters
    ----------
    net : Network
        Neither its parameters nor its states change.
    data : (x, y)
        Inputs, samples × units, and integer classes or target values.
    steps : int
        Steps of the free phase, 1 or more.

    Returns
    -------
    Evaluation
        Share of wrong predictions, and mean loss.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value.
    """
    inputs, wanted = validation.samples(*validation.pair("data", data), net.dtype, net.shapes[0])
    samples, errors, loss_sum = net._engine.evaluate(
        inputs, wanted, validation.integer("steps", steps)
    )
    return Evaluation(errors / samples, loss_sum / samples)
