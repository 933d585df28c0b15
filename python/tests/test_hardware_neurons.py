"""Neurons, reads and activations that are not ideal follow their equations."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from small_runs import whole_and_resumed

import cep
from cep import hardware

X = np.random.default_rng(5).random((6, 4))
Y = np.array([0, 1, 2, 0, 1, 2])


def sigmoid(u):
    return 1 / (1 + np.exp(2 - 4 * u))


def inverse(s):
    return (2 - np.log(1 / s - 1)) / 4


def network(sizes=(4, 5, 3), **options):
    return cep.Network(sizes, dtype="float64", seed=1, **options)


def expect_normal(values, deviation, mean=0.0):
    values = np.ravel(values)
    count = len(values)
    assert abs(values.mean() - mean) < 4 * deviation / np.sqrt(count)
    assert abs(values.var() - deviation**2) < 4 * deviation**2 * np.sqrt(2 / count)


def test_state_noise_is_added_after_every_step():
    net = network((4, 500, 500), neurons=hardware.Neurons(state_noise=0.02))
    x = np.random.default_rng(0).random((200, 4))
    net.free_phase(x, 1)
    first = net.states[1] - sigmoid(x @ net.weights[0].T + net.biases[0])
    expect_normal(first, 0.02)
    before = net.states[1].copy(), net.states[2].copy()
    net.free_phase(x, 1, reset=False)
    u = x @ net.weights[0].T + net.biases[0] + before[1] @ net.weights[1]
    second = net.states[1] - sigmoid(u)
    expect_normal(second, 0.02)
    output = net.states[2] - sigmoid(before[0] @ net.weights[1].T + net.biases[1])
    expect_normal(output, 0.02)
    # Steps, layers and halves of the batch, which different threads may take.
    noises = [first[:100], first[100:], second[:100], output[:100]]
    correlations = np.corrcoef([each.ravel() for each in noises])
    assert np.abs(correlations - np.eye(4)).max() < 4 / np.sqrt(50_000)


def test_noise_does_not_depend_on_the_batch():
    noisy = hardware.Neurons(state_noise=0.3)
    net = network(neurons=noisy, read_noise=0.1)
    x = np.random.default_rng(0).random((300, 4))
    predicted = net.predict(x, 4)
    assert len(np.unique(predicted)) > 1
    np.testing.assert_array_equal(net.predict(x[:200], 4), predicted[:200])
    assert cep.evaluate(net, (x, predicted), 4).error == 0


@pytest.mark.parametrize("bits", [1, 3, 8])
@pytest.mark.parametrize("activation", ["shifted_sigmoid", "tanh"])
def test_states_have_few_levels(bits, activation):
    net = network(activation=activation, neurons=hardware.Neurons(state_bits=bits))
    lowest, width = (0, 1) if activation == "shifted_sigmoid" else (-1, 2)
    levels = 2**bits - 1

    def rounded(s):
        return lowest + np.round((s - lowest) / width * levels) / levels * width

    act = sigmoid if activation == "shifted_sigmoid" else np.tanh
    s1, s2 = np.zeros((6, 5)), np.zeros((6, 3))
    for _ in range(4):
        u1 = X @ net.weights[0].T + net.biases[0] + s2 @ net.weights[1]
        u2 = s1 @ net.weights[1].T + net.biases[1]
        s1, s2 = rounded(act(u1)), rounded(act(u2))
    net.free_phase(X, 4)
    np.testing.assert_allclose(net.states[1], s1, atol=1e-12)
    np.testing.assert_allclose(net.states[2], s2, atol=1e-12)
    assert len(np.unique(net.states[1])) <= 2**bits


def test_linear_layers_are_not_rounded():
    net = network(activation=["tanh", "linear"], neurons=hardware.Neurons(state_bits=2))
    net.free_phase(X, 1)
    np.testing.assert_allclose(net.states[2], np.tile(net.biases[1], (6, 1)), atol=1e-15)
    assert np.abs(net.biases[1] * 3 - np.round(net.biases[1] * 3)).max() > 0.01


def test_updates_read_states_of_few_levels():
    net = network(neurons=hardware.Neurons(state_bits=2))
    before = [w.copy() for w in net.weights]
    cep.train_batch(net, X, Y, cep.EP(5, 3, 0.5, learning_rates=1.0))
    # Products of levels k/3, and x: the change of weights is a whole number of 1/9 / (βB).
    change = (net.weights[1] - before[1]) * 9 * 0.5 * 6
    np.testing.assert_allclose(change, change.round(), atol=1e-9)
    assert np.abs(change).max() >= 1


def test_real_time_activities_have_few_levels():
    net = network(
        setting="real-time",
        activation="hard_sigmoid",
        dt=0.5,
        neurons=hardware.Neurons(state_bits=2),
    )
    s1, s2 = np.zeros((6, 5)), np.zeros((6, 3))

    def sent(s):
        return np.round(np.clip(s, 0, 1) * 3) / 3

    x = np.clip(X, 0, 1)
    for _ in range(4):
        u1 = x @ net.weights[0].T + net.biases[0] + sent(s2) @ net.weights[1]
        u2 = sent(s1) @ net.weights[1].T + net.biases[1]
        # ρ′ is 1 on the closed interval, where clamped states are.
        s1, s2 = (np.clip(s + 0.5 * (u - s), 0, 1) for s, u in ((s1, u1), (s2, u2)))
    net.free_phase(X, 4)
    np.testing.assert_allclose(net.states[1], s1, atol=1e-12)
    np.testing.assert_allclose(net.states[2], s2, atol=1e-12)


VARIED = hardware.Neurons(gain_dtod=0.2, offset_dtod=0.1)


def test_gains_and_offsets_are_of_each_neuron():
    net = network((4, 100_000, 2), neurons=VARIED)
    arrays = hardware.device_arrays(net)
    gains, offsets = arrays["gains.1"], arrays["offsets.1"]
    expect_normal(gains, 0.2, mean=1)
    expect_normal(offsets, 0.1)
    net.free_phase(X[:1], 1)
    u = X[:1] @ net.weights[0].T + net.biases[0]
    np.testing.assert_allclose(net.states[1], sigmoid(gains * u + offsets), atol=1e-12)


@pytest.mark.parametrize("options", [{}, {"activation": "curve"}, {"feedback": "untied"}])
def test_gradients_are_those_of_the_varied_network(options):
    if options.get("activation"):
        options = {
            "activation": cep.TabulatedActivation([-1, 0, 0.37, 1, 2], [0, 0.1, 0.6, 0.8, 1])
        }
    net = network(neurons=VARIED, **options)
    estimate = cep.gradient(net, X, Y, cep.BPTT(4))
    for name, exact in (("weights", estimate.weights), ("biases", estimate.biases)):
        for k, place in itertools.product((0, 1), ((0,), (2,))):
            place = (*place, 1) if name == "weights" else place
            array = getattr(net, name)[k]
            losses = []
            for step in (1e-6, -2e-6):
                array[place] += step
                losses.append(cep.evaluate(net, (X, Y), 4).loss)
            array[place] += 1e-6
            assert exact[k][place] == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-8)


def test_inside_nudging_is_amplified_too():
    net = network((4, 5, 6, cep.Readout(3)), neurons=VARIED)
    net.free_phase(X, 3)
    s1, s2 = net.states[1].copy(), net.states[2].copy()
    net.nudged_phase(Y, 0.4, 1)
    arrays = hardware.device_arrays(net)
    scores = s2 @ net.weights[2].T + net.biases[2]
    softmax = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    pull = (np.eye(3)[Y] - softmax) @ net.weights[2]
    u = s1 @ net.weights[1].T + net.biases[1] + 0.4 * pull
    np.testing.assert_allclose(
        net.states[2], sigmoid(arrays["gains.2"] * u + arrays["offsets.2"]), atol=1e-12
    )


def noises_of_two_steps(every):
    """The noise of the first weight at both steps of a phase, and at the second that of the other.

    With one unit per layer they follow from the states.
    """
    net = network((1, 1, 1), read_noise=0.2, read_noise_every=every)
    x = np.array([[0.7]])
    (w0,), (w1,) = (w[0] for w in net.weights)
    (b0,), (b1,) = net.biases
    start = net.random_state
    net.free_phase(x, 1)
    s1, s2 = (net.states[k][0, 0] for k in (1, 2))
    first = (inverse(s1) - b0) / 0.7 - w0
    assert s2 == pytest.approx(sigmoid(b1))
    net.random_state = start
    net.free_phase(x, 2)
    other = (inverse(net.states[2][0, 0]) - b1) / s1 - w1
    second = (inverse(net.states[1][0, 0]) - b0 - (w1 + other) * s2) / 0.7 - w0
    return first, second, other


def test_forward_and_feedback_weights_are_read_with_noise_of_their_own():
    options = {"feedback": "untied", "read_noise": 0.2, "read_noise_every": "phase"}
    net = network((1, 1, 1), **options)
    start = net.random_state
    net.free_phase([[0.7]], 1)
    u1, s1, s2 = inverse(net.states[1][0, 0]), *(net.states[k][0, 0] for k in (1, 2))
    net.random_state = start
    net.free_phase([[0.7]], 2)
    # The second step repeats what layer 1 gets from the input, and adds its feedback.
    feedback = (inverse(net.states[1][0, 0]) - u1) / s2 - net.feedback_weights[1][0, 0]
    forward = (inverse(net.states[2][0, 0]) - net.biases[1][0]) / s1 - net.weights[1][0, 0]
    assert min(abs(feedback), abs(forward), abs(feedback - forward)) > 1e-6


def test_reads_are_noisy_anew_at_each_step_or_phase():
    first, second, other = noises_of_two_steps("phase")
    assert first == pytest.approx(second, abs=1e-9)
    assert abs(other) > 1e-6
    first, second, _ = noises_of_two_steps("step")
    assert abs(first - second) > 1e-3
    net = network((500, 200, 2), read_noise=0.03)
    found = []
    for column in (0, 7):
        x = np.zeros((1, 500))
        x[0, column] = 1
        for _ in range(250):
            net.free_phase(x, 1)
            found.append(inverse(net.states[1][0]) - net.biases[0] - net.weights[0][:, column])
    assert np.size(found) == 100_000
    expect_normal(found, 0.03)


def test_feedback_is_mismatched():
    options = {"feedback": "untied", "feedback_mismatch": 0.1}
    net = network((4, 400, 300, 2), **options)
    difference = net.feedback_weights[1] - net.weights[1].T
    expect_normal(difference, 0.1)
    rule = cep.EP(5, 3, 0.5, learning_rates=0.1, feedback_update="shared")
    cep.train_batch(net, X, Y % 2, rule)
    np.testing.assert_allclose(net.feedback_weights[1] - net.weights[1].T, difference, atol=1e-12)
    assert cep.Network([4, 5, 3], seed=1, feedback="untied").feedback_angles()[1] == 0


RULES = [
    cep.EP(6, 3, 0.5, learning_rates=0.5),
    cep.CEP(6, 3, 0.5, learning_rates=0.5),
    cep.BPTT(6, learning_rates=0.5),
]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"setting": "real-time"},
        {"setting": "real-time", "feedback": "untied", "clamp": False},
        {"feedback": "untied"},
        {"nudging": "inside"},
    ],
)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_table_of_the_hard_sigmoid_is_the_hard_sigmoid(rule, options):
    table = cep.TabulatedActivation([0, 0.25, 1], [0, 0.25, 1])
    nets = [network(activation=each, **options) for each in ("hard_sigmoid", table)]
    for net in nets:
        cep.train_batch(net, X, Y, rule)
    for mine, theirs in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)
    np.testing.assert_allclose(nets[0].states[1], nets[1].states[1], atol=1e-12)


def test_tables_are_interpolated():
    x, y = [-0.5, 0.1, 0.3, 0.9], [1.0, 0.7, 0.2, -0.1]
    net = network(activation=[cep.TabulatedActivation(x, y), "linear"])
    net.free_phase(10 * X - 5, 1)
    u = (10 * X - 5) @ net.weights[0].T + net.biases[0]
    assert u.min() < -0.5
    assert u.max() > 0.9
    np.testing.assert_allclose(net.states[1], np.interp(u, x, y), atol=1e-12)
    again = cep.Network(net.layers, **net.options)
    assert again.activation == net.activation
    assert cep.TabulatedActivation.from_word(net.activation[0]) == cep.TabulatedActivation(x, y)


EVERYTHING = {
    "feedback": "untied",
    "synapses": "ecram:dw_min=0.01:write_noise_std=2:diffusion=0.001",
    "bias_synapses": "soft_bounds:dw_min=0.01:dw_min_std=1",
    "neurons": hardware.Neurons(state_noise=0.05, state_bits=6, gain_dtod=0.1, offset_dtod=0.1),
    "read_noise": 0.02,
    "feedback_mismatch": 0.05,
    "activation": cep.TabulatedActivation([-1, 0.2, 1], [0, 0.4, 1]),
}


def bits(net):
    arrays = [*net.parameters(), *hardware.device_arrays(net).values()]
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_copies_and_threads_with_everything_switched_on(rule, tmp_path):
    net = cep.Network([4, 300, 6, 3], seed=1, **EVERYTHING)
    cep.train_batch(net, X, Y, rule)
    net.save(tmp_path / "net")
    others = [copy.deepcopy(net), pickle.loads(pickle.dumps(net)), cep.load(tmp_path / "net")]
    threads = cep.get_num_threads()
    cep.fit(net, (X, Y), rule, epochs=2, batch_size=2, seed=3, progress=False)
    try:
        for count, other in enumerate(others, start=1):
            cep.set_num_threads(count)
            cep.fit(other, (X, Y), rule, epochs=2, batch_size=2, seed=3, progress=False)
            assert bits(other) == bits(net)
    finally:
        cep.set_num_threads(threads)


def test_resumed_runs_equal_uninterrupted_ones(tmp_path):
    configuration = cep.Configuration(
        hidden=[12],
        epochs=2,
        feedback="untied",
        state_noise=0.02,
        state_bits=8,
        gain_dtod=0.1,
        offset_dtod=0.02,
        read_noise=0.01,
        read_noise_every="phase",
        feedback_mismatch=0.1,
        free_steps=8,
        nudged_steps=3,
        batch_size=200,
    )
    assert cep.Configuration.from_json(configuration.to_json()) == configuration

    nets = whole_and_resumed(configuration, tmp_path)
    assert bits(nets[0]) == bits(nets[1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hardware.Neurons(state_bits=0), "state_bits must be 1 to 16, got 0"),
        (lambda: hardware.Neurons(state_bits=17), "state_bits must be 1 to 16, got 17"),
        (lambda: hardware.Neurons(state_noise=-1), "state_noise must be finite and 0 or more"),
        (lambda: hardware.Neurons(gain_dtod=float("nan")), "gain_dtod must be finite and 0 or"),
        (lambda: network(read_noise=-0.1), "read_noise must be finite and 0 or more"),
        (lambda: network(read_noise_every="batch"), "read_noise_every must be"),
        (lambda: network(feedback_mismatch=0.1), "feedback_mismatch must be 0 with tied feedback"),
        (
            lambda: network(setting="real-time", neurons=VARIED),
            "gain_dtod and offset_dtod must be 0",
        ),
        (
            lambda: network(
                setting="real-time", feedback="untied", neurons=hardware.Neurons(state_bits=3)
            ),
            "state_bits needs tied feedback",
        ),
        (lambda: network(neurons="state_nose=1"), "neurons have state_noise"),
        (lambda: cep.TabulatedActivation([0], [0]), "must have 2 points or more"),
        (lambda: cep.TabulatedActivation([0, 1], [0, 1, 2]), "must have 2 points or more"),
        (lambda: cep.TabulatedActivation([0, 1, 1], [0, 1, 2]), "x must rise"),
        (lambda: cep.TabulatedActivation([0, 1, 2], [0, 1, 0]), "y must be monotone"),
        (lambda: cep.TabulatedActivation([0, np.inf], [0, 1]), "must be finite"),
        (lambda: cep.TabulatedActivation([-1e308, 1e308], [0, 1]), "must be finite"),
        (lambda: network(activation="tabulated:0/0:1"), "points of a tabulated activation"),
        (
            lambda: network(
                activation=[
                    cep.TabulatedActivation([0, 1], [0, 1]),
                    cep.TabulatedActivation([0, 1], [0, 2]),
                ]
            ),
            "two different tables",
        ),
        (
            lambda: cep.train_batch(
                network(feedback="untied", neurons=VARIED),
                X,
                Y,
                cep.EP(5, 3, 0.5, learning_rates=0.1, asymmetry="exact"),
            ),
            "the asymmetry exact needs ideal neurons",
        ),
    ],
)
def test_bad_neurons_are_refused(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_what_are_no_neurons_is_a_type_error():
    with pytest.raises(TypeError, match="neurons must be cep"):
        network(neurons=0.1)
