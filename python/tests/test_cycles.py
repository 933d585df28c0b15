"""Free phases that end in a cycle, their effect on continual updates, and the remedy.

Two units that inhibit each other have two steady states: one of them high, the other low. In the
prototypical setting synchronous steps are two independent chains (h of even steps with o of odd
ones, and vice versa), and from zero each chain converges to a different steady state.
"""

import numpy as np
import pytest

import cep

X, Y = np.ones((1, 1)), np.ones((1, 1))
HIGH, LOW = 0.8, 0.1


def rivals(relaxation: str = "synchronous") -> cep.Network:
    """h ← σ(1 − 2 o) and o ← σ(1 − 2 h), for any input."""
    net = cep.Network([1, 1, 1], relaxation=relaxation, dtype="float64", seed=0)
    net.weights[0][...], net.biases[0][...] = 0, 1
    net.weights[1][...], net.biases[1][...] = -2, 1
    return net


def states(net: cep.Network) -> tuple[float, float]:
    hidden, output = (float(state[0, 0]) for state in net.states[1:])
    return hidden, output


def test_synchronous_steps_of_rivals_never_end() -> None:
    net = rivals()
    outcome = net.free_phase(X, 1000)
    assert outcome.steps == 1000
    assert not outcome.converged
    assert outcome.residual > HIGH - LOW
    both_low = states(net)
    net.free_phase(X, 1, reset=False)
    both_high = states(net)
    assert max(both_low) < LOW
    assert min(both_high) > HIGH


def test_alternating_steps_come_to_rest_where_synchronous_ones_would() -> None:
    net = rivals("alternating")
    outcome = net.free_phase(X, 1000)
    assert outcome.converged
    assert outcome.steps < 100
    hidden, output = states(net)
    assert hidden > HIGH
    assert output < LOW
    # It is also a steady state of synchronous steps.
    assert hidden == pytest.approx(1 / (1 + np.exp(-4 * (1 - 2 * output - 0.5))), abs=1e-12)
    assert output == pytest.approx(1 / (1 + np.exp(-4 * (1 - 2 * hidden - 0.5))), abs=1e-12)


@pytest.mark.parametrize("nudged_steps", [15, 16])
def test_an_odd_nudged_phase_makes_an_update_of_a_cycle(nudged_steps: int) -> None:
    rule = cep.CEP(41, nudged_steps, beta=0.01)
    estimate = cep.gradient(rivals(), X, Y, rule)
    # Without moving weights the update telescopes to (o h − o h) / β of the two ends of the phase.
    size = abs(float(estimate.weights[1][0, 0]))
    if nudged_steps % 2:
        assert size == pytest.approx(HIGH**2 / 0.01, rel=0.3)
    else:
        assert size < 1


def test_an_odd_nudged_phase_from_rest_makes_none() -> None:
    rule = cep.CEP(41, 15, beta=0.01)
    estimate = cep.gradient(rivals("alternating"), X, Y, rule)
    assert abs(float(estimate.weights[1][0, 0])) < 1
