"""Parameters to and from PyTorch. PyTorch is imported when it is asked for."""

import importlib
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from cep.network import Network
from cep.network_options import NetworkOptions

if TYPE_CHECKING:
    from torch.nn import Module, Sequential


def to_torch(net: Network) -> "Sequential":
    """Linear layers with copies of a network's weights and biases (see `Network.to_torch`)."""
    torch: Any = _torch()
    stack: Sequential = torch.nn.Sequential()
    frozen = net._frozen()
    if net.edges != tuple(pairwise(range(len(net.sizes)))):
        raise ValueError(
            "the network has connections beside its chain, which no stack of linear layers has"
        )
    for weights, biases in zip(frozen.weights, frozen.biases, strict=True):
        above, below = weights.shape
        # Without drawing parameters that would be overwritten, from a generator of the user's.
        layer = torch.nn.utils.skip_init(
            torch.nn.Linear, below, above, dtype=getattr(torch, net.dtype.name)
        )
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(weights))
            layer.bias.copy_(torch.from_numpy(biases))
        stack.append(layer)
    return stack


def from_torch(module: "Module", **options: Unpack[NetworkOptions]) -> Network:
    """A network with the weights and biases of a module's linear layers.

    Parameters
    ----------
    module : torch.nn.Module
        Its ``torch.nn.Linear`` layers are taken in the order in which they were registered, input
        first, at least two; what lies between them is not looked at.
    **options
        As for `Network`; ``dtype`` is the layers' unless it is given. With untied feedback the
        feedback weights are the transposed weights, their signs flipped as ``feedback_angle`` and
        ``seed`` have it.

    Returns
    -------
    Network
        With copies of the parameters.

    Raises
    ------
    TypeError
        For what is no module, and for parameters that are neither float32 nor float64, or some of
        each.
    ValueError
        For fewer than two linear layers, layers that do not fit onto each other, a layer without
        biases, or an option out of its range.
    ImportError
        Where PyTorch is not installed.

    Examples
    --------
    >>> import torch  # doctest: +SKIP
    >>> module = torch.nn.Sequential(  # doctest: +SKIP
    ...     torch.nn.Linear(64, 128), torch.nn.Sigmoid(), torch.nn.Linear(128, 10)
    ... )
    >>> cep.from_torch(module).sizes  # doctest: +SKIP
    (64, 128, 10)
    """
    torch: Any = _torch()
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    layers: dict[str, Any] = {
        name: each for name, each in module.named_modules() if isinstance(each, torch.nn.Linear)
    }
    _check(layers)
    arrays = [
        tuple(tensor.detach().cpu().numpy() for tensor in (layer.weight, layer.bias))
        for layer in layers.values()
    ]
    sizes = [arrays[0][0].shape[1], *(weights.shape[0] for weights, _ in arrays)]
    net = Network(sizes, **{"dtype": arrays[0][0].dtype.name, **options})
    for k, (weights, biases) in enumerate(arrays):
        feedback = net.feedback_weights[k]
        if feedback is not None:
            flips = np.where(feedback == net.weights[k].T, 1, -1)
            feedback[...] = flips * weights.T
        net.weights[k] = weights
        net.biases[k] = biases
    return net


def _check(layers: dict[str, Any]) -> None:
    """Raise what keeps these layers from being a network."""
    if len(layers) < 2:
        raise ValueError(
            "the module must have two torch.nn.Linear layers or more, as a network has a hidden "
            f"layer; it has {len(layers)}"
        )
    for name, layer in layers.items():
        if layer.bias is None:
            raise ValueError(
                f"layer {name!r} has no biases; a network has some in every layer but the input "
                "(they may be zeros)"
            )
    for (name, layer), (next_name, following) in pairwise(layers.items()):
        if layer.out_features != following.in_features:
            raise ValueError(
                f"layer {next_name!r} takes {following.in_features} units; layer {name!r} before "
                f"it has {layer.out_features}"
            )
    dtypes = {
        f"{name}.{kind}": str(tensor.dtype).removeprefix("torch.")
        for name, layer in layers.items()
        for kind, tensor in (("weight", layer.weight), ("bias", layer.bias))
    }
    if len(set(dtypes.values())) > 1 or not set(dtypes.values()) <= {"float32", "float64"}:
        raise TypeError(f"the parameters must all be float32, or all float64, got {dtypes}")


def _torch() -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise ImportError("the exchange with PyTorch needs it: pip install torch") from error
