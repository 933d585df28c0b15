"""Learning rules, which are gradient estimators too: how phases become updates of parameters."""

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
    """What `train_batch` and `fit` train with, and `gradient` estimates gradients with.

    A rule is a frozen dataclass. Its fields are checked by their types (TypeError, ValueError), and
    passed to the engine by their names.
    """

    name: ClassVar[str]
    engine_name: ClassVar[str]  # As in the option "rule" of cep.h.

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
        """Learning rates and bias learning rates, one a connection, input first.

        Empty if a rule has none.
        """
        return _spread(self.learning_rates, connections), _spread(
            self.bias_learning_rates, connections
        )

    def scaled(self, factor: float) -> Self:
        """The same rule with all learning rates multiplied with a factor."""
        rates = {name: getattr(self, name) for name in _RATES}
        changes = {
            name: rate * factor if isinstance(rate, float) else tuple(r * factor for r in rate)
            for name, rate in rates.items()
            if rate is not None
        }
        return replace(self, **changes)  # type: ignore[type-var]

    def _for_engine(self, connections: int) -> EngineRule:
        """All options; those that are None are left out."""
        names = [each.name for each in fields(self)]  # type: ignore[arg-type]
        options = {name: getattr(self, name) for name in names if name != "optimizer"}
        options |= {name: _spread(getattr(self, name), connections) or None for name in _RATES}
        given = {name: value for name, value in options.items() if value is not None}
        return {"rule": self.engine_name, **given, **self.optimizer._options()}


@dataclass(frozen=True)
class TwoPhaseRule(LearningRule):
    """A rule of a free and a nudged phase; `EP` describes the fields."""

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
    """Equilibrium Propagation: one update a batch, from the steady states of the two phases.

    With tied feedback, s* the free steady state, s^β the nudged one and B the batch size::

        ΔW = η / (βB) (s^βᵀ s^β − s*ᵀ s*)      Δb = η / (βB) Σ (s^β − s*)

    With untied feedback this is the vector field rule, VF::

        ΔW = η / (βB) (s^β − s*)ᵀ s*           ΔV likewise, with W's learning rate

    In the real-time setting ρ(s) stands for s in the tied rule, and for the last factor in VF.

    Parameters
    ----------
    free_steps : int
        Steps T of the free phase, 1 or more.
    nudged_steps : int
        Steps K of the nudged phase, 1 or more.
    beta : float
        Strength β of the nudging, not 0.
    learning_rates : float or sequence of float, optional
        Learning rates η, one for all connections or one each, input first. 0 or more. Without, the
        rule only estimates gradients.
    bias_learning_rates : float or sequence of float, optional
        Learning rates of the biases. Default: the learning rates. The published prototypical vector
        field never learns the first hidden layer's bias: 0 there reproduces it.
    beta_sign : {"fixed", "random", "symmetric"}
        Sign of β: as given, drawn for each batch with p = ½, or both. Random signs come from the
        seed of `fit` or else of the network. Symmetric: phases at +β and −β from the same free
        steady state, half the sum of their updates; its error falls with β² rather than β.
    accumulate : bool
        Whether the update is summed over the steps of the nudged phase, the weights staying as they
        are, rather than taken from its two ends. With tied feedback both are the same.
    feedback_update : {"own", "shared"}
        Untied feedback: whether forward and feedback weights each get their own update, or
        both the mean of what each would get if it were tied, so that weights that begin alike stay
        alike (Laborieux et al., 2021).
    asymmetry : {"vector-field", "exact"}
        Untied feedback: the nudged phase as it is, or corrected so that updates are exact. Exact
        means that the update is the gradient, whatever the feedback weights are (AsymEP, Scurria
        and others, 2026). With J the Jacobian of a free step at the free steady state s*, a step
        adds ``−(J − Jᵀ)(s − s*)``, and the pull is added outside the activation. The update of a
        coupling j → i is ``η / (βB) Σ (s_i^β − s_i*) σ′(u_i) s_j*``. See docs/asymmetry.md.
    optimizer : SGD or Adam
        How the estimated gradient changes the parameters. Default: plain SGD, as published.
    feedback_learning_rates : float or sequence of float, optional
        Learning rates of feedback weights. 0 keeps them as they are. Default: the learning rates.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not of its kind or out of its range.

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

    so that nothing has to be stored for an update. Step t + 1 uses the parameters updated at t.
    With untied feedback this is C-VF::

        ΔW(t) = η / (βB) (s(t+1) − s(t))ᵀ s(t)               ΔV likewise, with W's learning rate

    In the real-time setting ρ(s) stands for s in the tied rule, and for the last factor in C-VF.

    As a gradient estimator it is the total update divided by −η.

    Parameters
    ----------
    free_steps, nudged_steps, beta, bias_learning_rates, feedback_learning_rates
        As for `EP`.
    learning_rates : float or sequence of float, optional
        As for `EP`. Without, the rule only estimates gradients, in the limit η → 0.
    beta_sign : {"fixed", "random"}
        As for `EP`. There is no symmetric form: the phase at +β moves the weights, so that one at
        −β would not start from the same network.
    write_every_step : bool
        Whether the weights are written at every step. By default how they have moved is kept as a
        product of a few rows and written once a batch: the same but for rounding, and many times
        faster (see docs/performance.md). Networks with convolutions have them written at every
        step.
    feedback_update : {"own", "shared"}
        As for `EP`. With "shared" the weights are written at every step.
    asymmetry : {"vector-field", "exact"}
        As for `EP`, from consecutive states. With "exact" the weights are written at every step.
    optimizer : SGD or Adam
        It acts at every step of the nudged phase. Default: plain SGD, as published. Any other one
        has the weights written at every step.

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
    """Backpropagation through the steps of the free phase: the exact gradient of what it computes.

    Parameters
    ----------
    free_steps : int
        Steps T of the free phase, 1 or more.
    last_steps : int, optional
        Steps at the end of the free phase that gradients are sent back through, at most
        ``free_steps``. Default: all.
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
    """Recurrent backpropagation: the gradient at the steady state, as if it had held forever.

    The gradient of the states at the fixed point, dL/ds = (1 − Jᵀ)⁻¹ dL/ds_T with J the Jacobian of
    a step, is summed up term by term until the terms have died away.

    Parameters
    ----------
    free_steps : int
        Steps T of the free phase, 1 or more: enough to reach the steady state.
    tolerance : float
        Terms of RBP are added until the largest is this small beside the first, in (0, 1).
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
    """Return the rule, or raise the TypeError that it is none."""
    if not isinstance(rule, LearningRule):
        raise TypeError(f"{name} must be a learning rule such as cep.CEP(…), got {rule!r}")
    return rule


@functools.cache
def _types(rule: type) -> dict[str, Any]:
    return get_type_hints(rule)


def _checked(name: str, value: Any, kind: Any) -> Any:
    """The value of a field, if it is of the field's type."""
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
        raise ValueError(f"{name} is empty; expected one number, or one a connection, input first")
    for value in values:
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(f"{name} must be finite and 0 or more, got {value}")
    return values if several else values[0]


def _spread(rates: Rates, connections: int) -> tuple[float, ...]:
    """One rate a connection; none where there are none."""
    if rates is None:
        return ()
    return (rates,) * connections if isinstance(rates, (int, float)) else tuple(rates)
