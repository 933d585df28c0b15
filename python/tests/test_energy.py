"""The states of a tied network descend the energy, or the primitive function."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy_model import ACTIVATIONS, Matrix
from snapshot import fingerprint, refused

import cep

SIZES = (5, 6, 4, 3)
SMOOTH = ("shifted_sigmoid", "tanh")


def network(**options: Any) -> cep.Network:
    options = {"sizes": SIZES, "dtype": "float64", "seed": 3, "clamp": False, **options}
    return cep.Network(**options)


def batch(rows: int = 4, units: int = SIZES[0]) -> Any:
    return np.random.default_rng(0).random((rows, units))


def plant_states(net: cep.Network, seed: int = 0) -> None:
    """Arbitrary states, not those of a phase."""
    generator = np.random.default_rng(seed)
    for state in net.states[1:]:
        state[...] = generator.uniform(-0.4, 1.4, state.shape)


def energy_by_numpy(net: cep.Network) -> Matrix:
    states = [np.array(state, np.float64) for state in net.states]
    prototypical = net.setting == "prototypical"
    activities = (
        states if prototypical else [ACTIVATIONS[net.activation][0](state) for state in states]
    )
    energy = np.zeros(len(states[0]))
    for k, (weights, bias) in enumerate(zip(net.weights, net.biases, strict=True)):
        energy -= np.einsum(
            "bi,ij,bj->b", activities[k + 1], np.array(weights, np.float64), activities[k]
        )
        energy -= activities[k + 1] @ np.array(bias, np.float64)
        if not prototypical:
            energy += (states[k + 1] ** 2).sum(axis=1) / 2
    return energy


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-12)])
@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_the_energy_of_any_states(
    activation: str, setting: str, dtype: str, tolerance: float
) -> None:
    """For states after phases, and for states written by hand."""
    net = network(setting=setting, activation=activation, dtype=dtype)
    net.free_phase(batch(), 4)
    for prepare in (
        lambda: None,
        lambda: net.nudged_phase([0, 1, 2, 0], 0.5, 2),
        lambda: plant_states(net),
    ):
        prepare()
        before = fingerprint(net)
        energy = net.energy()
        assert energy == pytest.approx(energy_by_numpy(net), abs=tolerance)
        assert (energy.shape, energy.dtype) == ((4,), np.dtype("float64"))
        assert len(set(energy.tolist())) == 4
        assert fingerprint(net) == before


@given(
    sizes=st.lists(st.integers(1, 12), min_size=3, max_size=6),
    rows=st.integers(1, 30),
    setting=st.sampled_from(["prototypical", "real-time"]),
    seed=st.integers(0, 99),
)
@settings(max_examples=60)
def test_the_energy_of_any_network(sizes: list[int], rows: int, setting: str, seed: int) -> None:
    net = network(sizes=sizes, setting=setting, seed=seed)
    net.free_phase(batch(rows, sizes[0]), 3)
    assert net.energy() == pytest.approx(energy_by_numpy(net), abs=1e-11)


@pytest.mark.parametrize("activation", SMOOTH)
@pytest.mark.parametrize("energy", [True, False])
def test_the_dynamics_go_down_the_gradient(activation: str, energy: bool) -> None:
    """ds/dt = −∂E/∂s; as published the output lacks ρ′."""
    dt = 0.25
    net = network(setting="real-time", activation=activation, follows_energy=energy, dt=dt)
    net.free_phase(batch(), 1)
    plant_states(net)
    slopes = energy_slopes(net)
    old = [state.copy() for state in net.states]
    net.free_phase(batch(), 1, reset=False)
    velocities = [(new - was) / dt for new, was in zip(net.states, old, strict=True)]
    for layer in (1, 2):
        assert velocities[layer] == pytest.approx(-slopes[layer], abs=1e-8)
        assert np.abs(slopes[layer]).max() > 0.1
    output = np.abs(velocities[3] + slopes[3]).max()
    assert output < 1e-8 if energy else output > 1e-2


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_prototypical_states_are_the_activated_gradient(activation: str) -> None:
    """s ← σ(∂Φ/∂s), with the energy −Φ."""
    net = network(activation=activation)
    net.free_phase(batch(), 1)
    plant_states(net)
    slopes = energy_slopes(net)
    net.free_phase(batch(), 1, reset=False)
    for layer in (1, 2, 3):
        expected = ACTIVATIONS[activation][0](-slopes[layer])
        assert net.states[layer] == pytest.approx(expected, abs=1e-8)
        assert np.ptp(expected) > 0.1


def energy_slopes(net: cep.Network, width: float = 1e-5) -> list[Any]:
    """∂E/∂s of each layer by central differences; samples are independent."""
    slopes = []
    for state in net.states:
        slope = np.empty(state.shape)
        for unit in range(state.shape[1]):
            values = state[:, unit].copy()
            state[:, unit] = values + width
            above = net.energy()
            state[:, unit] = values - width
            below = net.energy()
            state[:, unit] = values
            slope[:, unit] = (above - below) / (2 * width)
        slopes.append(slope)
    return slopes


def descent(net: cep.Network, steps: int) -> Any:
    """The energy after each step of a free phase: steps × batch."""
    energies = []
    for step in range(steps):
        net.free_phase(batch(), 1, reset=step == 0)
        energies.append(net.energy())
    return np.array(energies)


@pytest.mark.parametrize("activation", SMOOTH)
@pytest.mark.parametrize("seed", range(5))
def test_the_energy_never_rises(activation: str, seed: int) -> None:
    net = network(setting="real-time", activation=activation, follows_energy=True, dt=0.02,
                  seed=seed)  # fmt: skip
    for weights in net.weights:
        weights *= 3
    energies = descent(net, 600)
    assert np.diff(energies, axis=0).max() <= 1e-14
    assert (energies[0] - energies[-1]).min() > 0.1


@pytest.mark.parametrize("activation", SMOOTH)
def test_the_energy_falls_by_the_square_of_the_velocity(activation: str) -> None:
    """ΔE = −dt |ds/dt|² to first order in dt; the remainder decreases with dt²."""
    rests = []
    for dt in (0.02, 0.01):
        net = network(setting="real-time", activation=activation, follows_energy=True, dt=dt)
        net.free_phase(batch(), 1)
        plant_states(net)
        before, old = net.energy(), [state.copy() for state in net.states]
        net.free_phase(batch(), 1, reset=False)
        moved = zip(net.states, old, strict=True)
        squares = sum((((new - was) / dt) ** 2).sum(axis=1) for new, was in moved)
        assert squares.min() > 0.1
        rests.append(np.abs(net.energy() - before + dt * squares).max())
    assert rests[1] == pytest.approx(rests[0] / 4, rel=0.05)


@pytest.mark.parametrize("activation", SMOOTH)
def test_as_published_the_energy_may_rise(activation: str) -> None:
    """Without ρ′ at the output, states do not follow the gradient, as documented."""
    net = network(setting="real-time", activation=activation, dt=0.02)
    net.biases[-1][...] = 2
    energies = descent(net, 600)
    assert np.diff(energies, axis=0).max() > 1e-6


@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
def test_vector_fields_have_no_energy(setting: str) -> None:
    net = network(setting=setting, feedback="untied")
    with refused(net, ValueError, "untied feedback has no energy"):
        net.energy()
    net.free_phase(batch(), 3)
    with refused(net, ValueError, "untied feedback has no energy"):
        net.energy()


@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
def test_without_states_there_is_no_energy(setting: str) -> None:
    net = network(setting=setting)
    with refused(net, RuntimeError, "free phase|no states"):
        net.energy()
