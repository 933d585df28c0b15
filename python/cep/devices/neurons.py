"""Models of imperfect neurons, and measured activations."""

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cep._util import validation


@dataclass(frozen=True, kw_only=True)
class Neurons:
    """Neurons with noise, rounding or variation, for ``cep.Network(..., neurons=...)``.

    Parameters
    ----------
    state_noise : float, default=0
        s ← s + state_noise · ξ after every step, with ξ standard normal.
    state_bits : int, optional
        Number of bits, 1 to 16. Other layers and updates read states that are rounded to 2^bits
        levels of the range of the activation. A linear layer has no range, and is not rounded. In
        the real-time setting, ρ(s) is rounded, and the feedback must be tied.
    gain_dtod, offset_dtod : float, default=0
        In the prototypical setting, the activation is σ(g · u + o). The gain g is drawn from
        N(1, gain_dtod) and the offset o from N(0, offset_dtod), once for each neuron.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of range.

    Notes
    -----
    BPTT and RBP compute gradients as if there were no noise and no rounding.
    """

    state_noise: float = 0.0
    state_bits: int | None = None
    gain_dtod: float = 0.0
    offset_dtod: float = 0.0

    def __post_init__(self) -> None:
        for name in ("state_noise", "gain_dtod", "offset_dtod"):
            object.__setattr__(self, name, deviation(name, getattr(self, name)))
        if self.state_bits is not None:
            bits = validation.integer("state_bits", self.state_bits)
            if not 1 <= bits <= 16:
                raise ValueError(f"state_bits must be 1 to 16, got {bits}")
            object.__setattr__(self, "state_bits", bits)

    @property
    def word(self) -> str:
        """The description of the neurons in files; empty for ideal neurons."""
        given = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        return ":".join(f"{name}={value!r}" for name, value in given.items() if value)


def deviation(name: str, value: object) -> float:
    """Check that a value is a finite number of 0 or more."""
    number = validation.real(name, value)
    if not 0 <= number < float("inf"):
        raise ValueError(f"{name} must be finite and 0 or more, got {number}")
    return number


def checked(value: object) -> Neurons:
    """The neurons given by `Neurons`, by a word, or by None for ideal ones.

    Raises
    ------
    TypeError, ValueError
        If the value does not describe neurons.
    """
    if value is None or value == "":
        return Neurons()
    if isinstance(value, str):
        given: dict[str, Any] = {}
        for part in value.split(":"):
            name, _, text = part.partition("=")
            known = [each.name for each in dataclasses.fields(Neurons)]
            if name not in known or name in given:
                raise ValueError(f"neurons have {', '.join(known)}, each once, got {part!r}")
            try:
                given[name] = int(text) if name == "state_bits" else float(text)
            except ValueError:
                raise ValueError(f"{name} must be a number, got {text!r}") from None
        return Neurons(**given)
    if not isinstance(value, Neurons):
        raise TypeError(f"neurons must be cep.hardware.Neurons(...), got {value!r}")
    return value


class TabulatedActivation:
    """A measured transfer curve as activation, with linear interpolation between its points.

    Before the first point and after the last one it is constant, with derivative 0. The derivative
    at a point is that of the following segment. At the last point, it is that of the last segment.

    Parameters
    ----------
    x, y : array_like of float
        The points, at least two. x must increase. y must be monotone.

    Raises
    ------
    TypeError, ValueError
        If the points do not form a monotone curve.

    Examples
    --------
    >>> curve = cep.TabulatedActivation([0, 0.4, 1], [0, 0.7, 1])
    >>> cep.Network([4, 3, 2], activation=curve, seed=0).activation
    'tabulated:0.0/0.0:0.4/0.7:1.0/1.0'
    """

    def __init__(self, x: ArrayLike, y: ArrayLike) -> None:
        points = [validation.array_of(name, value) for name, value in (("x", x), ("y", y))]
        for name, values in zip("xy", points, strict=True):
            if values.ndim != 1 or values.dtype.kind not in "iuf":
                raise ValueError(
                    f"{name} must be a one-dimensional array of numbers, got {values.dtype} of "
                    f"shape {values.shape}"
                )
        self.x, self.y = (tuple(values.astype(np.float64).tolist()) for values in points)
        if len(self.x) != len(self.y) or len(self.x) < 2:
            raise ValueError(
                "a tabulated activation must have 2 points or more, "
                f"got {len(self.x)} x and {len(self.y)} y"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            widths, steps = np.diff(self.x), np.diff(self.y)
        if not np.isfinite([*self.x, *self.y, *widths, *steps]).all():
            raise ValueError(
                "the points of a tabulated activation, and their distances, must be finite"
            )
        if widths.min() <= 0:
            raise ValueError(f"x must rise from point to point, got {list(self.x)}")
        if steps.min() < 0 < steps.max():
            raise ValueError(f"y must be monotone, rising or falling, got {list(self.y)}")

    @property
    def word(self) -> str:
        """The description of the activation in files and in `Network.activation`."""
        points = [f"{x!r}/{y!r}" for x, y in zip(self.x, self.y, strict=True)]
        return ":".join(["tabulated", *points])

    @classmethod
    def from_word(cls, word: str) -> "TabulatedActivation":
        """The activation that `word` describes."""
        pairs = [point.split("/") for point in word.split(":")[1:]]
        if not all(len(pair) == 2 for pair in pairs):
            raise ValueError(
                f"the points of a tabulated activation must be such as 0.5/0.25, got {word!r}"
            )
        try:
            x, y = ([float(pair[k]) for pair in pairs] for k in (0, 1))
        except ValueError:
            raise ValueError(f"the points of {word!r} must be pairs of numbers") from None
        return cls(np.array(x), np.array(y))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TabulatedActivation) and self.word == other.word

    def __hash__(self) -> int:
        return hash(self.word)

    def __repr__(self) -> str:
        return f"TabulatedActivation({list(self.x)}, {list(self.y)})"
