"""What training costs, against small cases counted by hand; and C-EP written in Python."""

import numpy as np
import pytest

import cep
from cep import hardware
from cep.training.loop import Training
from cep.training.sources import ArraySource, Position

X = np.random.default_rng(5).random((2, 4))
Y = np.array([0, 1])
B, T, K = 2, 5, 3
# Products of one sample on 4-3-2: between layers 1 and 2 forward and back, and of the input.
MOVING, INPUT, STATES = 2 * 3 * 2, 4 * 3, 3 + 2
EP = cep.EP(T, K, 0.5, learning_rates=0.1)
CEP = cep.CEP(T, K, 0.5, learning_rates=0.1)
SYMMETRIC = cep.EP(T, K, 0.5, learning_rates=0.1, beta_sign="symmetric")
BPTT = cep.BPTT(T, learning_rates=0.1)


def network(**options):
    return cep.Network([4, 3, 2], dtype="float64", seed=1, **options)


@pytest.mark.parametrize("synapses", [None, "constant_step:dw_min=0.001"])
@pytest.mark.parametrize(
    ("rule", "steps", "products", "remembered"),
    [
        (EP, T + K, (T + K) * MOVING + 2 * INPUT, STATES),
        (SYMMETRIC, T + 2 * K, (T + 2 * K) * MOVING + 3 * INPUT, STATES),
        # Weights change at each step of the nudged phase, so that the input's product does.
        (CEP, T + K, (T + K) * MOVING + (1 + K) * INPUT, 0),
        # Back through each step; states and preactivations of all steps are kept.
        (BPTT, T, 2 * T * MOVING + INPUT, 2 * T * STATES),
    ],
)
def test_a_batch_is_counted(rule, steps, products, remembered, synapses):
    counts = hardware.count(network(synapses=synapses), rule, (X, Y), batch_size=B)
    assert (counts.samples, counts.steps, counts.sample_steps) == (B, steps, B * steps)
    assert counts.multiply_accumulates == B * products
    assert counts.states_sent == B * steps * STATES
    assert counts.values_remembered == B * remembered
    assert counts.bits_remembered(8) == 8 * remembered
    assert counts.synapses == (18 if synapses else 0)
    assert counts.updates == (0 if synapses is None else 2 * (K if rule is CEP else 1))


def test_a_readout_is_counted():
    net = cep.Network([4, 3, cep.Readout(2)], seed=1)
    counts = hardware.count(net, EP, (X, Y), batch_size=B)
    # No products between layers that move. Nudging needs the scores, and sends the pull back; the
    # readout's own update needs the scores once.
    assert counts.multiply_accumulates == B * (2 * INPUT + (2 * K + 1) * (3 * 2))
    assert counts.values_remembered == B * 3


def test_pulses_are_counted_as_weights_move():
    device = hardware.ConstantStep(2.0**-10, rounding="nearest")
    net = cep.Network([4, 3, 5, 2], feedback="untied", dtype="float64", seed=1, synapses=device)
    counts = hardware.count(net, EP, (X, Y), batch_size=B)
    before = {name: array.copy() for name, array in net._named_parameters().items()}
    cep.fit(net, (X, Y), EP, epochs=1, batch_size=B, seed=0, progress=False)
    after = net._named_parameters()
    names = ["weights.0", "weights.1", "weights.2", "feedback_weights.1", "feedback_weights.2"]
    assert sorted(counts.arrays) == sorted(names)
    moved = {name: ((after[name] - before[name]) * 2**10).round().ravel() for name in names}
    of_each = counts.arrays | {"all": counts}
    for name, made in (moved | {"all": np.concatenate(list(moved.values()))}).items():
        found = of_each[name]
        assert found.synapses == made.size
        assert found.updates == (5 if name == "all" else 1)
        assert found.pulses_up == made[made > 0].sum()
        assert found.pulses_down == -made[made < 0].sum()
        assert found.writes == np.count_nonzero(made)
        assert found.pulses_per_synapse == np.abs(made).sum() / made.size
    assert min(counts.pulses_up, counts.pulses_down) > 0
    assert ["weights.2", "10", "1", "10"] in [line.split()[:4] for line in str(counts).splitlines()]


