"""Networks in files: what `Network.save` writes, and `cep.load` reads."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from cep import _arguments, checkpoints, named_parameters, tensor_files
from cep import connections as _connections
from cep import layers as _layers
from cep.layers import Layer, Shape
from cep.network import HARDWARE_OPTIONS, Network
from cep.network_options import NetworkOptions
from cep.tensor_files import CheckpointError, TensorFile

FORMAT = "cep network 1"
# Options that files of earlier versions lack; they have the defaults then.
_LATER = {"loss", "nudging", "connections", *HARDWARE_OPTIONS}


def save(net: Network, path: str | os.PathLike[str]) -> None:
    """Write a network to a file (see `Network.save`)."""
    frozen = net._frozen()
    state = {
        "sizes": _layers.words(net.layers),
        "readout": net._has_readout,
        "options": net.options,
        "random_state": frozen.random_state,
    }
    tensors = named_parameters.of(frozen) | named_parameters.of_devices(frozen)
    tensor_files.write(path, TensorFile(FORMAT, state, tensors))


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network that `Network.save` wrote, or the one in a checkpoint of a run.

    Parameters
    ----------
    path : path
        The file. Nothing in it is executed.

    Returns
    -------
    Network
        With the parameters and the random state it had, without states.

    Raises
    ------
    CheckpointError
        The file is neither, or truncated, or was changed after it was written.
    OSError
        The file cannot be read.
    ImportError
        Where safetensors is not installed.

    Examples
    --------
    >>> net = cep.Network([64, 128, 10], seed=0)
    >>> net.save("digits.safetensors")
    >>> cep.load("digits.safetensors").sizes
    (64, 128, 10)
    """
    content = tensor_files.read(path, "network or checkpoint", [FORMAT, checkpoints.FORMAT])
    if content.format == checkpoints.FORMAT:
        return checkpoints.from_file(path, content).make_network()
    try:
        return _network(content.state, content.tensors)
    except (TypeError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path} is not a network that can be used: {error}") from error


def _network(state: Any, tensors: Mapping[str, NDArray[Any]]) -> Network:
    options = _options(state["options"])
    tensors, devices = named_parameters.split(tensors)
    readout = _arguments.flag("readout", state.get("readout", False))
    layers = _layers.from_words(state["sizes"], readout=readout)
    # Sizes alone could ask for any amount of memory: parameters of known kinds are checked before a
    # network is made.
    known = _known_connections(options, _layers.shapes(layers))
    if known is not None:
        shapes = _layers.parameter_shapes(layers, known, options["feedback"])
        named_parameters.check(tensors, shapes, options["dtype"])
    net = Network(layers, **options)
    shapes = {name: array.shape for name, array in named_parameters.of(net).items()}
    named_parameters.check(tensors, shapes, options["dtype"])
    named_parameters.restore(net, tensors)
    named_parameters.restore_devices(net, devices)
    net.random_state = state["random_state"]
    return net


def _known_connections(
    options: Any, shapes: Sequence[Shape]
) -> list[tuple[int, int, Layer]] | None:
    """Those beside the chain, with the layer that each would make; None where that is not known."""
    found = []
    for k, each in enumerate(_connections.checked(options.get("connections", ()), shapes)):
        if not 0 <= each[0] < each[1] < len(shapes):
            raise ValueError(f"connections[{k}] joins no layers of this network: {each}")
        layer = _connections.layer(each, shapes)
        if layer is None:
            return None
        found.append((each[0], each[1], layer))
    return found


def _options(values: Any) -> Any:
    """All options, of the kinds that `Network` itself does not insist on."""
    if not isinstance(values, dict):
        raise TypeError(f"the options must be an object, got {type(values).__name__}")
    known = NetworkOptions.__annotations__.keys()
    if not known - _LATER <= values.keys() <= known:
        raise ValueError(
            f"expected the options {', '.join(NetworkOptions.__annotations__)}, "
            f"found {', '.join(values)}"
        )
    _arguments.integer("seed", values["seed"], highest=2**64 - 1)
    # NumPy would read other texts as descriptions of types.
    _arguments.choice("dtype", values["dtype"], ("float32", "float64"))
    _arguments.choice("feedback", values["feedback"], ("tied", "untied"))
    return values
