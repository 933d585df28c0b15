"""The layers of a network, as in its list of layers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from cep._util import validation

Shape = tuple[int, ...]
"""The shape of one sample's state: (units,), or (channels, height, width)."""


@dataclass(frozen=True, init=False)
class Input:
    """The clamped input: the first layer.

    An integer as the first element of a list of layers means the same.

    Parameters
    ----------
    *shape : int
        Values of a sample, or channels, height and width of an image; 1 or more each.

    Examples
    --------
    >>> cep.Network([cep.Input(64), cep.Dense(128), cep.Dense(10)], seed=0).sizes
    (64, 128, 10)
    >>> cep.Input(1, 28, 28).units
    784
    """

    shape: Shape

    def __init__(self, *shape: int) -> None:
        if len(shape) not in (1, 3):
            raise TypeError(
                f"an Input has units, or channels, height and width; got {len(shape)} numbers"
            )
        extents = tuple(validation.integer("Input", extent) for extent in shape)
        if len(extents) == 3 and min(extents) < 1:
            raise ValueError(f"the extents of an image must be 1 or more, got {extents}")
        object.__setattr__(self, "shape", extents)

    @property
    def units(self) -> int:
        """The number of values of a sample."""
        return math.prod(self.shape)

    @property
    def word(self) -> str:
        """Its name in files."""
        return _by(self.shape)

    def __repr__(self) -> str:
        return f"Input({', '.join(map(str, self.shape))})"


@dataclass(frozen=True)
class _Units:
    """The base of `Dense` and `Readout`, whose units are joined to all values below."""

    units: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", validation.integer("units", self.units))

    def shape_above(self, below: Shape) -> Shape:
        """The shape of this layer above one of the given shape."""
        return (self.units,)

    def weights_shape(self, below: Shape) -> Shape:
        """The shape of the weights from a layer of the given shape."""
        return (self.units, math.prod(below))

    @property
    def word(self) -> str:
        """Its name in files and on the command line."""
        return str(self.units)


@dataclass(frozen=True)
class Dense(_Units):
    """A layer of units, each joined to all units of the layer before.

    An integer in a list of layers means the same. A feature map before it is flattened channel
    first, as `numpy.reshape` does it.

    Parameters
    ----------
    units : int
        Units of the layer, 1 or more.
    """


