"""Parameters by the names they have in files: ``weights.0``, ``biases.0``, ….

Counted from the input; with untied feedback ``feedback_weights.1``, … as well.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cep.network import Network


def of(net: Network) -> dict[str, NDArray[Any]]:
    """All parameters of a network in place, by name."""
    return net._named_parameters()


DEVICE = "device."
"""Before the names of what devices are beside the parameters, in files."""


def of_devices(net: Network) -> dict[str, NDArray[Any]]:
    """All that the devices of a network are beside the parameters, in place, by name in files."""
    return {DEVICE + name: array for name, array in net._device_arrays().items()}


def split(
    tensors: Mapping[str, NDArray[Any]],
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """The tensors of a file that are parameters, and those of devices."""
    devices = {name: array for name, array in tensors.items() if name.startswith(DEVICE)}
    return {name: array for name, array in tensors.items() if name not in devices}, devices


def restore_devices(net: Network, devices: Mapping[str, NDArray[Any]]) -> None:
    """Copy what devices are into those of a network.

    Raises
    ------
    ValueError
        For tensors of other names, shapes or types. Nothing changes then.
    """
    views = of_devices(net)
    expected = {name: (array.shape, array.dtype) for name, array in views.items()}
    found = {name: (array.shape, array.dtype) for name, array in devices.items()}
    for name in [*expected, *found]:
        if found.get(name) != expected.get(name):
            raise ValueError(
                f"{name} must be of shape and dtype {expected.get(name)}, found {found.get(name)}"
            )
    for name, array in views.items():
        array[...] = devices[name]


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


def restore(net: Network, parameters: Mapping[str, NDArray[Any]]) -> None:
    """Copy parameters, which were checked, into a network."""
    for name, array in of(net).items():
        array[...] = parameters[name]
