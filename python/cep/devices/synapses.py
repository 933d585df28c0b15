"""Models of synapses: how devices change when an optimizer requests changes of weights."""

import dataclasses
from abc import ABC
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cep import _cep
from cep._util import validation


@dataclass(frozen=True, kw_only=True)
class Synapse(ABC):
    """A model of synapses, for ``cep.Network(..., synapses=...)``.

    It applies to the forward and the feedback weights of a connection. With every rule, the change
    computed by the optimizer is the requested change Δ.
    """

    name: ClassVar[str]

    def __post_init__(self) -> None:
        if not hasattr(self, "name"):
            raise TypeError(
                f"{type(self).__name__} is the base class of models; expected one of them, such as "
                "cep.hardware.LinearStep(...)"
            )
        for each in dataclasses.fields(self):
            object.__setattr__(self, each.name, _checked(each, getattr(self, each.name)))
        # The engine checks the ranges. Without directions, the call has no other effect.
        _cep.pulse_response(self.word, np.zeros(0, np.int64), 0.0, 0, np.zeros(0))

    @property
    def word(self) -> str:
        """The description of the model in files, configurations and on the command line."""
        parts = [self.name]
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if value != each.default:
                parts.append(f"{each.name}={value if isinstance(value, str) else _number(value)}")
        return ":".join(parts)


def _number(value: float) -> str:
    return str(int(value)) if isinstance(value, (bool, int)) else repr(value)


def _checked(each: "dataclasses.Field[Any]", value: object) -> Any:
    if each.type is bool:
        return validation.flag(each.name, value)
    if each.type is int:
        return validation.integer(each.name, value)
    if each.type is float:
        return validation.real(each.name, value)
    return validation.choice(each.name, value, get_args(each.type))


@dataclass(frozen=True, kw_only=True)
class Ideal(Synapse):
    """Weights change as requested: w ← w + Δ.

    A network of ideal synapses computes the same as one without ``synapses``.
    """

    name = "ideal"


@dataclass(frozen=True)
class Bounded(Synapse):
    """Weights change as requested, within bounds: w ← min(max(w + Δ, w_min), w_max).

    Parameters
    ----------
    w_min, w_max : float
        The bounds.
    clip_initial : bool
        Whether initial weights outside of the bounds are clipped. Otherwise they are an error.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of range.
    """

    w_min: float
    w_max: float
    clip_initial: bool = False

    name = "bounded"


@dataclass(frozen=True)
class Quantized(Synapse):
    """Weights lie on a grid of 2^bits levels, w_min + k (w_max − w_min) / (2^bits − 1).

    A requested change is rounded to a whole number of levels. Initial weights are rounded to the
    nearest level.

    Parameters
    ----------
    bits : int
        The number of bits, 1 to 16.
    w_min, w_max : float
        The lowest and the highest level.
    rounding : {"nearest", "stochastic"}
        How a requested change is rounded: to the nearest level, or at random such that the mean is
        exact. With "nearest", a change of less than half a level has no effect.
    clip_initial : bool
        Whether initial weights outside of the grid are clipped. Otherwise they are an error.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of range.
    """

    bits: int
    w_min: float
    w_max: float
    rounding: Literal["nearest", "stochastic"] = "nearest"
    clip_initial: bool = False

    name = "quantized"


@dataclass(frozen=True, kw_only=True)
class PulsedSynapse(Synapse):
    """A device that changes by pulses. This is the base class of all pulsed models.

    One pulse in the direction d = ±1 changes the weight by ::

        Δw = d · dw_min · (1 + d · up_down) · f_d(w) · (1 + dw_min_std · ξ)
        w ← min(max(w + Δw, w_min), w_max)

    where ξ is standard normal and drawn at each pulse. The model specifies f_d. A requested change
    Δ is made by ``n = |Δ| / dw_min`` pulses in its direction, where n is rounded.

    Parameters
    ----------
    dw_min : float
        The size of a step, above 0 and at most w_max − w_min.
    dw_min_std : float, default=0
        Cycle-to-cycle variation of a step, relative to dw_min.
    up_down : float, default=0
        Asymmetry: steps up are 1 + up_down, steps down 1 − up_down times as large.
    w_max, w_min : float, default=1, −1
        The bounds.
    dw_min_dtod, up_down_dtod, w_max_dtod, w_min_dtod : float, default=0
        Variation from device to device: the standard deviation, relative to the value, except for
        up_down_dtod, which is absolute. The values of each synapse are drawn when the network is
        made. A negative step size is set to 0. Bounds in the wrong order are exchanged.
    write_noise_std : float, default=0
        Products use w + write_noise_std · dw_min · ξ instead of w, where ξ is drawn again when the
        synapse is written.
    lifetime : float, default=0
        Decay: w ← w (1 − 1 / lifetime) after each batch. 0 for no decay, otherwise 1 or more.
    lifetime_dtod : float, default=0
        Relative variation of the lifetime from device to device.
    diffusion : float, default=0
        Diffusion: w ← w + diffusion · ξ after each batch.
    rounding : {"stochastic", "nearest", "truncate"}
        How the number of pulses n is rounded: ⌊n + u⌋ with u uniform in [0, 1), whose mean is
        exact; to the nearest integer; or ⌊n⌋.
    max_pulses : int, default=1000
        The largest number of pulses of a write, 1 to 1 000 000.
    clip_initial : bool
        Whether initial weights outside of w_min to w_max are clipped. Otherwise they are an error.
        Weights outside of the drawn bounds of their device are always clipped.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of range.
    """

    dw_min: float = field(kw_only=False)
    dw_min_std: float = 0.0
    up_down: float = 0.0
    w_max: float = 1.0
    w_min: float = -1.0
    dw_min_dtod: float = 0.0
    up_down_dtod: float = 0.0
    w_max_dtod: float = 0.0
    w_min_dtod: float = 0.0
    write_noise_std: float = 0.0
    lifetime: float = 0.0
    lifetime_dtod: float = 0.0
    diffusion: float = 0.0
    rounding: Literal["stochastic", "nearest", "truncate"] = "stochastic"
    max_pulses: int = 1000
    clip_initial: bool = False

    def pulse_response(
        self, directions: ArrayLike, weight: float = 0.0, seed: int = 0
    ) -> NDArray[np.float64]:
        """Return the weight of one device after each of some pulses.

        Parameters
        ----------
        directions : array_like of int
            1 for a pulse up, −1 for a pulse down; one-dimensional.
        weight : float
            The weight before the first pulse. It is clipped to the bounds of the device.
        seed : int
            The seed of the noise, and of the device if devices vary.

        Returns
        -------
        numpy.ndarray of float64, as long as ``directions``
            The weights, without the write noise.

        Raises
        ------
        TypeError, ValueError
            If an argument has the wrong type or is out of range.

        Examples
        --------
        >>> device = cep.hardware.SoftBounds(0.5)
        >>> device.pulse_response([1, 1, 1, -1])
        array([ 0.5   ,  0.75  ,  0.875 , -0.0625])
        """
        given = validation.array_of("directions", directions)
        is_integers = given.dtype.kind in "iu" and np.can_cast(given.dtype, np.int64)
        if given.ndim != 1 or (given.size and not is_integers):
            raise ValueError(
                "directions must be a one-dimensional array of 1 and -1, got "
                f"{given.dtype} of shape {given.shape}"
            )
        weights = np.empty(len(given))
        start, number = validation.real("weight", weight), validation.seed(seed)
        pulses = np.require(given, np.int64, "C")
        _cep.pulse_response(self.word, pulses, start, number, weights)
        return weights


