"""PyTorch layers with a network's parameters. PyTorch is imported on use."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cep._util.extras import import_extra
from cep.network import layers as _layers
from cep.network.layers import Conv2d, Layer

if TYPE_CHECKING:
    from torch.nn import Sequential


def import_torch() -> Any:
    """Import PyTorch; the ImportError says how to install it."""
    return import_extra("torch", "the exchange with PyTorch", "exchange")


def stack(
    layers: Sequence[Layer],
    dtype: np.dtype[Any],
    weights: Iterable[NDArray[Any]],
    biases: Iterable[NDArray[Any]],
) -> "Sequential":
    """Layers with copies of weights and biases (see `Network.to_torch`)."""
    torch: Any = import_torch()
    stack: Sequential = torch.nn.Sequential()
    shapes = _layers.shapes(layers)
    for k, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        # Skips the initialization, which would draw from the user's generator.
        made, *others = _torch_layers(torch, layers[k + 1], shapes[k], getattr(torch, dtype.name))
        with torch.no_grad():
            made.weight.copy_(torch.from_numpy(weight))
            made.bias.copy_(torch.from_numpy(bias))
        if isinstance(made, torch.nn.Linear) and len(shapes[k]) > 1:
            stack.append(torch.nn.Flatten())
        for each in (made, *others):
            stack.append(each)
    return stack


def _torch_layers(torch: Any, layer: Layer, below: tuple[int, ...], dtype: Any) -> list[Any]:
    """A layer with parameters, and its pooling."""
    skip = torch.nn.utils.skip_init
    if not isinstance(layer, Conv2d):
        return [skip(torch.nn.Linear, int(np.prod(below)), layer.units, dtype=dtype)]
    convolution = skip(
        torch.nn.Conv2d,
        below[0],
        layer.channels,
        layer.kernel,
        stride=layer.stride,
        padding=layer.padding,
        dtype=dtype,
    )
    pools = {"max": torch.nn.MaxPool2d, "average": torch.nn.AvgPool2d}
    return [convolution, *([pools[layer.pool](2)] if layer.pool else [])]
