"""The layers that a network is made of, as they stand in its list of layers."""

from dataclasses import dataclass

from cep import _arguments


@dataclass(frozen=True)
class Input:
    """The clamped input: the first layer.

    An integer in first place of a list of layers means the same.

    Parameters
    ----------
    units : int
        Values of a sample, 1 or more.

    Examples
    --------
    >>> cep.Network([cep.Input(64), cep.Dense(128), cep.Dense(10)], seed=0).sizes
    (64, 128, 10)
    """

    units: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", _arguments.integer("units", self.units))


@dataclass(frozen=True)
class Dense:
    """A layer of units, each joined to all units of the layer before.

    An integer in a list of layers means the same.

    Parameters
    ----------
    units : int
        Units of the layer, 1 or more.
    """

    units: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", _arguments.integer("units", self.units))


@dataclass(frozen=True)
class Readout:
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

    units: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", _arguments.integer("units", self.units))


Layer = Input | Dense | Readout


def of(values: object) -> tuple[Layer, ...]:
    """Layers from a list of layers and integers.

    Raises
    ------
    TypeError, ValueError
        For what is not a layer, and for a layer that is not in its place.
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
    if isinstance(item, (Input, Dense, Readout)):
        return item
    units = _arguments.integer(f"sizes[{k}]", item)
    return Input(units) if k == 0 else Dense(units)
