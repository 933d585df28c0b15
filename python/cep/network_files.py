"""Networks in files: what `Network.save` writes, and `cep.load` reads."""

import os
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from cep import _arguments, checkpoints, named_parameters, tensor_files
from cep import layers as _layers
from cep.layers import Readout
from cep.network import Network
from cep.network_options import NetworkOptions
from cep.tensor_files import CheckpointError, TensorFile

FORMAT = "cep network 1"
# Options that files of earlier versions lack; they have the defaults then.
_LATER = {"loss", "nudging", "connections"}


def save(net: Network, path: str | os.PathLike[str]) -> None:
    """Write a network to a file (see `Network.save`)."""
    frozen = net._frozen()
    state = {
        "sizes": net.sizes,
        "readout": net._has_readout,
        "options": net.options,
        "random_state": frozen.random_state,
    }
    tensor_files.write(path, TensorFile(FORMAT, state, named_parameters.of(frozen)))


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
    sizes = [_arguments.integer(f"sizes[{k}]", units) for k, units in enumerate(state["sizes"])]
    layers: list[Any] = list(sizes)
    if layers and _arguments.flag("readout", state.get("readout", False)):
        layers[-1] = Readout(sizes[-1])
    options = _options(state["options"])
    # Sizes alone could ask for any amount of memory: dense parameters are checked before a network
    # is made.
    connections = options.get("connections", ())
    if all(len(each) == 2 for each in connections):
        edges = _edges(connections, len(sizes))
        shapes = named_parameters.dense_shapes(_layers.of(layers), edges, options["feedback"])
        named_parameters.check(tensors, shapes, options["dtype"])
    net = Network(layers, **options)
    shapes = {name: array.shape for name, array in named_parameters.of(net).items()}
    named_parameters.check(tensors, shapes, options["dtype"])
    named_parameters.restore(net, tensors)
    net.random_state = state["random_state"]
    return net


def _edges(connections: Any, layers: int) -> list[tuple[int, int]]:
    edges = []
    for k, pair in enumerate(connections):
        lower, upper = (_arguments.integer(f"connections[{k}]", layer) for layer in pair)
        if not 0 <= lower < upper < layers:
            raise ValueError(f"connections[{k}] joins no layers of this network: {pair}")
        edges.append((lower, upper))
    return edges


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
