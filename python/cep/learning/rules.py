"""Learning rules, which are gradient estimators too: how phases become updates of parameters."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

from cep._engine.words import ASYMMETRIES, FEEDBACK_UPDATES
from cep._util import validation
from cep.learning import optimizers as _optimizers
from cep.learning.optimizers import SGD, Optimizer

Rates = float | Sequence[float] | None

# The options of a rule, by the engine's names (see cep.h).
EngineRule = dict[str, Any]


class LearningRule(ABC):
    """What `train_batch` and `fit` train with, and `gradient` estimates gradients with."""

    name: ClassVar[str]
    engine_name: ClassVar[str]  # As in the option "rule" of cep.h.

    free_steps: int
    learning_rates: Rates
    bias_learning_rates: Rates
    feedback_learning_rates: Rates = None
    optimizer: Optimizer

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def _check_steps(self, *names: str) -> None:
        for name in names:
            self._set(name, validation.count(name, getattr(self, name)))

    def _check_rates(self) -> None:
        names = ("learning_rates", "bias_learning_rates", "feedback_learning_rates")
        for name in names:
            if getattr(self, name) is not None or name in vars(self):
                self._set(name, _rates(name, getattr(self, name)))
        for name in names[1:]:
            if self.learning_rates is None and getattr(self, name) is not None:
                raise ValueError(f"{name} without learning_rates: give both")
        _optimizers.checked(self.optimizer)

    def spread_learning_rates(
        self, connections: int
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Learning rates and bias learning rates, one a connection, input first.

        Empty where a rule has none.
        """
        return _spread(self.learning_rates, connections), _spread(
            self.bias_learning_rates, connections
        )

    def scaled(self, factor: float) -> Self:
        """The same rule with all learning rates multiplied with a factor."""
        names = ("learning_rates", "bias_learning_rates", "feedback_learning_rates")
        rates = {name: getattr(self, name) for name in names}
        changes = {
            name: rate * factor if isinstance(rate, float) else tuple(r * factor for r in rate)
            for name, rate in rates.items()
            if rate is not None
        }
        return replace(self, **changes)  # type: ignore[type-var]

    def _for_engine(self, connections: int) -> EngineRule:
        rates, bias_rates = self.spread_learning_rates(connections)
        options = {"rule": self.engine_name, "free_steps": self.free_steps, **self.engine_options()}
        if rates:
            options["learning_rates"] = rates
        if bias_rates:
            options["bias_learning_rates"] = bias_rates
        if feedback_rates := _spread(self.feedback_learning_rates, connections):
            options["feedback_learning_rates"] = feedback_rates
        return options | self.optimizer._options()

    @abstractmethod
    def engine_options(self) -> dict[str, Any]:
        """The rule's own options, by the names of cep.h."""


