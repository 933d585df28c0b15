"""Learning rules: how a network's phases become updates of its parameters."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from cep import _arguments

# As in cep.h.
_EP, _CEP = 0, 1


@dataclass(frozen=True)
class _TwoPhaseRule:
    free_steps: int
    nudged_steps: int
    beta: float
    learning_rates: float | Sequence[float]

    _kind: ClassVar[int]
    name: ClassVar[str] = field(init=False)

    def __post_init__(self) -> None:
        for steps in ("free_steps", "nudged_steps"):
            number = _arguments.integer(steps, getattr(self, steps))
            if number < 1:
                raise ValueError(f"{steps} must be 1 or more, got {number}")
            object.__setattr__(self, steps, number)
        beta = _arguments.real("beta", self.beta)
        if beta == 0 or not math.isfinite(beta):
            raise ValueError(f"beta must be finite and not 0, got {beta}")
        object.__setattr__(self, "beta", beta)
        object.__setattr__(self, "learning_rates", _rates("learning_rates", self.learning_rates))

    def _for_engine(self, connections: int) -> tuple[int, int, int, float, tuple[float, ...]]:
        rates = self.learning_rates
        each = (rates,) * connections if isinstance(rates, float) else tuple(rates)
        return self._kind, self.free_steps, self.nudged_steps, self.beta, each


def _rates(name: str, rates: Any) -> float | tuple[float, ...]:
    try:
        several = not isinstance(rates, (str, bytes)) and len(rates) >= 0
    except TypeError:
        several = False
    values = (
        tuple(_arguments.real(f"{name}[{k}]", rate) for k, rate in enumerate(rates))
        if several
        else (_arguments.real(name, rates),)
    )
    for value in values:
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be finite and 0 or more, got {value}")
    return values if several else values[0]


@dataclass(frozen=True)
class EP(_TwoPhaseRule):
    """Equilibrium Propagation: one update a batch, from the steady states of the two phases.

    With tied feedback, s* the free steady state, s^β the nudged one and B the batch size::

        ΔW = η / (βB) (s^βᵀ s^β − s*ᵀ s*)      Δb = η / (βB) Σ (s^β − s*)

    Parameters
    ----------
    free_steps : int
        Steps T of the free phase, 1 or more.
    nudged_steps : int
        Steps K of the nudged phase, 1 or more.
    beta : float
        Strength β of the nudging, not 0.
    learning_rates : float or sequence of float
        η, one for all connections or one each, input first. 0 or more.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not of its kind or out of its range.

    References
    ----------
    Scellier and Bengio, 2017. The prototypical setting: Ernoult et al., NeurIPS 2019
    (arXiv 1905.13633).
    """

    _kind = _EP
    name = "EP"


@dataclass(frozen=True)
class CEP(_TwoPhaseRule):
    """EP with continual updates: every step of the nudged phase updates the parameters.

    With tied feedback, for each step t of the nudged phase::

        ΔW(t) = η / (βB) (s(t+1)ᵀ s(t+1) − s(t)ᵀ s(t))      Δb(t) = η / (βB) Σ (s(t+1) − s(t))

    so that nothing has to be stored for an update. Step t + 1 uses the parameters updated at t.

    Parameters
    ----------
    free_steps : int
        Steps T of the free phase, 1 or more.
    nudged_steps : int
        Steps K of the nudged phase, 1 or more.
    beta : float
        Strength β of the nudging, not 0.
    learning_rates : float or sequence of float
        η, one for all connections or one each, input first. 0 or more.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not of its kind or out of its range.

    References
    ----------
    Ernoult et al., 2020 (arXiv 2005.04168).
    """

    _kind = _CEP
    name = "C-EP"


Rule = EP | CEP
