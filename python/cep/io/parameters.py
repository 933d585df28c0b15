"""Parameters by the names they have in files: ``weights.0``, ``biases.0``, ….

Counted from the input; with untied feedback ``feedback_weights.1``, … as well.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def check(
    parameters: Mapping[str, NDArray[Any]], expected: Mapping[str, tuple[int, ...]], dtype: str
) -> None:
    """Raise the ValueError where parameters are not of the names and shapes expected."""
    connections = sum(name.startswith("weights.") for name in expected)
    if len(parameters) != len(expected):
        raise ValueError(
            f"expected the parameters of {connections} connections, {len(expected)} of them, "
            f"found {len(parameters)}"
        )
    for name, array in parameters.items():
        if name not in expected:
            raise ValueError(
                f"expected the parameters of {connections} connections, found {name!r}"
            )
        if array.shape != expected[name]:
            raise ValueError(
                f"expected the parameter {name} to be of shape {expected[name]}, "
                f"found {array.shape}"
            )
        if array.dtype != np.dtype(dtype):
            raise ValueError(f"{name} is {array.dtype}, the network {dtype}")
