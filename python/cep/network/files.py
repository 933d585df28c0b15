"""Read networks from files written by `Network.save`."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from cep._util import validation
from cep.io import parameters
from cep.io.tensor_files import CheckpointError, TensorFile
from cep.network import connections as _connections
from cep.network import layers as _layers
from cep.network.layers import Layer, Shape
from cep.network.network import HARDWARE_OPTIONS, Network
from cep.network.options import NetworkOptions

# Options that files of earlier versions lack. They have their defaults then.
_LATER = {"loss", "nudging", "connections", *HARDWARE_OPTIONS}


def from_file(path: str | os.PathLike[str], content: TensorFile) -> Network:
    """The network in a file; the path is for messages.

    Raises
    ------
    CheckpointError
        If the contents of the file are inconsistent.
    """
    try:
        return _network(content.state, content.tensors)
    except (TypeError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is not a valid network file: {error}") from error


def _network(state: Any, tensors: Mapping[str, NDArray[Any]]) -> Network:
    options = _options(state["options"])
    tensors, devices = parameters.split(tensors)
    readout = validation.flag("readout", state.get("readout", False))
    layers = _layers.from_words(state["sizes"], readout=readout)
    # The sizes alone could require any amount of memory, so parameters of known kinds are checked
    # before the network is created.
    known = known_connections(options.get("connections", ()), _layers.shapes(layers))
    if known is not None:
        shapes = _layers.parameter_shapes(layers, known, options["feedback"])
        parameters.check(tensors, shapes, options["dtype"])
    net = Network(layers, **options)
    shapes = {name: array.shape for name, array in net._named_parameters().items()}
    parameters.check(tensors, shapes, options["dtype"])
    net._restore_parameters(tensors)
    net._restore_devices(devices)
    net.random_state = state["random_state"]
    return net


def known_connections(
    given: object, shapes: Sequence[Shape]
) -> list[tuple[int, int, Layer]] | None:
    """Connections outside the chain, with the layer that each would create; None if unknown."""
    found = []
    for k, each in enumerate(_connections.checked(given, shapes)):
        if not 0 <= each[0] < each[1] < len(shapes):
            raise ValueError(f"connections[{k}] joins no layers of this network: {each}")
        layer = _connections.layer(each, shapes)
        if layer is None:
            return None
        found.append((each[0], each[1], layer))
    return found


def _options(values: Any) -> Any:
    """All options, with the types that `Network` itself does not check."""
    if not isinstance(values, dict):
        raise TypeError(f"the options must be an object, got {type(values).__name__}")
    known = NetworkOptions.__annotations__.keys()
    if not known - _LATER <= values.keys() <= known:
        raise ValueError(
            f"expected the options {', '.join(NetworkOptions.__annotations__)}, "
            f"found {', '.join(values)}"
        )
    validation.integer("seed", values["seed"], highest=2**64 - 1)
    # NumPy would accept other texts as types.
    validation.choice("dtype", values["dtype"], ("float32", "float64"))
    validation.choice("feedback", values["feedback"], ("tied", "untied"))
    return values
