"""Learning rates from the number and magnitude of the inputs of each unit."""

from collections.abc import Sequence

from cep.learning.optimizers import SGD, Adam, Optimizer

# Chosen in results/defaults.md, by optimizer and rule.
RELATIVE_RATES = {
    "sgd": {"c-ep": 0.5, "ep": 2.0, "bptt": 2.0, "rbp": 2.0},
    "adam": {"c-ep": 0.0025, "ep": 0.05, "bptt": 0.05, "rbp": 0.05},
}


def relative_rate(rule: str, optimizer: Optimizer) -> float:
    """The default relative learning rate of a rule."""
    rate = RELATIVE_RATES[optimizer.name][rule]
    # Momentum adds up the updates of 1 / (1 − momentum) batches.
    return rate * (1 - optimizer.momentum) if isinstance(optimizer, SGD) else rate


def absolute_rates(
    relative: Sequence[float],
    inputs: Sequence[float],
    mean_squares: Sequence[float],
    optimizer: Optimizer,
) -> tuple[list[float], list[float]]:
    """The learning rates of weights, and of biases.

    Parameters
    ----------
    relative : sequence of float
        The relative rate of each connection, input first.
    inputs : sequence of float
        The number of inputs of a unit, n, of each connection.
    mean_squares : sequence of float
        The mean square of these inputs, m, of each connection; 1 for hidden layers.
    optimizer : Optimizer
        The optimizer of the learning rule.

    Returns
    -------
    rates, bias_rates : list of float
        ``relative / ((n + 1) m)``, with m = 1 for biases. With Adam, m is replaced by √m, since
        Adam divides the gradient by its magnitude.
    """
    bias_rates = [rate / (n + 1) for rate, n in zip(relative, inputs, strict=True)]
    power = 0.5 if isinstance(optimizer, Adam) else 1.0
    rates = [rate / m**power for rate, m in zip(bias_rates, mean_squares, strict=True)]
    return rates, bias_rates
