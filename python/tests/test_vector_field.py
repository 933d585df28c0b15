"""Untied feedback: drawn at an angle, measured, and trained by VF and C-VF."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy_model import NumpyModel
from snapshot import feedback_weights, parameters, same, states
from test_reference import RECORDINGS, TOLERANCES, Recording, assert_close

import cep

SIZES = (7, 6, 5, 4)
RULES: dict[str, Any] = {
    "VF": cep.EP(12, 6, 0.4, [0.1, 0.07, 0.05]),
    "VF, accumulated": cep.EP(12, 6, 0.4, [0.1, 0.07, 0.05], accumulate=True),
    "C-VF": cep.CEP(12, 6, 0.4, [0.1, 0.07, 0.05]),
    "C-VF, written": cep.CEP(12, 6, 0.4, [0.1, 0.07, 0.05], write_every_step=True),
}


def untied(angle: float = 60, **options: Any) -> cep.Network:
    options = {"sizes": SIZES, "dtype": "float64", "seed": 2, **options}
    return cep.Network(feedback="untied", feedback_angle=angle, **options)


def batch(rows: int = 3) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    return generator.random((rows, SIZES[0])), generator.random((rows, SIZES[-1]))


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", [name for name in RECORDINGS if name.startswith("cvf-")])
def test_training_follows_the_recordings(name: str, dtype: str) -> None:
    """If the first hidden layer's bias learns too, the prototypical ones are not reproduced."""
    recording = Recording(name)
    meta, rates = recording.meta, recording.meta["lr_output_first"][::-1]
    published = cep.CEP(
        *(meta["T"], meta["K"], meta["beta"], rates),
        bias_learning_rates=[0, *rates[1:]] if meta["discrete"] else None,
    )
    net, learning_all = recording.network(dtype), recording.network(dtype)
    for number in range(3):
        x, y = recording.batch(number)
        cep.train_batch(net, x, y, published)
        cep.train_batch(learning_all, x, y, cep.CEP(meta["T"], meta["K"], meta["beta"], rates))
        assert_close(recording.parameters(net, f"batch{number}/after"), dtype)
        assert_close(recording.states(net, f"batch{number}/nudged"), dtype)
    assert same(parameters(net), parameters(learning_all)) != meta["discrete"]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize(("angle", "sign"), [(0, 1), (180, -1)])
def test_the_extreme_angles_are_all_or_none_flipped(angle: float, sign: int, dtype: str) -> None:
    net = untied(angle, dtype=dtype)
    for weights, feedback in zip(net.weights[1:], feedback_weights(net), strict=True):
        assert np.array_equal(feedback, sign * weights.T)
    assert net.feedback_angles()[1:] == pytest.approx([angle, angle], abs=1e-4)


def test_feedback_exists_for_hidden_layers() -> None:
    net = untied()
    assert [None if v is None else v.shape for v in net.feedback_weights] == [None, (6, 5), (5, 4)]
    tied = cep.Network(SIZES, seed=2)
    assert list(tied.feedback_weights) == [None, None, None]
    assert same(list(net.weights), list(cep.Network(SIZES, seed=2, dtype="float64").weights))


@given(
    angle=st.floats(0, 180),
    seed=st.integers(0, 2**63 - 1),
    sizes=st.lists(st.integers(1, 9), min_size=3, max_size=5),
)
def test_feedback_has_the_size_of_the_forward_weights(
    angle: float, seed: int, sizes: list[int]
) -> None:
    net = untied(angle, sizes=sizes, seed=seed)
    for weights, feedback in zip(net.weights[1:], feedback_weights(net), strict=True):
        assert np.array_equal(np.abs(feedback), np.abs(weights.T))
    assert net.feedback_angles()[1:] == pytest.approx(angles_by_numpy(net), abs=1e-5)