@pytest.mark.parametrize("model", ["bounded", "quantized:bits=5"])
def test_weights_that_stay_at_a_bound_are_not_written(model):
    net = network(synapses=f"{model}:w_min=-0.05:w_max=0.05:clip_initial=1")
    before = net.weights[0].copy()
    ideal = network()
    ideal.weights[0][...], ideal.weights[1][...] = net.weights
    rule = cep.EP(T, K, 0.5, learning_rates=[10.0, 0.0])
    cep.train_batch(ideal, X, Y, rule)
    outward = (np.abs(before) == 0.05) & ((ideal.weights[0] - before) * before > 0.05 * 0.01)
    assert 0 < np.count_nonzero(outward) < before.size
    with hardware.Counter(net) as counter:
        cep.train_batch(net, X, Y, rule)
    assert (net.weights[0] == before)[outward].all()
    changed = np.count_nonzero(net.weights[0] != before)
    assert counter.counts(B).arrays["weights.0"].writes == changed < before.size


def test_energy_is_what_was_counted_times_its_price():
    counts = hardware.Counts(
        arrays={},
        samples=2,
        steps=8,
        sample_steps=16,
        multiply_accumulates=400,
        states_sent=80,
        values_remembered=10,
        writes=3,
        pulses_up=4,
        pulses_down=2,
        updates=2,
        synapses=18,
    )
    energy = counts.energy(
        pulse=1e-12, multiply_accumulate=2e-15, state_sent=3e-15, stored_bit=1e-14, bits=8
    )
    assert energy.pulses == pytest.approx(3e-12)
    assert energy.products == pytest.approx(4e-13)
    assert energy.states == pytest.approx(1.2e-13)
    assert energy.memory == pytest.approx(4e-13)
    assert energy.total == pytest.approx(3e-12 + 4e-13 + 1.2e-13 + 4e-13)
    assert "total" in str(energy)
    assert "pulses_up" in str(counts)
    assert counts.per_sample()["pulses_down"] == 1
    with pytest.raises(ValueError, match="pulse must be finite and 0 or more, got -1"):
        counts.energy(pulse=-1)


def test_a_counter_is_a_callback():
    net = network(synapses="constant_step:dw_min=0.001")
    counter = hardware.Counter(net)
    options = {"epochs": 3, "batch_size": B, "seed": 0, "progress": False, "callbacks": [counter]}
    cep.fit(net, (X, Y), CEP, **options)
    assert [each.steps for each in counter.epochs] == [T + K] * 3
    assert counter.epochs[0].values_remembered == 0


def test_batches_of_unknown_length_are_counted():
    class Batches:
        def __iter__(self):
            return iter([(X, Y), (X[:1], Y[:1])])

    net = network()
    counter = hardware.Counter(net)
    cep.fit(net, Batches(), EP, epochs=2, progress=False, callbacks=[counter])
    assert [each.samples for each in counter.epochs] == [3, 3]
    assert counter.epochs[1].bits_remembered(8) == 8 * STATES


def test_the_rest_of_an_epoch_is_counted():
    net = network()
    counter = hardware.Counter(net)
    x, y = np.tile(X, (3, 1)), np.tile(Y, 3)
    source = ArraySource(net, x, y, B, 0, None)
    Training(net, source, EP, 1, callbacks=[counter], position=Position(batch=1, samples=B)).run()
    assert [each.samples for each in counter.epochs] == [2 * B]
    assert counter.epochs[0].bits_remembered(8) == 8 * STATES


def test_counting_changes_nothing():
    net = network(synapses=hardware.presets.ecram())
    before = [array.copy() for array in net.parameters()]
    hardware.count(net, CEP, (X, Y))
    for old, array in zip(before, net.parameters(), strict=True):
        np.testing.assert_array_equal(old, array)


def own_loop(net, x, y, change=lambda request: request):
    """C-EP with tied weights, as docs/how_to/write_your_own_loop.md has it."""
    batch = len(x)
    net.free_phase(x, steps=T)
    for _ in range(K):
        before = [states.copy() for states in net.states]
        net.nudged_phase(y, beta=0.5, steps=1)
        scale = 0.1 / (0.5 * batch)
        for k in range(2):
            now = net.states[k + 1].T @ net.states[k]
            net.weights[k][...] += change(scale * (now - before[k + 1].T @ before[k]))
            net.biases[k][...] += scale * (net.states[k + 1] - before[k + 1]).sum(axis=0)


def test_c_ep_in_python_is_that_of_the_engine():
    mine, engine = network(), network()
    own_loop(mine, X, Y)
    cep.train_batch(engine, X, Y, CEP)
    for own, theirs in zip(mine.parameters(), engine.parameters(), strict=True):
        np.testing.assert_allclose(own, theirs, rtol=0, atol=1e-13)
    noisy = network()
    random = np.random.default_rng(0)
    own_loop(noisy, X, Y, lambda request: request + 1e-3 * random.normal(size=request.shape))
    assert np.abs(noisy.weights[0] - mine.weights[0]).max() > 1e-4