@dataclass(frozen=True, kw_only=True)
class ConstantStep(PulsedSynapse):
    """A pulsed device whose steps do not depend on the weight: f_d(w) = 1.

    Parameters
    ----------
    dw_min, ...
        As for `PulsedSynapse`.

    References
    ----------
    Gokmen and Vlasov, 2016.
    """

    name = "constant_step"


@dataclass(frozen=True, kw_only=True)
class LinearStep(PulsedSynapse):
    """A pulsed device whose steps shrink linearly with the weight.

    ::

        f₊(w) = 1 − gamma_up · w / w_max        f₋(w) = 1 − gamma_down · w / w_min

    Parameters
    ----------
    dw_min, ...
        As for `PulsedSynapse`. w_min must be below 0, and w_max above.
    gamma_up, gamma_down : float, default=0
        The slopes.
    gamma_up_dtod, gamma_down_dtod : float, default=0
        Relative variations of the slopes from device to device.
    mult_noise : bool, default=True
        Whether the noise of a pulse is f_d(w) (1 + dw_min_std · ξ), or f_d(w) + dw_min_std · ξ.

    References
    ----------
    Gokmen, Onen and Haensch, 2017.
    """

    gamma_up: float = 0.0
    gamma_down: float = 0.0
    gamma_up_dtod: float = 0.0
    gamma_down_dtod: float = 0.0
    mult_noise: bool = True

    name = "linear_step"


@dataclass(frozen=True, kw_only=True)
class SoftBounds(PulsedSynapse):
    """A pulsed device whose steps vanish at the bounds: a `LinearStep` with slopes of 1.

    ::

        f₊(w) = 1 − w / w_max        f₋(w) = 1 − w / w_min

    Parameters
    ----------
    dw_min, ...
        As for `PulsedSynapse`. w_min must be below 0, and w_max above.
    """

    name = "soft_bounds"


@dataclass(frozen=True, kw_only=True)
class ExponentialStep(PulsedSynapse):
    """A pulsed device whose steps depend exponentially on the weight.

    ::

        f_d(w) = max(0, 1 − A_d · exp(d · gamma_d · z))        z = 2 a w / (w_max − w_min) + b

    Parameters
    ----------
    dw_min, ...
        As for `PulsedSynapse`.
    A_up, A_down, gamma_up, gamma_down, a, b : float
        The parameters of the equation above.
    gamma_up_dtod, gamma_down_dtod : float, default=0
        Relative variations from device to device.

    References
    ----------
    Gong et al., 2018.
    """

    A_up: float
    A_down: float
    gamma_up: float
    gamma_down: float
    a: float
    b: float
    gamma_up_dtod: float = 0.0
    gamma_down_dtod: float = 0.0

    name = "exponential_step"


@dataclass(frozen=True, kw_only=True)
class PowerStep(PulsedSynapse):
    """A pulsed device whose steps are a power of the distance of the weight from a bound.

    ::

        f₊(w) = ω^pow_gamma        f₋(w) = (1 − ω)^pow_gamma
        ω = (w_max − w) / (w_max − w_min)

    Parameters
    ----------
    dw_min, ...
        As for `PulsedSynapse`.
    pow_gamma : float, default=1
        The power, 0 or more.
    pow_gamma_dtod : float, default=0
        Relative variation of the power from device to device.

    References
    ----------
    Fusi and Abbott, 2007.
    """

    pow_gamma: float = 1.0
    pow_gamma_dtod: float = 0.0

    name = "power_step"


MODELS: dict[str, type[Synapse]] = {
    each.name: each
    for each in (
        Ideal,
        Bounded,
        Quantized,
        ConstantStep,
        LinearStep,
        SoftBounds,
        ExponentialStep,
        PowerStep,
    )
}