@pytest.mark.parametrize("angle", [22.5, 45, 90, 112.5, 157.5])
def test_the_share_of_flipped_signs_is_that_of_the_angle(angle: float) -> None:
    """½ (1 − cos α) within five standard deviations; the measured angle is then near α."""
    expected = (1 - np.cos(np.radians(angle))) / 2
    net = untied(angle, sizes=(5, 300, 200, 10), seed=7)
    for weights, feedback in zip(net.weights[1:], feedback_weights(net), strict=True):
        share = (np.sign(feedback) != np.sign(weights.T)).mean()
        deviation = np.sqrt(expected * (1 - expected) / weights.size)
        assert share == pytest.approx(expected, abs=5 * deviation)
    assert net.feedback_angles()[1] == pytest.approx(angle, abs=1)


def test_signs_are_drawn_from_the_seed() -> None:
    first, again, other = (untied(90, seed=seed) for seed in (4, 4, 5))
    signs = [[np.sign(v).tolist() for v in feedback_weights(net)] for net in (first, again, other)]
    assert signs[0] == signs[1]
    assert signs[0] != signs[2]


def angles_by_numpy(net: cep.Network) -> list[float]:
    angles = []
    for weights, feedback in zip(net.weights[1:], feedback_weights(net), strict=True):
        one, other = (np.array(array, np.float64).ravel() for array in (weights.T, feedback))
        with np.errstate(invalid="ignore"):  # Zero weights have no angle.
            cosine = one @ other / np.sqrt((one @ one) * (other @ other))
        angles.append(float(np.degrees(np.arccos(np.clip(cosine, -1, 1)))))
    return angles


@pytest.mark.parametrize("dtype", TOLERANCES)
def test_the_present_angles_are_measured(dtype: str) -> None:
    net = untied(60, dtype=dtype)
    before = angles_by_numpy(net)
    assert net.feedback_angles() == [None, *(pytest.approx(a, abs=1e-4) for a in before)]
    x, y = batch()
    for _ in range(20):
        cep.train_batch(net, x, y, RULES["C-VF"])
    after = angles_by_numpy(net)
    assert net.feedback_angles() == [None, *(pytest.approx(a, abs=1e-4) for a in after)]
    assert np.abs(np.subtract(after, before)).min() > 0.1
    assert cep.Network(SIZES, seed=2).feedback_angles() == [None, 0, 0]


def test_weights_that_are_zero_have_no_angle() -> None:
    net = untied()
    before = angles_by_numpy(net)
    feedback_weights(net)[0][...] = 0
    angles = net.feedback_angles()
    assert angles[1] is not None
    assert np.isnan(angles[1])
    assert angles[2] == pytest.approx(before[1])


def test_feedback_weights_are_assigned_to_as_weights_are() -> None:
    """A forgotten assignment would silently leave another network."""
    net = untied()
    net.weights[1] = np.full((5, 6), 0.25)
    net.feedback_weights[1] = np.full((6, 5), 0.5)
    assert np.array_equal(net.weights[1], np.full((5, 6), 0.25))
    assert np.array_equal(feedback_weights(net)[0], np.full((6, 5), 0.5))


def train_by_numpy(net: cep.Network, x: Any, y: Any, rule: Any) -> NumpyModel:
    """The network after a batch: updates with constant weights are summed, those of C-VF
    applied.
    """
    model, learned = NumpyModel.of(net), NumpyModel.of(net)
    rates = list(np.broadcast_to(rule.learning_rates, model.layers))
    moving = learned if isinstance(rule, cep.CEP) else model
    old = free = moving.free_phase(x, rule.free_steps)
    for _ in range(rule.nudged_steps):
        new = moving.step(old, y, rule.beta)
        if isinstance(rule, cep.CEP) or rule.accumulate:
            learned.update(old, new, rule.beta, rates)
        old = new
    if isinstance(rule, cep.EP) and not rule.accumulate:
        learned.update(free, old, rule.beta, rates)
    return learned


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("activation", ["shifted_sigmoid", "tanh", "hard_sigmoid"])
@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
@pytest.mark.parametrize("rule", RULES)
def test_the_rules_follow_their_equations(
    rule: str, setting: str, activation: str, dtype: str
) -> None:
    net = untied(setting=setting, activation=activation, dtype=dtype)
    for weights, bias in zip(net.weights, net.biases, strict=True):
        weights *= 0.5  # Off the flat parts of the hard sigmoid.
        bias += 0.2
    for number in range(3):
        x, y = batch(4 + number)
        before, expected = parameters(net), train_by_numpy(net, x.astype(dtype), y, RULES[rule])
        cep.train_batch(net, x, y, RULES[rule])
        assert expected.feedback is not None
        for array, wanted, start in zip(
            parameters(net),
            [*expected.weights, *expected.biases, *expected.feedback],
            before,
            strict=True,
        ):
            assert np.abs(array - wanted).max() <= TOLERANCES[dtype]
            assert np.abs(array - start).max() > 1e-6


