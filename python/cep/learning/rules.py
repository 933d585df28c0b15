"""Learning rules compute updates of parameters from phases. They are also gradient estimators."""

import functools
import math
from abc import ABC
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from typing import Any, ClassVar, Literal, Self, get_args, get_origin, get_type_hints

from cep._util import validation
from cep.learning import optimizers as _optimizers
from cep.learning.optimizers import SGD, Optimizer

Rates = float | Sequence[float] | None

# The options of a rule, by the engine's names (see cep.h).
EngineRule = dict[str, Any]

_RATES = ("learning_rates", "bias_learning_rates", "feedback_learning_rates")


class LearningRule(ABC):
    """The base class of learning rules, for `train_batch`, `fit` and `gradient`.

    A rule is a frozen dataclass. Its fields are checked according to their types (TypeError,
    ValueError), and passed to the engine by name.
    """

    name: ClassVar[str]
    engine_name: ClassVar[str]  # The value of the option "rule" of cep.h.

    free_steps: int
    learning_rates: Rates
    bias_learning_rates: Rates
    feedback_learning_rates: Rates = None
    optimizer: Optimizer

    def __post_init__(self) -> None:
        hints = _types(type(self))
        for each in fields(self):  # type: ignore[arg-type]
            value = getattr(self, each.name)
            object.__setattr__(self, each.name, _checked(each.name, value, hints[each.name]))
        for name in _RATES[1:]:
            if self.learning_rates is None and getattr(self, name) is not None:
                raise ValueError(f"{name} without learning_rates: give both")

    def spread_learning_rates(
        self, connections: int
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Learning rates and bias learning rates, one per connection, input first.

        Empty if the rule has no learning rates.
        """
        return _spread(self.learning_rates, connections), _spread(
            self.bias_learning_rates, connections
        )

    def scaled(self, factor: float) -> Self:
        """The same rule with all learning rates multiplied by a factor."""
        rates = {name: getattr(self, name) for name in _RATES}
        changes = {
            name: rate * factor if isinstance(rate, float) else tuple(r * factor for r in rate)
            for name, rate in rates.items()
            if rate is not None
        }
        return replace(self, **changes)  # type: ignore[type-var]

    def _for_engine(self, connections: int) -> EngineRule:
        """All options except those that are None."""
        names = [each.name for each in fields(self)]  # type: ignore[arg-type]
        options = {name: getattr(self, name) for name in names if name != "optimizer"}
        options |= {name: _spread(getattr(self, name), connections) or None for name in _RATES}
        given = {name: value for name, value in options.items() if value is not None}
        return {"rule": self.engine_name, **given, **self.optimizer._options()}


@dataclass(frozen=True)
class TwoPhaseRule(LearningRule):
    """A rule with a free and a nudged phase. `EP` describes the fields."""

    free_steps: int
    nudged_steps: int
    beta: float
    learning_rates: Rates = None
    bias_learning_rates: Rates = None
    _: KW_ONLY
    beta_sign: Literal["fixed", "random", "symmetric"] = "fixed"
    feedback_update: Literal["own", "shared"] = "own"
    asymmetry: Literal["vector-field", "exact"] = "vector-field"
    optimizer: Optimizer = field(default_factory=SGD)
    feedback_learning_rates: Rates = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.beta == 0 or not math.isfinite(self.beta):
            raise ValueError(f"beta must be finite and not 0, got {self.beta}")
        if self.asymmetry == "exact" and self.feedback_update == "shared":
            raise ValueError(
                "feedback_update is 'shared' with the asymmetry 'exact', whose updates are the "
                "gradients of each set of weights; expected 'own'"
            )


@dataclass(frozen=True)
class EP(TwoPhaseRule):
    """Equilibrium Propagation: one update per batch, from the steady states of the two phases.

    With tied feedback, s* the free steady state, s^β the nudged one and B the batch size::

        ΔW = η / (βB) (s^βᵀ s^β − s*ᵀ s*)      Δb = η / (βB) Σ (s^β − s*)

    With untied feedback this is the vector field rule, VF::

        ΔW = η / (βB) (s^β − s*)ᵀ s*           ΔV likewise, with W's learning rate

    In the real-time setting, s is replaced by ρ(s): everywhere in the tied rule, and in the last
    factor of VF.

    Parameters
    ----------
    free_steps : int
        Steps T of the free phase, 1 or more.
    nudged_steps : int
        Steps K of the nudged phase, 1 or more.
    beta : float
        Strength β of the nudging, not 0.
    learning_rates : float or sequence of float, optional
        Learning rates η, one for all connections or one for each, input first; 0 or more. Without
        learning rates, the rule only estimates gradients.
    bias_learning_rates : float or sequence of float, optional
        Learning rates of the biases. Default: the learning rates. The published prototypical vector
        field does not train the bias of the first hidden layer. A rate of 0 reproduces this.
    beta_sign : {"fixed", "random", "symmetric"}
        Sign of β: as given, drawn for each batch with p = ½, or both. Random signs are drawn with
        the seed of `fit`, otherwise with that of the network. Symmetric: two nudged phases, at +β
        and −β, start from the same free steady state, and half the sum of their updates is used.
        The error is of order β² instead of β.
    accumulate : bool
        Whether the update is the sum over the steps of the nudged phase with constant weights,
        instead of the difference of its ends. With tied feedback both are the same.
    feedback_update : {"own", "shared"}
        With untied feedback: whether forward and feedback weights each have a separate update, or
        both have the mean of the two updates of tied weights. With "shared", equal initial weights
        stay equal (Laborieux et al., 2021).
    asymmetry : {"vector-field", "exact"}
        With untied feedback: whether the nudged phase is used unchanged, or corrected so that the
        update is the gradient for any feedback weights (AsymEP, Scurria and others, 2026). With J
        the Jacobian of a free step at the free steady state s*, "exact" adds ``−(J − Jᵀ)(s − s*)``
        to a step, and adds the pull outside the activation. The update of a coupling j → i is
        ``η / (βB) Σ (s_i^β − s_i*) σ′(u_i) s_j*``. See docs/asymmetry.md.
    optimizer : SGD or Adam
        The optimizer, which changes the parameters. Default: plain SGD, as published.
    feedback_learning_rates : float or sequence of float, optional
        Learning rates of the feedback weights. With 0 they do not change. Default: the learning
        rates.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    References
    ----------
    Scellier and Bengio, 2017. The prototypical setting: Ernoult et al., NeurIPS 2019
    (arXiv 1905.13633).
    """

    accumulate: bool = field(default=False, kw_only=True)

    engine_name = "ep"
    name = "EP"


@dataclass(frozen=True)
class CEP(TwoPhaseRule):
    """EP with continual updates: every step of the nudged phase updates the parameters.

    With tied feedback, for each step t of the nudged phase::

        ΔW(t) = η / (βB) (s(t+1)ᵀ s(t+1) − s(t)ᵀ s(t))      Δb(t) = η / (βB) Σ (s(t+1) − s(t))

    No state has to be stored for an update. Step t + 1 uses the parameters updated at t.
    With untied feedback this is C-VF::

        ΔW(t) = η / (βB) (s(t+1) − s(t))ᵀ s(t)               ΔV likewise, with W's learning rate

    In the real-time setting, s is replaced by ρ(s): everywhere in the tied rule, and in the last
    factor of C-VF.

    As a gradient estimator, the rule returns the total update divided by −η.

    Parameters
    ----------
    free_steps, nudged_steps, beta, bias_learning_rates, feedback_learning_rates
        As for `EP`.
    learning_rates : float or sequence of float, optional
        As for `EP`. Without learning rates, the rule only estimates gradients, in the limit η → 0.
    beta_sign : {"fixed", "random"}
        As for `EP`. A symmetric form does not exist: the phase at +β changes the weights, so that a
        phase at −β would not start from the same network.
    write_every_step : bool
        Whether the weights are written at every step. By default their change is stored as a
        product of matrices with few rows and written once per batch. The result is equal up to
        rounding, and this is many times faster (see docs/performance.md). In networks with
        convolutions, the weights are always written at every step.
    feedback_update : {"own", "shared"}
        As for `EP`. With "shared" the weights are written at every step.
    asymmetry : {"vector-field", "exact"}
        As for `EP`, from consecutive states. With "exact" the weights are written at every step.
    optimizer : SGD or Adam
        The optimizer is applied at every step of the nudged phase. Default: plain SGD, as
        published. With any other optimizer, the weights are written at every step.

    References
    ----------
    Ernoult et al., 2020 (arXiv 2005.04168).
    """

    beta_sign: Literal["fixed", "random"] = field(default="fixed", kw_only=True)
    write_every_step: bool = field(default=False, kw_only=True)

    engine_name = "cep"
    name = "C-EP"


@dataclass(frozen=True)
class BPTT(LearningRule):
    """Backpropagation through the steps of the free phase, which computes its exact gradient.

    Parameters
    ----------
    free_steps : int
        Steps T of the free phase, 1 or more.
    last_steps : int, optional
        Number of steps at the end of the free phase through which gradients are backpropagated, at
        most ``free_steps``. Default: all.
    learning_rates, bias_learning_rates, optimizer, feedback_learning_rates
        As for `EP`.
    """

    free_steps: int
    last_steps: int | None = None
    learning_rates: Rates = None
    bias_learning_rates: Rates = None
    optimizer: Optimizer = field(default_factory=SGD)
    feedback_learning_rates: Rates = None

    engine_name = "bptt"
    name = "BPTT"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.last_steps is not None and self.last_steps > self.free_steps:
            raise ValueError(
                f"last_steps is {self.last_steps}, more than the {self.free_steps} free_steps"
            )


@dataclass(frozen=True)
class RBP(LearningRule):
    """Recurrent backpropagation: the gradient at the steady state after infinitely many steps.

    The gradient of the states at the fixed point is dL/ds = (1 − Jᵀ)⁻¹ dL/ds_T, with J the Jacobian
    of a step. It is computed as a series, until its terms are negligible.

    Parameters
    ----------
    free_steps : int
        Steps T of the free phase, 1 or more: enough to reach the steady state.
    tolerance : float
        RBP adds terms until the largest element of a term, divided by that of the first term, is at
        most this number, in (0, 1).
    max_iterations : int
        Number of terms after which RBP raises DivergenceError, if it has not reached the tolerance.
    learning_rates, bias_learning_rates, optimizer, feedback_learning_rates
        As for `EP`.

    References
    ----------
    Almeida, 1987; Pineda, 1987.
    """

    free_steps: int
    tolerance: float = 1e-6
    max_iterations: int = 10_000
    learning_rates: Rates = None
    bias_learning_rates: Rates = None
    optimizer: Optimizer = field(default_factory=SGD)
    feedback_learning_rates: Rates = None

    engine_name = "rbp"
    name = "RBP"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.tolerance < 1:
            raise ValueError(f"tolerance must be between 0 and 1, got {self.tolerance}")


def checked(name: str, rule: object) -> LearningRule:
    """Return the rule; TypeError if the object is not a learning rule."""
    if not isinstance(rule, LearningRule):
        raise TypeError(f"{name} must be a learning rule such as cep.CEP(…), got {rule!r}")
    return rule


@functools.cache
def _types(rule: type) -> dict[str, Any]:
    return get_type_hints(rule)


def _checked(name: str, value: Any, kind: Any) -> Any:
    """The value of a field, after a check of its type."""
    if kind is Optimizer:
        return _optimizers.checked(value)
    if kind == Rates:
        return _rates(name, value)
    if kind is bool:
        return validation.flag(name, value)
    if kind is float:
        return validation.real(name, value)
    if get_origin(kind) is Literal:
        return validation.choice(name, value, get_args(kind))
    return None if value is None and kind == int | None else validation.count(name, value)


def _rates(name: str, rates: Any) -> float | tuple[float, ...] | None:
    if rates is None:
        return None
    several = (
        hasattr(rates, "__len__")
        and hasattr(rates, "__iter__")
        and not isinstance(rates, (str, bytes))
    )
    values = (
        tuple(validation.real(f"{name}[{k}]", rate) for k, rate in enumerate(rates))
        if several
        else (validation.real(name, rates),)
    )
    if several and not values:
        raise ValueError(
            f"{name} is empty; expected one number, or one per connection, input first"
        )
    for value in values:
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be finite and 0 or more, got {value}")
    return values if several else values[0]


def _spread(rates: Rates, connections: int) -> tuple[float, ...]:
    """One rate per connection; empty without learning rates."""
    if rates is None:
        return ()
    return (rates,) * connections if isinstance(rates, (int, float)) else tuple(rates)
