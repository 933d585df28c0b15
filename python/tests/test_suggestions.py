"""suggest recommends the best of its measurements, which are recomputed; and the rule trains."""

import dataclasses
import warnings
from typing import Any

import numpy as np
import pytest
from snapshot import fingerprint, refused

import cep

# Each test takes all samples as one batch, whose order does not matter.
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
    options = {"batch_size": max(1, len(x)), "max_free_steps": 200, "betas": BETAS, **options}
    return cep.suggest(net, x, y, **options)


def settled(found: cep.Suggestion) -> int:
    """Steps until the first residual of at most 1e-5."""
    return next(t for t, residual in enumerate(found.residuals, 1) if residual <= 1e-5)


@each_kind
def test_the_residuals_are_those_of_a_free_phase(kind: str) -> None:
    net, (x, y) = network(kind), data()
    found = suggest(net, x, y)
    residuals = [net.free_phase(x, steps).residual for steps in range(1, settled(found) + 1)]
    assert found.residuals[: len(residuals)] == pytest.approx(residuals, abs=1e-12)
    assert found.free_steps >= 1.5 * len(residuals)


@each_kind
def test_the_angles_are_those_of_the_estimates(kind: str) -> None:
    """For every K and β, between EP and BPTT through all steps."""
    net, (x, y) = network(kind), data(17)
    found = suggest(net, x, y)
    steady = settled(found)
    assert {beta for _, beta in found.angles} == set(BETAS)
    assert len(found.angles) > 4 * len(BETAS)
    exact = cep.gradient(net, x, y, cep.BPTT(steady))
    for (steps, beta), angle in found.angles.items():
        estimate = cep.gradient(net, x, y, cep.EP(steady, steps, beta))
        assert angle == pytest.approx(estimate.angle(exact), abs=1e-6)


def test_angles_are_averaged_over_batches() -> None:
    net, (x, y) = network(), data(14)
    x[7:], y[7:] = x[:7], y[:7]  # Whatever the order, no batch is alone.
    found = suggest(net, x, y, batch_size=1, batches=14)
    for (steps, beta), angle in list(found.angles.items())[:3]:
        angles = []
        for k in range(7):
            exact = cep.gradient(net, x[k : k + 1], y[k : k + 1], cep.BPTT(settled(found)))
            rule = cep.EP(settled(found), steps, beta)
            angles.append(cep.gradient(net, x[k : k + 1], y[k : k + 1], rule).angle(exact))
        assert angle == pytest.approx(np.mean(angles), abs=1e-6)


@each_kind
def test_beta_is_the_largest_that_costs_little(kind: str) -> None:
    """Within 5° of the best; and then the fewest steps within 1° of the best with it."""
    found = suggest(network(kind), *data())
    best = {beta: min(a for (_, b), a in found.angles.items() if b == beta) for beta in BETAS}
    close = [beta for beta, angle in best.items() if angle <= min(best.values()) + 5]
    assert abs(found.beta) == max(map(abs, close))
    enough = [k for (k, b), a in found.angles.items() if b == found.beta and a <= best[b] + 1]
    assert found.nudged_steps >= min(enough)
    assert found.nudged_steps % 2 == 0
    assert found.angle == found.angles[min(enough), found.beta]


@each_kind
@pytest.mark.parametrize("rule", [cep.EP, cep.CEP])
def test_first_updates_are_of_one_size_beside_the_weights(
    kind: str, rule: type[cep.EP] | type[cep.CEP]
) -> None:
    net, (x, y) = network(kind), data()
    found = suggest(net, x, y, rule=rule)
    steps = min(k for (k, b), a in found.angles.items() if b == found.beta and a <= found.angle)
    estimate = cep.gradient(net, x, y, cep.EP(2 * settled(found), steps, found.beta))
    sizes = [
        rate * np.linalg.norm(gradient) / np.linalg.norm(weights)
        for rate, gradient, weights in zip(
            found.learning_rates, estimate.weights, net.weights, strict=True
        )
    ]
    assert max(sizes) <= 1.15 * min(sizes)  # Rates have two digits.
    assert found.rule.learning_rates == found.learning_rates
    assert found.rule.beta_sign == "random"
    assert type(found.rule) is rule


def test_learning_rates_are_below_those_of_the_lowest_loss() -> None:
    found = cep.suggest(cep.Network([64, 32, 10], seed=0), *cep.datasets.digits())
    best = min(found.losses, key=lambda rates: found.losses[rates])
    assert found.learning_rates == pytest.approx([rate / 4 for rate in best], rel=0.1)
    ladder = list(found.losses)
    assert ladder.index(best) not in (0, len(ladder) - 1)
    ratios = np.divide(ladder[:-1], ladder[1:])
    assert ratios == pytest.approx(np.full_like(ratios, 2), rel=0.1)


def test_continual_rates_are_limited_by_beta() -> None:
    """The update differs from EP's by no more than EP's is long; so the rates fall with β."""
    net, (x, y) = cep.Network([64, 32, 10], seed=0), cep.datasets.digits()
    quick: Any = {"batch_size": 50, "test_batches": 40}
    rates = {}
    for beta in (0.1, 0.4):
        found = cep.suggest(net, x, y, rule=cep.CEP, betas=[beta], **quick)
        rates[beta] = found.learning_rates[0]
        for scale, is_in_limit in ((1, True), (8, False)):
            rule = dataclasses.replace(found.rule.scaled(scale), beta_sign="fixed")
            estimate = cep.gradient(net, x[:100], y[:100], rule)
            ep = cep.EP(rule.free_steps, rule.nudged_steps, beta)
            difference = estimate.relative_error(cep.gradient(net, x[:100], y[:100], ep))
            assert (difference <= 1.5) == is_in_limit  # Of other samples.
        assert 0 < found.deviation <= 1
    assert 2 <= rates[0.4] / rates[0.1] <= 8
    ep_rates = [cep.suggest(net, x, y, betas=[b], **quick).learning_rates[0] for b in (0.1, 0.4)]
    assert ep_rates[1] / ep_rates[0] <= 1.5