@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
def test_accumulating_matters_with_untied_feedback_alone(setting: str) -> None:
    """A tied update telescopes: the sum over the steps is that of the two ends."""
    x, y = batch()
    distances = {}
    for feedback in ("tied", "untied"):
        nets = [
            cep.Network(SIZES, setting=setting, feedback=feedback, dtype="float64", seed=2)
            for _ in range(2)
        ]
        for net, name in zip(nets, ("VF", "VF, accumulated"), strict=True):
            cep.train_batch(net, x, y, RULES[name])
        pairs = list(zip(*map(parameters, nets), strict=True))
        # Without the input's weights, whose lower layer is clamped, and the biases.
        distances[feedback] = [np.abs(a - b).max() for a, b in pairs[1:3] + pairs[6:]]
        assert max(np.abs(a - b).max() for a, b in pairs[:1] + pairs[3:6]) < 1e-15
    assert max(distances["tied"]) < 1e-15
    assert min(distances["untied"]) > 1e-6


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("activation", ["shifted_sigmoid", "tanh", "hard_sigmoid"])
def test_at_angle_0_without_learning_states_move_as_with_tied_feedback(
    rule: str, activation: str
) -> None:
    x, y = batch()
    net = untied(0, activation=activation)
    tied = cep.Network(SIZES, activation=activation, dtype="float64", seed=2)
    still = replace(RULES[rule], learning_rates=0)
    before = parameters(net)
    for each in (net, tied):
        each.free_phase(x, 12)
    free = states(net)
    for ours, theirs in zip(free, states(tied), strict=True):
        assert np.abs(ours - theirs).max() < 1e-14
    for each in (net, tied):
        cep.train_batch(each, x, y, still)
    for ours, theirs, start in zip(states(net)[1:], states(tied)[1:], free[1:], strict=True):
        assert np.abs(ours - theirs).max() < 1e-14
        assert np.abs(ours - start).max() > 1e-4
    assert same(parameters(net), before)


@pytest.mark.parametrize("feedback", ["tied", "untied"])
@pytest.mark.parametrize("rule", [cep.EP, cep.CEP])
@pytest.mark.parametrize("held", [0, 1, 2])
def test_a_bias_with_learning_rate_0_stays_bit_for_bit(rule: Any, feedback: str, held: int) -> None:
    x, y = batch()
    rates = [0.3, 0.2, 0.1]
    without = [0.0 if k == held else rate for k, rate in enumerate(rates)]
    nets = [cep.Network(SIZES, feedback=feedback, dtype="float64", seed=2) for _ in range(3)]
    before = nets[0].biases[held].copy()
    for net, bias_rates in zip(nets, (None, rates, without), strict=True):
        cep.train_batch(net, x, y, rule(12, 6, 0.4, rates, bias_learning_rates=bias_rates))
    default, same_rates, holding = nets
    assert same(parameters(default), parameters(same_rates))
    assert np.array_equal(holding.biases[held], before)
    assert not np.array_equal(default.biases[held], before)
    if rule is cep.EP:  # In this batch, the other parameters do not depend on the bias.
        for k in {0, 1, 2} - {held}:
            assert np.array_equal(holding.biases[k], default.biases[k])
        assert same(list(holding.weights), list(default.weights))
