"""Names of parameters in files: ``weights.0``, ``biases.0``, ….

They are numbered from the input; untied feedback adds ``feedback_weights.1``, ….
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEVICE = "device."
"""The prefix of the names of device tensors in files."""


def split(
    tensors: Mapping[str, NDArray[Any]],
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Separate the parameters of a file from the tensors of devices."""
    devices = {name: array for name, array in tensors.items() if name.startswith(DEVICE)}
    return {name: array for name, array in tensors.items() if name not in devices}, devices


def check_devices(
    devices: Mapping[str, NDArray[Any]], expected: Mapping[str, NDArray[Any]]
) -> None:
    """Raise a ValueError if tensors of devices have other names, shapes or types."""
    shapes = {name: (array.shape, array.dtype) for name, array in expected.items()}
    found = {name: (array.shape, array.dtype) for name, array in devices.items()}
    for name in [*shapes, *found]:
        if found.get(name) != shapes.get(name):
            raise ValueError(
                f"{name} must be of shape and dtype {shapes.get(name)}, found {found.get(name)}"
            )


def check(
    parameters: Mapping[str, NDArray[Any]], expected: Mapping[str, tuple[int, ...]], dtype: str
) -> None:
    """Raise a ValueError if parameters have other names or shapes than expected."""
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