@pytest.mark.parametrize("hidden", [(32,), (32, 32)])
@pytest.mark.parametrize(
    ("rule", "betas"), [(cep.EP, (0.5,)), (cep.CEP, (0.5,)), (cep.CEP, (0.1,))]
)
def test_the_rule_trains(
    rule: type[cep.EP] | type[cep.CEP], betas: tuple[float, ...], hidden: tuple[int, ...]
) -> None:
    """Also C-EP at β = 0.1, which takes longer, and stays at chance with the rates of β = 0.5."""
    x, y = cep.datasets.digits()
    net = cep.Network([64, *hidden, 10], seed=0)
    found = cep.suggest(net, x[:1400], y[:1400], rule=rule, betas=betas)
    with warnings.catch_warnings():
        if betas == (0.1,):  # At chance after an epoch.
            warnings.simplefilter("ignore", cep.LearningWarning)
        epochs = 15 if betas == (0.5,) else 25
        cep.fit(net, (x[:1400], y[:1400]), found.rule, epochs, seed=0, progress=False)
    # Chance is 0.9. Small β needs small rates, with which two hidden layers train slowly.
    limit = 0.25 if betas == (0.5,) else 0.4
    assert cep.evaluate(net, (x[1400:], y[1400:])).error < limit


def test_the_network_is_left_alone() -> None:
    for kind in KINDS:
        net, (x, y) = network(kind, dtype="float32"), data()
        fresh = fingerprint(net)
        suggest(net, x, y, rule=cep.CEP)
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
    assert settled(suggest(net, x, y)) > settled(fresh)


@pytest.mark.parametrize("seed", [0, 18])
def test_states_that_never_settle(seed: int) -> None:
    """Steps count until the residual, which goes up and down, is not lower for ten more."""
    net = cep.Network((6, 8, 5, 3), dtype="float64", activation="tanh", feedback="untied",
                      feedback_angle=90, seed=seed)  # fmt: skip
    for weights, feedback in zip(net.weights[1:], net.feedback_weights[1:], strict=True):
        weights *= 2
        feedback *= 2  # type: ignore[operator, assignment]
    x, y = data()
    found = suggest(net, x, y, betas=[0.2])
    residuals = [net.free_phase(x, steps).residual for steps in range(1, 201)]
    assert min(residuals) > 1e-5
    assert found.residuals == pytest.approx(residuals, rel=1e-3)
    ours = found.residuals
    expected = next(t for t in range(1, 201) if ours[t - 1] == min(ours[: t + 10]))
    assert 1.5 * expected <= found.free_steps <= 200


def test_no_more_free_steps_than_allowed() -> None:
    net, (x, y) = network(), data()
    for most in (1, 10):
        found = suggest(net, x, y, max_free_steps=most)
        assert found.free_steps == len(found.residuals) == most


def test_fewer_samples_than_a_batch_are_enough() -> None:
    net, (x, y) = network(), data()
    whole = suggest(net, x[:10], y[:10], batch_size=50)
    assert whole == suggest(net, x[:10], y[:10], batch_size=10, batches=1)
    assert whole != suggest(net, x[:10], y[:10], batch_size=5, batches=1)


def test_it_is_printed_with_its_reasons() -> None:
    found = suggest(network(), *data(), rule=cep.CEP)
    text = str(found)
    for words in (
        f"cep.CEP(free_steps={found.free_steps}, nudged_steps={found.nudged_steps}, "
        f"beta={found.beta:g}, learning_rates=[",
        f"{found.residuals[settled(found) - 1]:.0e}",
        f"{found.deviation:.0%}",
        *(f"β={beta:g}" for beta in BETAS),
        *(f"{angle:.1f}" for angle in found.angles.values()),
        *(f"{loss:.4f}" for loss in found.losses.values()),
        *found.reasons,
    ):
        assert words in text
    assert eval(text.splitlines()[0]) == found.rule


def test_a_nudged_phase_that_reaches_nothing_is_no_direction() -> None:
    """One step of nudging moves only the output, so updates of the other layers are zero."""
    found = suggest(network(), *data(), betas=[0.1])
    assert found.nudged_steps > 1
    assert all(0 <= angle <= 180 for angle in found.angles.values())


def test_gradients_that_are_all_zero() -> None:
    net = cep.Network((6, 8, 3), seed=0, activation="hard_sigmoid")
    for biases in net.biases:
        biases[...] = -100
    x, _ = data()
    with pytest.raises(ValueError, match="the gradient is zero in every connection"):
        suggest(net, x, np.zeros((len(x), 3)))


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
        ({"test_batches": 0}, ValueError, "test_batches must be 1 or more, got 0"),
        ({"rule": cep.BPTT}, TypeError, "rule must be cep.EP or cep.CEP, got <class"),
        ({"rule": "ep"}, TypeError, "rule must be cep.EP or cep.CEP, got 'ep'"),
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
