"""suggest recommends the best of its own numbers, which are recomputed here."""

from typing import Any

import numpy as np
import pytest
from snapshot import fingerprint, refused

import cep

BETAS = (0.05, 0.2, 0.8, -0.3)
KINDS: dict[str, dict[str, Any]] = {
    "prototypical": {},
    "untied": {"feedback": "untied", "feedback_angle": 45},
    "real-time": {"setting": "real-time", "activation": "tanh", "clamp": False, "dt": 0.5},
}
each_kind = pytest.mark.parametrize("kind", KINDS)


def network(kind: str = "prototypical", **options: Any) -> cep.Network:
    return cep.Network((6, 8, 5, 3), **{"seed": 1, "dtype": "float64", **KINDS[kind], **options})


def data(rows: int = 30) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    return generator.random((rows, 6)), generator.integers(0, 3, rows)


def suggest(net: cep.Network, x: Any, y: Any, **options: Any) -> cep.Suggestion:
    options = {"batch_size": 7, "batches": 3, "max_free_steps": 200, "betas": BETAS, **options}
    return cep.suggest(net, x, y, **options)


@each_kind
def test_after_the_free_steps_the_residual_is_small(kind: str) -> None:
    net, (x, y) = network(kind), data()
    found = suggest(net, x, y)
    residuals = [net.free_phase(x[:7], steps).residual for steps in range(1, found.free_steps + 1)]
    assert found.residuals[: found.free_steps] == pytest.approx(residuals, abs=1e-15)
    assert residuals[-1] <= 1e-5
    assert residuals[-2] > 1e-5  # It is the first such step.
    assert len(found.residuals) <= 200


@each_kind
def test_angles_equal_those_of_the_estimates(kind: str) -> None:
    """For every K and β, between EP and BPTT through all steps, the mean over the batches."""
    net, (x, y) = network(kind), data(17)  # The last batch is smaller.
    found = suggest(net, x, y)
    assert {beta for _, beta in found.angles} == set(BETAS)
    assert len(found.angles) > 4 * len(BETAS)
    rows = [slice(0, 7), slice(7, 14), slice(14, 17)]
    for (steps, beta), angle in found.angles.items():
        assert 1 <= steps <= found.free_steps
        angles = []
        for part in rows:
            exact = cep.gradient(net, x[part], y[part], cep.BPTT(found.free_steps))
            rule = cep.EP(found.free_steps, steps, beta)
            angles.append(cep.gradient(net, x[part], y[part], rule).angle(exact))
        assert angle == pytest.approx(np.mean(angles), abs=1e-6)


@each_kind
def test_the_best_of_what_was_tried_is_recommended(kind: str) -> None:
    """The fewest nudged steps within half a degree of the best, and the best β with them."""
    found = suggest(network(kind), *data())
    best = min(found.angles.values())
    close = {steps for (steps, _), angle in found.angles.items() if angle <= best + 0.5}
    assert found.nudged_steps == min(close)
    with_these = {b: a for (k, b), a in found.angles.items() if k == found.nudged_steps}
    assert found.angle == min(with_these.values())
    assert found.beta in BETAS
    assert with_these[found.beta] == found.angle
    assert found.angle == found.angles[found.nudged_steps, found.beta]
    assert max(found.angles.values()) > best + 5  # The choice matters.


@each_kind
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_network_is_left_alone(kind: str, dtype: str) -> None:
    net, (x, y) = network(kind, dtype=dtype), data()
    fresh = fingerprint(net)
    suggest(net, x, y)
    assert fingerprint(net) == fresh
    cep.train_batch(net, x, y, cep.EP(5, 3, 0.5, 0.1))
    before = fingerprint(net)
    suggest(net, x, y)
    assert fingerprint(net) == before


def test_the_network_is_taken_as_it_is() -> None:
    """Larger weights take longer to settle."""
    net, (x, y) = network(), data()
    fresh = suggest(net, x, y)
    for weights in net.weights[1:]:
        weights *= 1.5
    assert suggest(net, x, y).free_steps > fresh.free_steps


