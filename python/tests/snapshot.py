"""Copies of a network's contents, to compare networks and to show that nothing has changed."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

import pytest
from numpy.typing import NDArray

import cep


def feedback_weights(net: cep.Network) -> list[NDArray[Any]]:
    """Views of the feedback weights of connections 1 … L−1; none in a tied network."""
    return [weights for weights in net.feedback_weights if weights is not None]


def parameters(net: cep.Network) -> list[NDArray[Any]]:
    """Copies of weights, biases and feedback weights."""
    return [array.copy() for array in (*net.weights, *net.biases, *feedback_weights(net))]


def states(net: cep.Network) -> list[NDArray[Any]]:
    """Copies of the states; none before the first phase."""
    try:
        return [state.copy() for state in net.states]
    except RuntimeError:
        return []


def fingerprint(net: cep.Network) -> str:
    """A hash of every bit of parameters and states, of their shapes and of the description."""
    digest = sha256(repr(net).encode())
    for array in parameters(net) + states(net):
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def same(first: list[NDArray[Any]], second: list[NDArray[Any]]) -> bool:
    """Whether two lists of arrays are equal bit for bit."""
    return len(first) == len(second) and all(
        a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
        for a, b in zip(first, second, strict=True)
    )


@contextmanager
def refused(net: cep.Network, error: type[Exception], message: str) -> Iterator[None]:
    """Expect this error with a matching message, and no change to the network.

    The message is searched for the regular expression. The type must be exactly this one.
    """
    before = fingerprint(net)
    with pytest.raises(error, match=message) as caught:
        yield
    assert caught.type is error
    assert fingerprint(net) == before, "the refused call has changed the network"
