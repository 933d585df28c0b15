"""The sign of β: fixed, drawn for each batch, or both from the same steady state."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy_model import NumpyModel
from snapshot import feedback_weights, parameters, same, states

import cep

SIZES = (6, 5, 4, 3)
RULES: dict[str, Any] = {
    "EP": cep.EP(12, 6, 0.4, [0.3, 0.2, 0.1]),
    "EP, accumulated": cep.EP(12, 6, 0.4, [0.3, 0.2, 0.1], accumulate=True),
    "C-EP": cep.CEP(12, 6, 0.4, [0.3, 0.2, 0.1]),
}
EP_RULES = ("EP", "EP, accumulated")

each_setting = pytest.mark.parametrize("setting", ["prototypical", "real-time"])
each_feedback = pytest.mark.parametrize("feedback", ["tied", "untied"])


def network(seed: int = 2, **options: Any) -> cep.Network:
    if options.get("feedback") == "untied":
        options["feedback_angle"] = 40
    return cep.Network(SIZES, dtype="float64", seed=seed, **options)


def batch(rows: int = 3) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    return generator.random((rows, SIZES[0])), generator.random((rows, SIZES[-1]))


def after_a_batch(net: cep.Network, rule: Any) -> list[Any]:
    """Parameters and states; then the parameters are restored."""
    before = parameters(net)
    cep.train_batch(net, *batch(), rule)
    after = parameters(net) + states(net)
    for array, start in zip(net.parameters(), before, strict=True):
        array[...] = start
    return after


def signs(net: cep.Network, rule: Any, count: int) -> list[int]:
    """+1 or −1 for each batch, from comparing with the rules of fixed sign."""
    plus, minus = (
        after_a_batch(net, replace(rule, beta_sign="fixed", beta=b)) for b in (0.4, -0.4)
    )
    assert not same(plus, minus)
    found = []
    for _ in range(count):
        after = after_a_batch(net, rule)
        assert same(after, plus) or same(after, minus)
        found.append(1 if same(after, plus) else -1)
    return found


@each_setting
@each_feedback
@pytest.mark.parametrize("rule", RULES)
def test_each_batch_has_one_sign_or_the_other(rule: str, feedback: str, setting: str) -> None:
    net = network(setting=setting, feedback=feedback)
    assert set(signs(net, replace(RULES[rule], beta_sign="random"), 30)) == {1, -1}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("beta", [0.4, -0.4])
def test_each_sign_has_half_of_the_batches(rule: str, beta: float) -> None:
    """Within four standard deviations; likewise the number of runs, n/2 = 200 on average."""
    drawn = signs(network(), replace(RULES[rule], beta=beta, beta_sign="random"), 400)
    assert abs(sum(drawn)) < 4 * np.sqrt(400)
    assert 200 - 40 < len(list(itertools.groupby(drawn))) < 200 + 40


def test_outside_of_fit_signs_come_from_the_seed_of_the_network() -> None:
    rule = replace(RULES["EP"], beta_sign="random")
    assert signs(network(3), rule, 40) == signs(network(3), rule, 40)
    assert signs(network(3), rule, 40) != signs(network(4), rule, 40)


@pytest.mark.parametrize("rule", RULES)
def test_in_fit_signs_come_from_its_seed(rule: str) -> None:
    x, y = batch(12)
    random = replace(RULES[rule], beta_sign="random")

    def fitted(seed: int, learning: Any) -> list[Any]:
        net = network()
        signs(net, random, seed)  # Earlier draws do not matter.
        cep.fit(net, (x, y), learning, 2, batch_size=3, seed=seed, progress=False)
        return parameters(net)

    assert same(fitted(0, random), fitted(0, random))
    assert not same(fitted(0, random), fitted(1, random))
    for beta in (0.4, -0.4):
        assert not same(fitted(0, random), fitted(0, replace(RULES[rule], beta=beta)))


@pytest.mark.parametrize("rule", RULES)
def test_in_fit_a_sign_is_drawn_for_each_batch(rule: str) -> None:
    """With equal samples, an epoch is one of the 2⁵ runs with explicit signs."""
    x, y = (np.repeat(array, 5, axis=0) for array in batch(1))
    runs = {}
    for chosen in itertools.product((1, -1), repeat=5):
        net = network()
        for sign in chosen:
            cep.train_batch(net, x[:1], y[:1], replace(RULES[rule], beta=0.4 * sign))
        runs[chosen] = parameters(net)
    found = []
    for seed in range(12):
        net = network()
        random = replace(RULES[rule], beta_sign="random")
        cep.fit(net, (x, y), random, 1, batch_size=1, seed=seed, progress=False)
        matches = [chosen for chosen, run in runs.items() if same(parameters(net), run)]
        assert len(matches) == 1
        found += matches
    assert len(set(found)) > 4
    assert any(len(set(chosen)) == 2 for chosen in found)


def test_an_estimate_too_has_one_sign_or_the_other() -> None:
    net = network()
    for rule in RULES.values():
        plus, minus = (
            cep.gradient(net, *batch(), replace(rule, beta=b)).flatten() for b in (0.4, -0.4)
        )
        random = [
            cep.gradient(net, *batch(), replace(rule, beta_sign="random")).flatten()
            for _ in range(30)
        ]
        from_plus = sum(np.array_equal(estimate, plus) for estimate in random)
        from_minus = sum(np.array_equal(estimate, minus) for estimate in random)
        assert 0 < from_plus < 30
        assert from_plus + from_minus == 30


@each_setting
@each_feedback
@pytest.mark.parametrize("rule", EP_RULES)
def test_symmetric_is_half_the_sum_of_both_updates(rule: str, feedback: str, setting: str) -> None:
    net = network(setting=setting, feedback=feedback)
    count = len(parameters(net))
    before = parameters(net)
    plus, minus, both = (
        after_a_batch(net, replace(RULES[rule], **fields))[:count]
        for fields in ({}, {"beta": -0.4}, {"beta_sign": "symmetric"})
    )
    for one, other, mean, start in zip(plus, minus, both, before, strict=True):
        assert mean == pytest.approx((one + other) / 2, abs=1e-15)
        assert np.abs(mean - start).max() > 1e-5
        assert np.abs(one - other).max() > 1e-5


@each_setting
@each_feedback
@pytest.mark.parametrize("rule", EP_RULES)
def test_a_symmetric_estimate_is_half_the_sum_of_both(
    rule: str, feedback: str, setting: str
) -> None:
    net = network(setting=setting, feedback=feedback)
    plus, minus, both = (
        cep.gradient(net, *batch(), replace(RULES[rule], **fields)).flatten()
        for fields in ({}, {"beta": -0.4}, {"beta_sign": "symmetric"})
    )
    assert both == pytest.approx((plus + minus) / 2, abs=1e-15)
    assert np.abs(plus - minus).max() > 1e-4


def test_symmetric_does_not_depend_on_the_sign_given() -> None:
    net = network()
    results = [
        after_a_batch(net, replace(RULES["EP"], beta=beta, beta_sign="symmetric"))
        for beta in (0.4, -0.4)
    ]
    for one, other in zip(results[0][:6], results[1][:6], strict=True):
        assert one == pytest.approx(other, abs=1e-15)


def test_a_continual_rule_refuses_both_signs_at_once() -> None:
    with pytest.raises(ValueError, match=r"beta_sign must be 'fixed' or 'random'.*symmetric"):
        cep.CEP(12, 6, 0.4, 0.1, beta_sign="symmetric")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="symmetric"):
        replace(RULES["C-EP"], beta_sign="symmetric")


@pytest.mark.parametrize("rule", [cep.EP, cep.CEP])
@pytest.mark.parametrize("sign", ["both", "", "Random", None, 1, True])
def test_invalid_signs(rule: Any, sign: Any) -> None:
    with pytest.raises(ValueError, match="beta_sign must be 'fixed' or 'random'"):
        rule(12, 6, 0.4, 0.1, beta_sign=sign)


@each_setting
@each_feedback
@pytest.mark.parametrize("rule", RULES)
def test_a_negative_beta_pushes_away_from_the_target(
    rule: str, feedback: str, setting: str
) -> None:
    """The update, divided by β, follows the equations as with a positive sign."""
    net = network(setting=setting, feedback=feedback)
    negative = replace(RULES[rule], beta=-0.4)
    x, y = batch()
    expected = NumpyModel.of(net)
    if getattr(negative, "accumulate", False):
        model = NumpyModel.of(net)
        old = model.free_phase(x, 12)
        for _ in range(6):
            new = model.step(old, y, -0.4)
            expected.update(old, new, -0.4, [0.3, 0.2, 0.1])
            old = new
    else:
        expected.train_batch(x, y, negative)
    net.free_phase(x, 12)
    distance = np.linalg.norm(net.states[-1] - y)
    cep.train_batch(net, x, y, negative)
    assert np.linalg.norm(net.states[-1] - y) > distance
    for k in range(3):
        assert net.weights[k] == pytest.approx(expected.weights[k], abs=1e-12)
        assert net.biases[k] == pytest.approx(expected.biases[k], abs=1e-12)
    for ours, theirs in zip(feedback_weights(net), expected.feedback or [], strict=True):
        assert ours == pytest.approx(theirs, abs=1e-12)