@pytest.mark.parametrize("seed", [0, 18])
def test_states_that_never_settle(seed: int) -> None:
    """T is the step after which the oscillating residual does not decrease for ten steps."""
    net = cep.Network((6, 8, 5, 3), dtype="float64", activation="tanh", feedback="untied",
                      feedback_angle=90, seed=seed)  # fmt: skip
    for weights, feedback in zip(net.weights[1:], net.feedback_weights[1:], strict=True):
        weights *= 2
        feedback *= 2  # type: ignore[operator, assignment]
    x, y = data()
    found = suggest(net, x, y, betas=[0.2])
    residuals = [net.free_phase(x[:7], steps).residual for steps in range(1, 201)]
    assert min(residuals) > 1e-5
    assert found.residuals == pytest.approx(residuals, rel=1e-3)
    ours = found.residuals
    expected = (t for t in range(1, 201) if ours[t - 1] == min(ours[: t + 10]))
    assert found.free_steps == next(expected)


def test_no_more_free_steps_than_allowed() -> None:
    net, (x, y) = network(), data()
    enough = suggest(net, x, y).free_steps
    few = suggest(net, x, y, max_free_steps=enough - 2)
    assert (few.free_steps, len(few.residuals)) == (enough - 2, enough - 2)
    assert suggest(net, x, y, max_free_steps=1).free_steps == 1


def test_fewer_samples_than_a_batch_are_enough() -> None:
    net, (x, y) = network(), data()
    whole = suggest(net, x[:10], y[:10], batch_size=50)
    assert whole == suggest(net, x[:10], y[:10], batch_size=10, batches=1)
    assert whole != suggest(net, x[:10], y[:10], batch_size=5, batches=1)


def test_it_is_printed_with_the_numbers_behind_it() -> None:
    found = suggest(network(), *data())
    text = str(found)
    for words in (
        f"free_steps={found.free_steps}, nudged_steps={found.nudged_steps}, beta={found.beta:g}",
        f"{found.residuals[found.free_steps - 1]:.1e}",
        *(f"β={beta:g}" for beta in BETAS),
        *(f"{angle:.2f}" for angle in found.angles.values()),
    ):
        assert words in text


def test_a_nudged_phase_that_reaches_nothing_is_no_direction() -> None:
    """One step of nudging moves only the output, so updates of the other layers are zero."""
    found = suggest(network(), *data(), betas=[0.1])
    assert found.nudged_steps > 1
    assert all(0 <= angle <= 180 for angle in found.angles.values())


def test_a_beta_that_is_given_twice_is_tried_once() -> None:
    net, (x, y) = network(), data()
    assert suggest(net, x, y, betas=[0.2, 0.2]).angles == suggest(net, x, y, betas=[0.2]).angles


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size must be 1 or more, got 0"),
        ({"batch_size": 2.0}, TypeError, "batch_size must be an integer, got float 2.0"),
        ({"batches": -1}, ValueError, "batches must be 1 or more, got -1"),
        ({"batches": None}, TypeError, "batches must be an integer"),
        ({"max_free_steps": 0}, ValueError, "max_free_steps must be 1 or more, got 0"),
        ({"max_free_steps": True}, TypeError, "max_free_steps must be an integer, got bool"),
        ({"betas": []}, ValueError, "betas is empty"),
        ({"betas": [0.1, 0]}, ValueError, r"beta must be finite and not 0, got 0"),
        ({"betas": [float("nan")]}, ValueError, r"beta must be finite and not 0, got nan"),
        ({"betas": ["strong"]}, TypeError, "beta must be a real number, got str 'strong'"),
        ({"betas": 0.1}, TypeError, "betas"),
    ],
    ids=str,
)
def test_invalid_options(options: dict[str, Any], error: type[Exception], message: str) -> None:
    net = network()
    with refused(net, error, message):
        suggest(net, *data(), **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x[:, :5], y), "x has 5 columns.*6 units"),
        (lambda x, y: (x[:0], y[:0]), "x is 0 × 6|at least one row"),
        (lambda x, y: (x, y[:-1]), "29 targets for the 30 rows"),
        (lambda x, y: (x[:-1], y), "30 targets for the 29 rows"),
        (lambda x, y: (x * np.nan, y), "x has a value that is not finite"),
        (lambda x, y: (x, y + 1), "3"),
        (lambda x, y: (x[0], y), "2-dimensional"),
    ],
    ids=["columns", "no samples", "too few targets", "too many", "nan", "class", "one sample"],
)
def test_invalid_data(change: Any, message: str) -> None:
    """All data are checked, not only the part that is used."""
    net = network()
    with refused(net, ValueError, message):
        suggest(net, *change(*data()))
