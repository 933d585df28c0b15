"""Evaluation of a network."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cep._util import validation
from cep.network.network import Network

# (x, y), or an iterable of batches (x, y).
Data = tuple[ArrayLike, ArrayLike] | Iterable[tuple[ArrayLike, ArrayLike]]


class Evaluation(NamedTuple):
    """The error and loss of a network."""

    error: float
    """Share of wrong predictions, 0 to 1."""
    loss: float
    """Mean over the samples of ``½ |s_L − y|²``."""


def evaluate(net: Network, data: Data, steps: int | None = None) -> Evaluation:
    """Error rate and loss at the end of a free phase.

    Parameters
    ----------
    net : Network
        Its parameters and states do not change.
    data : (x, y) or iterable of (x, y)
        Inputs, samples × units, and integer classes or target values; or batches of them.
    steps : int, optional
        Steps of the free phase, 1 or more. Default: as for `Network.predict`.

    Returns
    -------
    Evaluation
        Share of wrong predictions, and mean loss.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value.
    """
    batches = data if is_batches(data) else [validation.pair("data", data)]
    samples, errors, loss_sum = 0, 0, 0.0
    for batch in batches:
        x, y = validation.pair("a batch of the data", batch)
        inputs, wanted = validation.samples(x, y, net.dtype, net.shapes[0])
        done, wrong, losses = net._engine.evaluate(inputs, wanted, net._steps(inputs, steps))
        samples, errors, loss_sum = samples + done, errors + wrong, loss_sum + losses
    if not samples:
        raise ValueError("data has no batches; expected one or more")
    return Evaluation(errors / samples, loss_sum / samples)


def is_batches(data: object) -> bool:
    """Whether data are batches of pairs, not one pair (x, y)."""
    if isinstance(data, (tuple, list)):
        is_pairs = all(isinstance(each, (tuple, list)) and len(each) == 2 for each in data)
        return isinstance(data, list) and bool(data) and is_pairs and np.ndim(data[0][0]) > 1
    return isinstance(data, Iterable) and not isinstance(data, (str, bytes, dict, np.ndarray))