class TwoPhaseRule(LearningRule):
    """A rule of a free and a nudged phase."""

    nudged_steps: int
    beta: float
    beta_sign: Any  # One of BETA_SIGNS; each rule says which it takes.
    feedback_update: Any = "own"  # One of FEEDBACK_UPDATES.
    asymmetry: Any = "vector-field"  # One of ASYMMETRIES.

    def check_phases(self, *signs: str) -> None:
        """Check what all such rules have; ``signs`` are those of β that the rule takes."""
        self._check_steps("free_steps", "nudged_steps")
        beta = validation.real("beta", self.beta)
        if beta == 0 or not math.isfinite(beta):
            raise ValueError(f"beta must be finite and not 0, got {beta}")
        self._set("beta", beta)
        validation.choice("beta_sign", self.beta_sign, signs)
        validation.choice("feedback_update", self.feedback_update, FEEDBACK_UPDATES)
        validation.choice("asymmetry", self.asymmetry, ASYMMETRIES)
        if self.asymmetry == "exact" and self.feedback_update == "shared":
            raise ValueError(
                "feedback_update is 'shared' with the asymmetry 'exact', whose updates are the "
                "gradients of each set of weights; expected 'own'"
            )
        self._check_rates()

    def engine_options(self) -> dict[str, Any]:
        """Of both phases."""
        return {
            "nudged_steps": self.nudged_steps,
            "beta": self.beta,
            "beta_sign": self.beta_sign,
            "feedback_update": self.feedback_update,
            "asymmetry": self.asymmetry,
        }


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
        η, one for all connections or one each, input first. 0 or more. Without, the rule only
        estimates gradients.
    bias_learning_rates : float or sequence of float, optional
        Of the biases; default: the learning rates. The published prototypical vector field never
        learns the first hidden layer's bias: 0 there reproduces it.
    beta_sign : {"fixed", "random", "symmetric"}
        Random: drawn for each batch with p = ½, from the seed of `fit` or else of the network.
        Symmetric: phases at +β and −β from the same free steady state, half the sum of their
        updates; its error falls with β² rather than β.
    accumulate : bool
        Whether the update is summed over the steps of the nudged phase, the weights staying as they
        are, rather than taken from its two ends. With tied feedback both are the same.
    feedback_update : {"own", "shared"}
        With untied feedback: whether forward and feedback weights each get their own update, or
        both the mean of what each would get if it were tied, so that weights that begin alike stay
        alike (Laborieux et al., 2021).
    asymmetry : {"vector-field", "exact"}
        Exact: the nudged phase is corrected so that the update is the gradient, whatever the
        feedback weights are (AsymEP, Scurria et al., 2026). With J the Jacobian of a free step at
        the free steady state s*, a step adds ``−(J − Jᵀ)(s − s*)``, and the pull is added outside
        the activation. The update of a coupling j → i is
        ``η / (βB) Σ (s_i^β − s_i*) σ′(u_i) s_j*``.
        See docs/asymmetry.md.
    optimizer : SGD or Adam
        From the estimated gradient to the change of the parameters. Default: plain SGD, as
        published.
    feedback_learning_rates : float or sequence of float, optional
        Of feedback weights; 0 holds them as they are. Default: the learning rates.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not of its kind or out of its range.

    References
    ----------
    Scellier and Bengio, 2017. The prototypical setting: Ernoult et al., NeurIPS 2019
    (arXiv 1905.13633).
    """

    free_steps: int
    nudged_steps: int
    beta: float
    learning_rates: Rates = None
    bias_learning_rates: Rates = None
    beta_sign: Literal["fixed", "random", "symmetric"] = "fixed"
    accumulate: bool = False
    feedback_update: Literal["own", "shared"] = "own"
    asymmetry: Literal["vector-field", "exact"] = "vector-field"
    optimizer: Optimizer = field(default_factory=SGD)
    feedback_learning_rates: Rates = None

    engine_name = "ep"
    name = "EP"

    def __post_init__(self) -> None:
        self.check_phases("fixed", "random", "symmetric")
        self._set("accumulate", validation.flag("accumulate", self.accumulate))

    def engine_options(self) -> dict[str, Any]:
        """The rule's own options, by the names of cep.h."""
        return super().engine_options() | {"accumulate": self.accumulate}


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
    free_steps : int
        Steps T of the free phase, 1 or more.
    nudged_steps : int
        Steps K of the nudged phase, 1 or more.
    beta : float
        Strength β of the nudging, not 0.
    learning_rates : float or sequence of float, optional
        η, one for all connections or one each, input first. 0 or more. Without, the rule only
        estimates gradients, in the limit η → 0.
    bias_learning_rates : float or sequence of float, optional
        Of the biases; default: the learning rates. The published prototypical vector field never
        learns the first hidden layer's bias: 0 there reproduces it.
    beta_sign : {"fixed", "random"}
        Random: drawn for each batch with p = ½, from the seed of `fit` or else of the network.
        There is no symmetric form: the phase at +β moves the weights, so that one at −β would not
        start from the same network.
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
    feedback_learning_rates : float or sequence of float, optional
        As for `EP`.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not of its kind or out of its range.

    References
    ----------
    Ernoult et al., 2020 (arXiv 2005.04168).
    """

    free_steps: int
    nudged_steps: int
    beta: float
    learning_rates: Rates = None
    bias_learning_rates: Rates = None
    beta_sign: Literal["fixed", "random"] = "fixed"
    write_every_step: bool = False
    feedback_update: Literal["own", "shared"] = "own"
    asymmetry: Literal["vector-field", "exact"] = "vector-field"
    optimizer: Optimizer = field(default_factory=SGD)
    feedback_learning_rates: Rates = None

    engine_name = "cep"
    name = "C-EP"

    def __post_init__(self) -> None:
        self.check_phases("fixed", "random")
        self._set("write_every_step", validation.flag("write_every_step", self.write_every_step))

    def engine_options(self) -> dict[str, Any]:
        """The rule's own options, by the names of cep.h."""
        return super().engine_options() | {"write_every_step": self.write_every_step}


