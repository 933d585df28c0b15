"""Checks the hyperparameters of an estimator, and makes its network and learning rule."""

import math
from collections.abc import Iterable
from typing import Any

from cep._util import validation
from cep.learning import optimizers
from cep.learning.default_rates import RELATIVE_RATES, absolute_rates, relative_rate
from cep.learning.optimizers import SGD, Adam, Optimizer
from cep.learning.rules import BPTT, CEP, EP, LearningRule
from cep.network.network import Network

# Options of a network that are hyperparameters with the same name.
OPTIONS = (
    *("setting", "activation", "dt", "clamp", "feedback", "feedback_angle", "dtype"),
    *("relaxation", "loss", "synapses", "bias_synapses", "neurons"),
)
# The published value (Ernoult et al., 2020).
_BATCH_SIZE = 20
# The usual value, 1e-8, is less than the rounding errors of a gradient that is a difference of
# states. Once all samples are learned, Adam would take these errors for the gradient.
_EPSILON = 1e-5


def check(estimator: Any) -> None:
    """Check the hyperparameters that neither networks nor rules check.

    Raises
    ------
    TypeError, ValueError
        If a hyperparameter has the wrong type or is out of range.
    """
    for name in ("clamp", "shuffle", "warm_start", "early_stopping"):
        validation.flag(name, getattr(estimator, name))
    for name in ("max_iter", "n_iter_no_change"):
        validation.count(name, getattr(estimator, name))
    tol = validation.real("tol", estimator.tol)
    if not tol >= 0:
        raise ValueError(f"tol must be 0 or more, got {tol}")
    fraction = validation.real("validation_fraction", estimator.validation_fraction)
    if not 0 < fraction < 1:
        raise ValueError(f"validation_fraction must be between 0 and 1, got {fraction}")
    validation.choice("loss", estimator.loss, estimator._losses)
    batch_size(estimator)


def batch_size(estimator: Any) -> int:
    """The number of samples per batch, which may be more than there are samples."""
    size = estimator.batch_size
    if isinstance(size, str):
        if size != "auto":
            raise ValueError(f"batch_size must be an integer or 'auto', got {size!r}")
        return _BATCH_SIZE
    return validation.count("batch_size", size)


def network(estimator: Any, inputs: int, outputs: int, seed: int) -> Network:
    """A new network with these numbers of features and output units."""
    sizes = (inputs, *_hidden_layer_sizes(estimator), outputs)
    return Network(sizes, seed=seed, **{name: getattr(estimator, name) for name in OPTIONS})


def rule(estimator: Any, sizes: tuple[int, ...], mean_square: float) -> LearningRule:
    """The learning rule, with rates for inputs of this mean square (see `NetworkEstimator`)."""
    name = validation.choice("rule", estimator.rule, ("c-ep", "ep", "bptt"))
    optimizer = _optimizer(estimator)
    value = estimator.learning_rate_init
    if value is None:
        value = relative_rate(name, optimizer)
    relative = _relative_rates(value, len(sizes) - 1)
    mean_squares = [mean_square] + [1.0] * (len(relative) - 1)
    rates, bias_rates = absolute_rates(relative, sizes[:-1], mean_squares, optimizer)
    if name == "bptt":
        return BPTT(
            estimator.free_steps,
            learning_rates=rates,
            bias_learning_rates=bias_rates,
            optimizer=optimizer,
        )
    return (EP if name == "ep" else CEP)(
        estimator.free_steps,
        estimator.nudged_steps,
        estimator.beta,
        rates,
        bias_rates,
        beta_sign=estimator.beta_sign,
        optimizer=optimizer,
    )


def _optimizer(estimator: Any) -> Optimizer:
    value = estimator.optimizer
    if value is None:
        value = estimator._default_optimizer
    if isinstance(value, str):
        name = validation.choice("optimizer", value, RELATIVE_RATES)
        return Adam(epsilon=_EPSILON) if name == "adam" else SGD()
    return optimizers.checked(value)


def _hidden_layer_sizes(estimator: Any) -> tuple[int, ...]:
    name, sizes = "hidden_layer_sizes", estimator.hidden_layer_sizes
    if isinstance(sizes, str) or not isinstance(sizes, Iterable):
        return (validation.count(name, sizes),)
    units = tuple(validation.count(f"{name}[{k}]", n) for k, n in enumerate(sizes))
    if not units:
        raise ValueError(f"{name} is empty; expected the units of one hidden layer or more")
    return units


def _relative_rates(value: Any, connections: int) -> list[float]:
    name = "learning_rate_init"
    if isinstance(value, str) or not isinstance(value, Iterable):
        rates = [validation.real(name, value)] * connections
    else:
        rates = [validation.real(f"{name}[{k}]", rate) for k, rate in enumerate(value)]
    if len(rates) != connections:
        raise ValueError(
            f"{name} has {len(rates)} values; the network has {connections} connections "
            "(one rate for all, or one each, input first)"
        )
    for rate in rates:
        if not 0 <= rate < math.inf:
            raise ValueError(f"{name} must be finite and 0 or more, got {rate}")
    return rates
