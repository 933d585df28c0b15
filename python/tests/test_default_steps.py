"""Predictions without a number of steps."""

from typing import Any

import numpy as np
import pytest

import cep

X = np.random.default_rng(0).random((300, 6))
Y = np.arange(300) % 3


def network(**options: Any) -> cep.Network:
    return cep.Network([6, 9, 3], seed=1, **options)


@pytest.mark.parametrize("batch", [False, True])
def test_steps_default_to_those_of_the_last_rule(batch: bool) -> None:
    net, rule = network(), cep.EP(3, 2, 0.5, 0.1)
    if batch:
        cep.train_batch(net, X, Y, rule)
    else:
        cep.fit(net, (X, Y), rule, 1, seed=0, progress=False)
    assert np.array_equal(net.outputs(X), net.outputs(X, 3))
    assert not np.array_equal(net.outputs(X), net.outputs(X, 4))
    assert np.array_equal(net.predict(X), net.predict(X, 3))
    assert cep.evaluate(net, (X, Y)) == cep.evaluate(net, (X, Y), 3)


def test_a_network_that_was_not_trained_comes_to_rest() -> None:
    net = network(dtype="float64")
    exact = net.outputs(X, 1000)
    assert np.abs(net.outputs(X) - exact).max() < 1e-3
    assert np.array_equal(net.predict(X), exact.argmax(axis=1))
    # A network that never rests takes 1,000 steps.
    rivals = cep.Network([1, 1, 1], dtype="float64", seed=0)
    rivals.weights[0][...], rivals.biases[0][...] = 0, 1
    rivals.weights[1][...], rivals.biases[1][...] = -2, 1
    one = np.ones((1, 1))
    assert np.array_equal(rivals.outputs(one), rivals.outputs(one, 1000))


def test_outputs_are_the_scores() -> None:
    net = network()
    net.free_phase(X, 7)
    before = [state.copy() for state in net.states]
    assert np.array_equal(net.outputs(X, 7), before[-1])
    net.outputs(X[:5], 3)
    assert all(map(np.array_equal, net.states, before))
    readout = cep.Network([6, 9, cep.Readout(4)], dtype="float64", seed=0)
    readout.free_phase(X, 7)
    scores = readout.states[-1] @ readout.weights[1].T + readout.biases[1]
    assert np.allclose(readout.outputs(X, 7), scores, rtol=1e-12)
    assert np.array_equal(readout.predict(X, 7), scores.argmax(axis=1))


@pytest.mark.parametrize("steps", [0, -1, 1.5, "7"])
def test_invalid_steps(steps: Any) -> None:
    for call in (network().predict, network().outputs):
        with pytest.raises((TypeError, ValueError), match="steps"):
            call(X, steps)