@dataclass(frozen=True)
class BPTT(LearningRule):
    """Backpropagation through the steps of the free phase: the exact gradient of what it computes.

    Parameters
    ----------
    free_steps : int
        Steps T of the free phase, 1 or more.
    last_steps : int, optional
        Steps at its end that gradients are sent back through, at most ``free_steps``; default: all.
    learning_rates, bias_learning_rates : float or sequence of float, optional
        As for `EP`. Without, the rule only estimates gradients.
    optimizer : SGD or Adam
        As for `EP`.
    feedback_learning_rates : float or sequence of float, optional
        As for `EP`.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not of its kind or out of its range.
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
        self._check_steps("free_steps")
        if self.last_steps is not None:
            self._check_steps("last_steps")
            if self.last_steps > self.free_steps:
                raise ValueError(
                    f"last_steps is {self.last_steps}, more than the {self.free_steps} "
                    "free_steps there are"
                )
        self._check_rates()

    def engine_options(self) -> dict[str, Any]:
        """The rule's own options, by the names of cep.h."""
        return {} if self.last_steps is None else {"last_steps": self.last_steps}


@dataclass(frozen=True)
class RBP(LearningRule):
    """Recurrent backpropagation: the gradient at the steady state, as if it had held for ever.

    The gradient of the states at the fixed point, dL/ds = (1 − Jᵀ)⁻¹ dL/ds_T with J the Jacobian of
    a step, is summed up term by term until the terms have died away.

    Parameters
    ----------
    free_steps : int
        Steps T of the free phase, 1 or more: enough to reach the steady state.
    tolerance : float
        Terms are added until the largest is this small beside the first, in (0, 1).
    max_iterations : int
        Of terms; if the tolerance has not been reached by then, DivergenceError is raised.
    learning_rates, bias_learning_rates : float or sequence of float, optional
        As for `EP`. Without, the rule only estimates gradients.
    optimizer : SGD or Adam
        As for `EP`.
    feedback_learning_rates : float or sequence of float, optional
        As for `EP`.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not of its kind or out of its range.

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
        self._check_steps("free_steps", "max_iterations")
        tolerance = validation.real("tolerance", self.tolerance)
        if not 0 < tolerance < 1:
            raise ValueError(f"tolerance must be between 0 and 1, got {tolerance}")
        self._set("tolerance", tolerance)
        self._check_rates()

    def engine_options(self) -> dict[str, Any]:
        """The rule's own options, by the names of cep.h."""
        return {"tolerance": self.tolerance, "max_iterations": self.max_iterations}


def checked(name: str, rule: object) -> LearningRule:
    """Return the rule, or raise the TypeError that it is none."""
    if not isinstance(rule, LearningRule):
        raise TypeError(f"{name} must be a learning rule such as cep.CEP(…), got {rule!r}")
    return rule


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
