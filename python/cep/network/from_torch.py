"""Networks with the parameters of a PyTorch module."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from cep.network import layers as _layers
from cep.network.layers import Conv2d, Dense, Input, Layer
from cep.network.network import Network
from cep.network.options import NetworkOptions
from cep.network.to_torch import import_torch

if TYPE_CHECKING:
    from torch.nn import Module


def from_torch(
    module: "Module",
    *,
    input_shape: Sequence[int] | None = None,
    **options: Unpack[NetworkOptions],
) -> Network:
    """A network with the weights and biases of a module's linear and convolutional layers.

    Parameters
    ----------
    module : torch.nn.Module
        Its ``torch.nn.Linear`` and ``torch.nn.Conv2d`` layers are taken in the order in which they
        were registered, input first, at least two. A ``MaxPool2d`` or ``AvgPool2d`` of 2 × 2 pixels
        after a convolution is its pooling; other modules between them are ignored.
    input_shape : (int, int, int), optional
        Channels, height and width of an image. Required if the first layer is a convolution.
    **options
        As for `Network`; ``dtype`` defaults to that of the layers. With untied feedback the
        feedback weights are the forward weights, transposed if they are dense, with signs flipped
        according to ``feedback_angle`` and ``seed``.

    Returns
    -------
    Network
        A network with copies of the parameters.

    Raises
    ------
    TypeError
        If the argument is not a module, or the parameters are neither all float32 nor all float64.
    ValueError
        For fewer than two layers, layers that do not fit together, a layer without biases, a
        convolution with groups or dilation, or an option out of range.
    ImportError
        If PyTorch is not installed.

    Examples
    --------
    >>> import torch  # doctest: +SKIP
    >>> module = torch.nn.Sequential(  # doctest: +SKIP
    ...     torch.nn.Linear(64, 128), torch.nn.Sigmoid(), torch.nn.Linear(128, 10)
    ... )
    >>> cep.from_torch(module).sizes  # doctest: +SKIP
    (64, 128, 10)
    """
    torch: Any = import_torch()
    if not isinstance(module, torch.nn.Module):
        raise TypeError(f"module must be a torch.nn.Module, got {type(module).__name__}")
    modules = _modules(torch, module)
    _check(torch, modules)
    arrays = [
        tuple(tensor.detach().cpu().numpy() for tensor in (each.weight, each.bias))
        for each, _ in modules.values()
    ]
    layers = _cep_layers(torch, modules, arrays[0][0], input_shape)
    net = Network(layers, **{"dtype": arrays[0][0].dtype.name, **options})
    for k, (weights, biases) in enumerate(arrays):
        feedback = net.feedback_weights[k]
        if feedback is not None:
            is_dense = feedback.ndim == 2
            flips = np.where(feedback == (net.weights[k].T if is_dense else net.weights[k]), 1, -1)
            feedback[...] = flips * (weights.T if is_dense else weights)
        net.weights[k] = weights
        net.biases[k] = biases
    return net


def _modules(torch: Any, module: Any) -> dict[str, tuple[Any, str | None]]:
    """The layers with parameters by name, each with the pooling after it."""
    found: dict[str, tuple[Any, str | None]] = {}
    pools = {torch.nn.MaxPool2d: "max", torch.nn.AvgPool2d: "average"}
    for name, each in module.named_modules():
        if isinstance(each, (torch.nn.Linear, torch.nn.Conv2d)):
            found[name] = (each, None)
        elif type(each) in pools:
            last = next(reversed(found), "")
            convolution, pool = found.get(last, (None, None))
            if not isinstance(convolution, torch.nn.Conv2d) or pool is not None:
                raise ValueError(f"layer {name!r} must come after a convolution")
            sizes = {_pair(each.kernel_size), _pair(each.stride)}
            if sizes != {(2, 2)} or _pair(each.padding) != (0, 0) or each.ceil_mode:
                raise ValueError(
                    f"layer {name!r} must pool windows of 2 × 2 pixels with stride 2 and no "
                    f"padding, got {each}"
                )
            found[last] = (convolution, pools[type(each)])
    return found


def _pair(value: Any) -> Any:
    return tuple(value) if isinstance(value, (tuple, list)) else (value, value)


def _cep_layers(
    torch: Any, modules: dict[str, tuple[Any, str | None]], first: Any, input_shape: Any
) -> list[Layer]:
    """The layers of a network with the shapes of the modules."""
    if first.ndim == 4 and input_shape is None:
        raise ValueError(
            "the module begins with a convolution; give the shape of its images as input_shape, "
            "(channels, height, width)"
        )
    layers: list[Layer] = [Input(*(input_shape or (first.shape[1],)))]
    for name, (module, pool) in modules.items():
        (below,) = _layers.shapes(layers)[-1:]
        takes = int(np.prod(below))
        if isinstance(module, torch.nn.Conv2d):
            if len(below) == 3 and below[0] != module.in_channels:
                raise ValueError(
                    f"layer {name!r} takes {module.in_channels} channels, but gets {below[0]} "
                    "from below"
                )
            layer: Layer = Conv2d(
                module.out_channels, module.kernel_size, module.stride, module.padding, pool
            )
        else:
            if module.in_features != takes:
                raise ValueError(
                    f"layer {name!r} takes {module.in_features} units, but gets {takes} from below"
                )
            layer = Dense(module.out_features)
        layers.append(layer)
    return layers


def _check(torch: Any, modules: dict[str, tuple[Any, str | None]]) -> None:
    """Raise a ValueError if these layers cannot be a network."""
    if len(modules) < 2:
        raise ValueError(
            "the module must have two torch.nn.Linear or torch.nn.Conv2d layers or more, as a "
            f"network has a hidden layer; it has {len(modules)}"
        )
    layers = {name: each for name, (each, _) in modules.items()}
    for name, layer in layers.items():
        if layer.bias is None:
            raise ValueError(
                f"layer {name!r} has no biases; every layer except the input needs biases "
                "(they may be zeros)"
            )
        if isinstance(layer, torch.nn.Conv2d) and (
            layer.groups != 1
            or set(layer.dilation) != {1}
            or layer.padding_mode != "zeros"
            or isinstance(layer.padding, str)
        ):
            raise ValueError(
                f"layer {name!r} must have no groups or dilation, and numeric zero padding, "
                f"got {layer}"
            )
    dtypes = {
        f"{name}.{kind}": str(tensor.dtype).removeprefix("torch.")
        for name, layer in layers.items()
        for kind, tensor in (("weight", layer.weight), ("bias", layer.bias))
    }
    if len(set(dtypes.values())) > 1 or not set(dtypes.values()) <= {"float32", "float64"}:
        raise TypeError(f"the parameters must all be float32, or all float64, got {dtypes}")
