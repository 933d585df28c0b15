"""Optimizers turn a gradient into a change of each parameter."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from cep._util import validation
from cep.network import optimizer_state

WeightDecay = float | Sequence[float]


class Optimizer(ABC):
    """The optimizer of a learning rule: `SGD` or `Adam`.

    Its state between updates belongs to the network: it is copied, pickled and saved in checkpoints
    with it, and restarts from zero with another optimizer.
    """

    name: ClassVar[str]
    weight_decay: WeightDecay

    def __init_subclass__(cls) -> None:
        optimizer_state.KNOWN[cls.name] = cls.with_state

    @property
    @abstractmethod
    def state_names(self) -> tuple[str, ...]:
        """The names of the values kept for each parameter."""

    @abstractmethod
    def engine_options(self) -> dict[str, float]:
        """Its numbers, by their names in cep.h."""

    @classmethod
    def with_state(cls) -> "Optimizer":
        """An optimizer of this type with a state, for states read from files."""
        return cls()

    def _options(self) -> dict[str, Any]:
        """The options for the engine."""
        decay = self.weight_decay
        several = tuple(decay) if isinstance(decay, Sequence) else (decay,)
        return {"optimizer": self.name, **self.engine_options(), "weight_decay": several}

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_fraction(self, name: str) -> None:
        value = validation.real(name, getattr(self, name))
        if not 0 <= value < 1:
            raise ValueError(f"{name} must be in [0, 1), got {value}")
        self._set(name, value)

    def _check_weight_decay(self) -> None:
        decay = self.weight_decay
        several = hasattr(decay, "__iter__") and not isinstance(decay, (str, bytes))
        values = (
            tuple(validation.real(f"weight_decay[{k}]", each) for k, each in enumerate(decay))  # type: ignore[arg-type]
            if several
            else (validation.real("weight_decay", decay),)
        )
        if several and not values:
            raise ValueError(
                "weight_decay is empty; expected one number, or one for each connection"
            )
        for value in values:
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"weight_decay must be finite and 0 or more, got {value}")
        self._set("weight_decay", values if several else values[0])


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum and weight decay as in PyTorch.

    With g the gradient, λ the weight decay, μ the momentum and η the learning rate::

        d = g + λ θ        v ← μ v + d        θ ← θ − η v

    v starts at zero, so that the first update is d.

    Parameters
    ----------
    momentum : float
        Momentum μ of SGD, in [0, 1).
    weight_decay : float or sequence of float
        Weight decay λ of weights and biases, 0 or more: one for all connections, or one each, input
        first.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value.
    """

    momentum: float = 0.0
    weight_decay: WeightDecay = 0.0

    name = "sgd"

    def __post_init__(self) -> None:
        self._check_fraction("momentum")
        self._check_weight_decay()

    @classmethod
    def with_state(cls) -> "SGD":
        """An optimizer with momentum."""
        return cls(momentum=0.5)

    @property
    def state_names(self) -> tuple[str, ...]:
        """The velocity, if there is momentum."""
        return ("velocity",) if self.momentum else ()

    def engine_options(self) -> dict[str, float]:
        """The momentum."""
        return {"momentum": self.momentum}


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam, with the weight decay added to the gradient as in PyTorch.

    With g the gradient, λ the weight decay, η the learning rate and t the update, from 1 on::

        d = g + λ θ        m ← β₁ m + (1 − β₁) d        v ← β₂ v + (1 − β₂) d²
        θ ← θ − η (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)

    Parameters
    ----------
    beta1, beta2 : float
        Decay rates β₁ and β₂ of Adam's moving averages, in [0, 1).
    epsilon : float
        Term ε in the denominator of Adam, above 0. In long trainings in float32, 1e-5 is better
        than 1e-8, because a gradient of EP has rounding errors of this size.
    weight_decay : float or sequence of float
        Weight decay λ of weights and biases, 0 or more: one for all connections, or one each, input
        first.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value.

    References
    ----------
    Kingma and Ba, 2015 (arXiv 1412.6980).
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: WeightDecay = 0.0

    name = "adam"

    def __post_init__(self) -> None:
        self._check_fraction("beta1")
        self._check_fraction("beta2")
        epsilon = validation.real("epsilon", self.epsilon)
        if not 0 < epsilon < math.inf:
            raise ValueError(f"epsilon must be finite and above 0, got {epsilon}")
        self._set("epsilon", epsilon)
        self._check_weight_decay()

    @property
    def state_names(self) -> tuple[str, ...]:
        """The moving averages of the gradient and of its square."""
        return ("first_moment", "second_moment")

    def engine_options(self) -> dict[str, float]:
        """β₁, β₂ and ε."""
        return {"beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon}


def checked(value: object) -> Optimizer:
    """Return the optimizer; raises a TypeError for other objects."""
    if not isinstance(value, Optimizer):
        raise TypeError(f"optimizer must be cep.SGD(…) or cep.Adam(…), got {value!r}")
    return value
