"""Training on one batch."""

from typing import NamedTuple

from numpy.typing import ArrayLike

from cep._util import validation
from cep.learning import rules
from cep.learning.rules import LearningRule
from cep.network.network import Network


class BatchResult(NamedTuple):
    """The loss and errors of a batch at the end of the free phase, before the update."""

    loss: float
    """``(1/2B) Σ |s_L − y|²``."""
    errors: int
    """Wrong predictions."""


def train_batch(net: Network, x: ArrayLike, y: ArrayLike, rule: LearningRule) -> BatchResult:
    """Run both phases on one batch and update the parameters.

    Parameters
    ----------
    net : Network
        Trained in place. Its states are those at the end of the nudged phase.
    x : array_like, batch × units of the input layer
        Real numbers, all finite.
    y : array_like
        Integer classes, one for each sample, or target values, batch × output units.
    rule : EP, CEP, BPTT or RBP
        The learning rule, with learning rates.

    Returns
    -------
    BatchResult
        Loss and wrong predictions at the end of the free phase.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value.
    DivergenceError
        If a state became infinite or not a number; the parameters are those before the batch.
    """
    inputs, wanted = validation.samples(x, y, net.dtype, net.shapes[0])
    samples, errors, loss_sum = net._engine.train_batch(
        inputs, wanted, rules.checked("rule", rule)._for_engine(len(net.edges)), net._observer
    )
    net._free_steps = rule.free_steps
    return BatchResult(loss_sum / samples, errors)