@dataclass(frozen=True)
class Conv2d:
    """A feature map, joined to the one before by a convolution and pooling.

    Its preactivation is ``pool(W ∗ s + b)`` of the state s below: cross-correlation, as PyTorch's
    Feedback returns to the pixels that pooling selected at this state, and passes through the
    transposed convolution (Laborieux et al., 2021).

    Parameters
    ----------
    channels : int
        Channels of the feature map.
    kernel : int or (int, int)
        Height and width of the kernel, in pixels.
    stride : int or (int, int), default=1
        Pixels from one position of the kernel to the next.
    padding : int or (int, int), default=0
        Rows and columns of zeros on each side of the feature map below.
    pool : {None, "max", "average"}
        The pooling of windows of 2 × 2 pixels with stride 2. Incomplete windows are dropped.

    Raises
    ------
    TypeError, ValueError
        For a number out of range.

    Examples
    --------
    >>> net = cep.Network(
    ...     [cep.Input(1, 28, 28), cep.Conv2d(32, 5, pool="max"), cep.Dense(10)], seed=0
    ... )
    >>> net.shapes
    ((1, 28, 28), (32, 12, 12), (10,))
    >>> net.weights[0].shape
    (32, 1, 5, 5)
    """

    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    pool: str | None = None

    def __init__(
        self,
        channels: int,
        kernel: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        pool: str | None = None,
    ) -> None:
        values = {
            "channels": _at_least("channels", channels, 1),
            "kernel": _pair("kernel", kernel, 1),
            "stride": _pair("stride", stride, 1),
            "padding": _pair("padding", padding, 0),
            "pool": pool if pool is None else validation.choice("pool", pool, ["max", "average"]),
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def shape_above(self, below: Shape) -> Shape:
        """The shape of this layer above one of the given shape.

        Raises
        ------
        ValueError
            If the convolution does not fit the layer below.
        """
        if len(below) != 3:
            raise ValueError(
                "a Conv2d needs channels × height × width below it, got a layer of "
                f"{below[0]} units"
            )
        padded = [size + 2 * more for size, more in zip(below[1:], self.padding, strict=True)]
        if any(kernel > size for kernel, size in zip(self.kernel, padded, strict=True)):
            raise ValueError(
                f"the kernel is {_times(self.kernel)}, larger than the {_times(padded)} pixels it "
                "moves over, padding included"
            )
        sizes = [
            (size - kernel) // stride + 1
            for size, kernel, stride in zip(padded, self.kernel, self.stride, strict=True)
        ]
        if self.pool is not None:
            if min(sizes) < 2:
                raise ValueError(
                    f"pooling takes windows of 2 × 2 pixels, got an image of {_times(sizes)}"
                )
            sizes = [size // 2 for size in sizes]
        return (self.channels, *sizes)

    def weights_shape(self, below: Shape) -> Shape:
        """The shape of the weights from a layer of the given shape."""
        return (self.channels, below[0], *self.kernel)

    @property
    def word(self) -> str:
        """Its name in files and on the command line."""
        words = [f"conv2d:{self.channels}:{_by(self.kernel)}"]
        words += [f"stride={_by(self.stride)}"] if self.stride != (1, 1) else []
        words += [f"padding={_by(self.padding)}"] if self.padding != (0, 0) else []
        words += [f"pool={self.pool}"] if self.pool else []
        return ":".join(words)

    def __repr__(self) -> str:
        kernel, stride, padding = map(_shortest, (self.kernel, self.stride, self.padding))
        words = [str(self.channels), str(kernel)]
        words += [f"stride={stride}"] if stride != 1 else []
        words += [f"padding={padding}"] if padding != 0 else []
        words += [f"pool={self.pool!r}"] if self.pool else []
        return f"Conv2d({', '.join(words)})"


@dataclass(frozen=True)
class Readout(_Units):
    """A softmax readout outside the dynamics, trained with cross-entropy: the last layer.

    Scores are ``o = W s + b`` of the last layer's state s, and the loss is
    ``L = −Σ y log softmax(o)``. It nudges the last layer by ``Wᵀ (y − softmax(o))``, inside the
    activation (Laborieux et al., 2021). Its own parameters follow the gradient of the loss, taken
    at the nudged state, once a batch.

    Parameters
    ----------
    units : int
        Classes, 1 or more.

    Examples
    --------
    >>> net = cep.Network([64, 128, cep.Readout(10)], seed=0)
    >>> net.loss, net.nudging, len(net.states)
    ('cross_entropy', 'inside', 2)
    """


Layer = Input | Dense | Conv2d | Readout


def of(values: object) -> tuple[Layer, ...]:
    """Layers from a list of layers and integers.

    Raises
    ------
    TypeError, ValueError
        For an invalid layer, and for a layer in the wrong place.
    """
    try:
        items = list(values)  # type: ignore[call-overload]
    except TypeError:
        raise TypeError(f"sizes must be a sequence of integers or layers, got {values!r}") from None
    layers = tuple(_layer(k, item) for k, item in enumerate(items))
    for k, layer in enumerate(layers):
        if isinstance(layer, Input) and k > 0:
            raise ValueError(f"sizes[{k}] is an Input; the input must be the first layer")
        if isinstance(layer, Readout) and k < len(layers) - 1:
            raise ValueError(f"sizes[{k}] is a Readout; a readout must be the last layer")
    if layers and not isinstance(layers[0], Input):
        raise ValueError(f"sizes[0] is {layers[0]!r}; expected an Input or an integer")
    return layers


def _layer(k: int, item: object) -> Layer:
    if isinstance(item, (Input, Dense, Conv2d, Readout)):
        return item
    units = validation.integer(f"sizes[{k}]", item)
    return Input(units) if k == 0 else Dense(units)


def shapes(layers: Sequence[Layer]) -> tuple[Shape, ...]:
    """The shapes of the states of a list of layers, and of the scores of a readout.

    Raises
    ------
    ValueError
        For a layer that does not fit the one below it.
    """
    found: list[Shape] = []
    for k, layer in enumerate(layers):
        try:
            found.append(layer.shape if isinstance(layer, Input) else layer.shape_above(found[-1]))
        except ValueError as error:
            raise ValueError(f"sizes[{k}]: {error}") from None
    return tuple(found)


def words(layers: Sequence[Layer]) -> list[int | str]:
    """The names of the layers in files: units, or words for layers that are not dense."""
    return [number_or_word(layer) for layer in layers]


def number_or_word(layer: Layer) -> int | str:
    """Units, or the word for a convolution or an input of images."""
    if isinstance(layer, Conv2d):
        return layer.word
    is_image = isinstance(layer, Input) and len(layer.shape) > 1
    return layer.word if is_image else layer.units


def from_words(values: object, *, readout: bool = False) -> tuple[Layer, ...]:
    """The layers that `words` describes.

    Parameters
    ----------
    values : sequence of int or str
        Units, or words like "conv2d:32:5x5:pool=max"; the first one may be like "1x28x28".
    readout : bool
        Whether the last one is a readout.

    Raises
    ------
    TypeError, ValueError
        For a word that does not describe a layer.
    """
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise TypeError(f"sizes must be a sequence of numbers and words, got {values!r}")
    layers: list[Layer] = []
    for k, value in enumerate(values):
        is_word = isinstance(value, str) and not value.isdigit()
        number = value if is_word else validation.integer(f"sizes[{k}]", value)
        layers.append(from_word(number, first=k == 0))
    if readout and layers:
        last = layers[-1]
        if not isinstance(last, Dense):
            raise ValueError(f"a readout needs a number of classes, got {values[-1]!r}")
        layers[-1] = Readout(last.units)
    return of(layers)


def from_word(value: object, *, first: bool = False) -> Input | Dense | Conv2d:
    """The layer that a number or a word describes (see `from_words`)."""
    if not isinstance(value, str):
        units = validation.integer("a layer", value)
        return Input(units) if first else Dense(units)
    if first:
        return Input(*(_whole(part, value) for part in value.split("x")))
    name, *arguments = value.split(":")
    if name != "conv2d":
        return Dense(_whole(value, value))
    if len(arguments) < 2:
        raise ValueError(
            f"a convolution needs channels and a kernel, like conv2d:32:5:pool=max, got {value!r}"
        )
    given: dict[str, str] = {}
    for argument in arguments[2:]:
        key, _, option = argument.partition("=")
        if key not in ("stride", "padding", "pool") or key in given:
            raise ValueError(
                f"a convolution takes stride, padding and pool, each once, got {argument!r} "
                f"in {value!r}"
            )
        given[key] = option
    channels, kernel = arguments[:2]
    return Conv2d(
        _whole(channels, value),
        _numbers(kernel, value),
        _numbers(given.get("stride", "1"), value),
        _numbers(given.get("padding", "0"), value),
        given.get("pool"),
    )


def _whole(text: str, word: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"expected a whole number, got {text!r} in {word!r}") from None


def _numbers(text: str, word: str) -> int | tuple[int, ...]:
    numbers = tuple(_whole(part, word) for part in text.split("x"))
    return numbers if "x" in text else numbers[0]


def _at_least(name: str, value: object, least: int) -> int:
    number = validation.integer(name, value)
    if number < least:
        raise ValueError(f"{name} must be {least} or more, got {number}")
    return number


def _pair(name: str, value: object, least: int) -> tuple[int, int]:
    if isinstance(value, Sequence) and not isinstance(value, str):
        if len(value) != 2:
            raise ValueError(f"{name} must be a number or a pair of them, got {value!r}")
        height, width = (_at_least(name, each, least) for each in value)
        return height, width
    number = _at_least(name, value, least)
    return number, number


def _shortest(pair: tuple[int, int]) -> int | tuple[int, int]:
    return pair[0] if pair[0] == pair[1] else pair


def _by(extents: Sequence[int]) -> str:
    return "x".join(map(str, extents))


def _times(extents: Sequence[int]) -> str:
    return " × ".join(map(str, extents))


def parameter_shapes(
    layers: Sequence[Layer], connections: Sequence[tuple[int, int, Layer]], feedback: str
) -> dict[str, Shape]:
    """The shapes of all parameters of a network, by their names in files.

    Parameters
    ----------
    layers : sequence of Layer
        The layers, input first.
    connections : sequence of (int, int, Layer)
        Connections outside the chain: from, to, and the layer that this kind would create.
    feedback : {"tied", "untied"}
        Whether there are feedback weights.
    """
    all_shapes = shapes(layers)
    chain = [(below, above, layers[above]) for below, above in pairwise(range(len(layers)))]
    found: dict[str, Shape] = {}
    for k, (below, _, layer) in enumerate([*chain, *connections]):
        assert not isinstance(layer, Input)
        weights = layer.weights_shape(all_shapes[below])
        found[f"weights.{k}"] = weights
        if k < len(chain):
            found[f"biases.{k}"] = weights[:1]
        if feedback == "untied" and below > 0 and not isinstance(layer, Readout):
            found[f"feedback_weights.{k}"] = weights if len(weights) > 2 else weights[::-1]
    return found
