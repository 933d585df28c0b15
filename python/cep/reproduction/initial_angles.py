"""The angle between a rule's total update and the total gradient of BPTT, before training."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

from numpy.typing import NDArray

from cep.experiments.configuration import Configuration
from cep.learning.gradients import gradient
from cep.learning.rules import BPTT
from cep.learning.theorem import ConvergenceWarning, gdu_check


class InitialAngles(NamedTuple):
    """Degrees between the negative update and the gradient of all weights, without biases."""

    total: float
    """The angle of the whole update."""
    without_first: float
    """Without the nudged phase's step t = 0, on both sides, as the paper's code computes it."""


def initial_angles(configuration: Configuration, x: NDArray[Any], y: NDArray[Any]) -> InitialAngles:
    """Both angles of an initial network, with its own rule and hyperparameters.

    If the rule draws the sign of β, the given sign is used.

    Parameters
    ----------
    configuration : Configuration
        A configuration with rule "ep" or "c-ep".
    x, y : numpy.ndarray
        Training data; its first batch is used.
    """
    net = configuration.make_network()
    rule = configuration.replace(beta_sign="fixed").make_rule()
    batch = (x[: configuration.batch_size], y[: configuration.batch_size])
    estimate = gradient(net, *batch, rule)
    with warnings.catch_warnings():
        # The published row is used, even if its free phase does not converge.
        warnings.simplefilter("ignore", ConvergenceWarning)
        moves = configuration.rule == "c-ep"
        rates, _ = rule.spread_learning_rates(len(net.weights))
        report = gdu_check(
            net,
            *batch,
            configuration.free_steps,
            configuration.nudged_steps,
            configuration.beta,
            rates if moves else 0,
            bias_learning_rates=rule.bias_learning_rates if moves else None,
            as_recorded=True,
        )
    exact = gradient(net, *batch, BPTT(configuration.free_steps))
    return InitialAngles(estimate.angle(exact), report.angle)


def mean_of(angles: Sequence[InitialAngles]) -> InitialAngles:
    """The mean of each angle."""
    return InitialAngles(*(sum(each) / len(angles) for each in zip(*angles, strict=True)))
