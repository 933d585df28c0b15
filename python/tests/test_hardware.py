"""Devices follow their equations, and every draw is where the seed puts it."""

import copy
import pickle

import numpy as np
import pytest
from small_runs import whole_and_resumed

import cep
from cep import hardware

PULSES = 1600
UP, DOWN = np.ones(PULSES, np.int64), -np.ones(PULSES, np.int64)
RANDOM = np.random.default_rng(0).choice([1, -1], PULSES)
DRAWS = 100_000


def clip(weight, device):
    return min(max(weight, device.w_min), device.w_max)


def linear(w, up, device, gamma_up, gamma_down):
    return 1 - gamma_up * w / device.w_max if up else 1 - gamma_down * w / device.w_min


def exponential(w, up, device):
    z = 2 * device.a * w / (device.w_max - device.w_min) + device.b
    if up:
        return max(0.0, 1 - device.A_up * np.exp(device.gamma_up * z))
    return max(0.0, 1 - device.A_down * np.exp(-device.gamma_down * z))


def power(w, up, device):
    omega = (device.w_max - w) / (device.w_max - device.w_min)
    return omega**device.pow_gamma if up else (1 - omega) ** device.pow_gamma


STEPS = {
    "constant": (
        hardware.ConstantStep(0.0016, up_down=0.1, w_max=0.7),
        lambda w, up, device: 1.0,
    ),
    "linear": (
        hardware.LinearStep(0.002, w_max=1.1724, w_min=-0.8276, gamma_up=0.1153, gamma_down=0.5085),
        lambda w, up, device: linear(w, up, device, device.gamma_up, device.gamma_down),
    ),
    "soft bounds": (
        hardware.SoftBounds(0.004, up_down=-0.2, w_min=-0.5),
        lambda w, up, device: linear(w, up, device, 1.0, 1.0),
    ),
    "exponential": (
        hardware.ExponentialStep(
            0.00135,
            up_down=0.259359,
            A_up=-1.18445,
            A_down=-0.081404,
            gamma_up=5.0,
            gamma_down=5.0,
            a=-0.5,
            b=-0.5,
        ),
        exponential,
    ),
    "power": (hardware.PowerStep(0.003, pow_gamma=1.7, w_min=-0.9), power),
}


@pytest.mark.parametrize("directions", [UP, DOWN, RANDOM], ids=["up", "down", "random"])
@pytest.mark.parametrize("model", STEPS)
def test_pulses_follow_the_equations(model, directions):
    device, factor = STEPS[model]
    weight, expected = 0.1, []
    for direction in directions:
        up = direction > 0
        step = device.dw_min * (1 + direction * device.up_down) * factor(weight, up, device)
        weight = clip(weight + direction * step, device)
        expected.append(weight)
    np.testing.assert_allclose(
        device.pulse_response(directions, weight=0.1), expected, rtol=0, atol=1e-12
    )
    assert len(set(expected)) > 50


def expect_normal(values, mean, deviation):
    """Mean and variance are within four standard errors of those of a normal distribution."""
    values = np.asarray(values, np.float64).ravel()
    count = len(values)
    assert abs(values.mean() - mean) < 4 * deviation / np.sqrt(count)
    assert abs(values.var() - deviation**2) < 4 * deviation**2 * np.sqrt(2 / count)


@pytest.mark.parametrize("multiplied", [True, False])
def test_cycles_vary_as_stated(multiplied):
    device = hardware.LinearStep(
        1e-3,
        dw_min_std=0.4,
        up_down=0.25,
        gamma_up=0.5,
        gamma_down=0.5,
        mult_noise=multiplied,
    )
    # Up and down in turn from 0.2: steps are measured one by one, at the weight that each had.
    directions = np.tile([1, -1], DRAWS // 2)
    weights = np.concatenate([[0.2], device.pulse_response(directions, weight=0.2)])
    before = weights[:-1]
    factor = np.where(directions > 0, 1 - 0.5 * before, 1 + 0.5 * before)
    size = np.diff(weights) / (device.dw_min * directions * (1 + 0.25 * directions))
    noise = size / factor - 1 if multiplied else size - factor
    assert np.abs(weights).max() < 1
    expect_normal(noise, 0, 0.4)


def net_of(synapses, sizes=(500, 200, 2), dtype="float64", **options):
    return cep.Network(sizes, synapses=synapses, dtype=dtype, seed=3, **options)


def devices_of(net):
    return {name: np.array(array) for name, array in hardware.device_arrays(net).items()}


def test_devices_vary_as_stated_and_stay_as_they_are():
    device = hardware.LinearStep(
        0.002,
        up_down=0.1,
        w_max=0.8,
        w_min=-0.9,
        gamma_up=0.3,
        gamma_down=0.4,
        lifetime=50,
        dw_min_dtod=0.1,
        up_down_dtod=0.02,
        w_max_dtod=0.05,
        w_min_dtod=0.07,
        gamma_up_dtod=0.2,
        gamma_down_dtod=0.1,
        lifetime_dtod=0.3,
    )
    net = net_of(device)
    before = devices_of(net)
    for name in ("dw_min", "w_max", "w_min", "gamma_up", "gamma_down", "lifetime"):
        mean = getattr(device, name)
        expect_normal(
            before[f"weights.{name}.0"], mean, getattr(device, f"{name}_dtod") * abs(mean)
        )
    expect_normal(before["weights.up_down.0"], 0.1, 0.02)
    drawn = [before[name] for name in before if "counters" not in name]
    assert all(len(np.unique(each)) == each.size for each in drawn), "synapses differ"
    correlations = np.corrcoef(
        [before[n].ravel() for n in before if n.endswith(("max.0", "min.0"))]
    )
    assert np.abs(correlations - np.eye(3)).max() < 4 / np.sqrt(100_000)
    x = np.random.default_rng(0).random((4, 500))
    cep.train_batch(net, x, [0, 1, 0, 1], cep.EP(5, 2, 0.5, learning_rates=1.0))
    after = devices_of(net)
    for name in before:
        assert ("counters" in name) != np.array_equal(before[name], after[name]), name


def one_update(device, change):
    """The weights of a connection before an update, the change that is requested, and the network.

    The request is what an ideal network with the same parameters does.
    """
    x = np.ones((1, 500))
    rule = cep.EP(5, 2, 0.5, learning_rates=[change, 0.0])
    ideal, net = (net_of([synapse, hardware.Ideal()]) for synapse in (hardware.Ideal(), device))
    before = net.weights[0].copy()
    ideal.weights[0][...] = before
    for each in (ideal, net):
        cep.train_batch(each, x, [1], rule)
    return before, ideal.weights[0] - before, net


DTOD = {
    **{"dw_min_dtod": 0.3, "up_down_dtod": 0.4, "w_max_dtod": 0.3, "w_min_dtod": 0.3},
    **{"w_max": 0.03, "w_min": -0.04, "rounding": "nearest", "max_pulses": 3, "clip_initial": True},
    **{"lifetime": 20.0, "lifetime_dtod": 0.4},
}
GAMMAS = {"gamma_up_dtod": 0.3, "gamma_down_dtod": 0.3}
OWN = {
    "constant": (hardware.ConstantStep(0.004, **DTOD), lambda w, up, own: 1.0),
    "linear": (
        hardware.LinearStep(0.004, gamma_up=0.4, gamma_down=0.9, **GAMMAS, **DTOD),
        lambda w, up, own: (
            1 - own["gamma_up"] * w / own["w_max"]
            if up
            else 1 - own["gamma_down"] * w / own["w_min"]
        ),
    ),
    "soft bounds": (
        hardware.SoftBounds(0.004, **DTOD),
        lambda w, up, own: 1 - w / (own["w_max"] if up else own["w_min"]),
    ),
    "exponential": (
        hardware.ExponentialStep(
            0.004, A_up=1, A_down=0.2, gamma_up=5, gamma_down=3, a=0.5, b=0, **GAMMAS, **DTOD
        ),
        lambda w, up, own: np.maximum(
            1
            - (1 if up else 0.2)
            * np.exp(
                (own["gamma_up"] if up else -own["gamma_down"]) * w / (own["w_max"] - own["w_min"])
            ),
            0,
        ),
    ),
    "power": (
        hardware.PowerStep(0.004, pow_gamma=1.5, pow_gamma_dtod=0.2, **DTOD),
        lambda w, up, own: (
            ((own["w_max"] - w if up else w - own["w_min"]) / (own["w_max"] - own["w_min"]))
            ** own["pow_gamma"]
        ),
    ),
}


@pytest.mark.parametrize("model", OWN)
def test_each_device_follows_its_own_numbers(model):
    device, factor = OWN[model]
    before, wanted, net = one_update(device, change=0.3)
    own = {
        name.removeprefix("weights.").removesuffix(".0"): np.array(array)
        for name, array in hardware.device_arrays(net).items()
    }
    assert np.all((before >= own["w_min"]) & (before <= own["w_max"])), "clipped at the start"
    pulses = np.minimum(np.floor(np.abs(wanted) / device.dw_min + 0.5), 3)
    assert set(pulses.ravel()) == {0, 1, 2, 3}
    expected = before.copy()
    for pulse in range(3):
        for sign, up in ((1, True), (-1, False)):
            size = np.maximum(own["dw_min"] * (1 + sign * own["up_down"]), 0)
            moved = expected + sign * size * factor(expected, up, own)
            moved = np.clip(moved, own["w_min"], own["w_max"])
            expected = np.where((pulses > pulse) & (wanted * sign > 0), moved, expected)
    # Then the batch ends.
    expected = expected * (1 - 1 / np.maximum(own["lifetime"], 1))
    expected = np.clip(expected, own["w_min"], own["w_max"])
    np.testing.assert_allclose(net.weights[0], expected, rtol=0, atol=1e-12)
    assert np.abs(expected - before).max() > 0.004


def test_diffusion_ends_at_the_bounds_of_each_device():
    net = net_of(hardware.ConstantStep(0.01, diffusion=0.5, w_max=0.1, w_min=-0.1, w_max_dtod=0.3))
    cep.train_batch(net, np.zeros((1, 500)), [0], cep.EP(5, 2, 0.5, learning_rates=1e-9))
    highest = hardware.device_arrays(net)["weights.w_max.0"]
    assert ((net.weights[0] >= -0.1) & (net.weights[0] <= highest)).all()
    assert (net.weights[0] == highest).mean() > 0.3


def test_devices_of_different_tensors_differ():
    device = hardware.ConstantStep(0.01, w_max_dtod=0.1)
    net = cep.Network([5, 5, 5, 5], feedback="untied", synapses=device, bias_synapses=device)
    drawn = [
        np.ravel(array)[:5] for name, array in devices_of(net).items() if "counters" not in name
    ]
    assert len(drawn) == 8
    assert len(np.unique(drawn)) == 8 * 5


@pytest.mark.parametrize("rounding", ["stochastic", "nearest", "truncate"])
def test_requests_become_whole_numbers_of_pulses(rounding):
    device = hardware.ConstantStep(1e-4, rounding=rounding, max_pulses=2)
    before, wanted, net = one_update(device, change=0.1)
    pulses = np.abs(wanted) / 1e-4
    assert (pulses > 1.5).mean() + (pulses < 0.5).mean() > 0.3
    assert pulses.max() > 2
    made = (net.weights[0] - before) / 1e-4
    np.testing.assert_allclose(made, made.round(), atol=1e-6)
    made = made.round()
    assert (made * wanted >= 0).all()
    if rounding == "stochastic":
        free = pulses < 1
        share = pulses[free]
        # Bernoulli: mean p, variance p (1 − p).
        error = np.abs(made)[free].sum() - share.sum()
        assert abs(error) < 4 * np.sqrt((share * (1 - share)).sum())
        assert (np.abs(made) >= np.minimum(np.floor(pulses), 2)).all()
        assert (np.abs(made) <= np.minimum(np.floor(pulses) + 1, 2)).all()
    else:
        whole = np.floor(pulses + (0.5 if rounding == "nearest" else 0))
        np.testing.assert_array_equal(np.abs(made), np.minimum(whole, 2))
    counters = hardware.device_arrays(net)["weights.counters.0"]
    assert counters[2] == np.count_nonzero(made)
    assert counters[3] == made[made > 0].sum()
    assert counters[4] == -made[made < 0].sum()


def test_products_see_the_write_noise():
    device = hardware.ConstantStep(1e-3, write_noise_std=20)
    net = net_of(device)
    noise = hardware.device_arrays(net)["weights.write_noise.0"]
    expect_normal(noise, 0, 0.02)
    first = noise.copy()
    x = np.random.default_rng(1).random((3, 500))
    net.free_phase(x, 1)
    # From zero states, the first step of layer 1 is σ(W x + b).
    seen = x @ (net.weights[0] + noise).T + net.biases[0]
    np.testing.assert_allclose(net.states[1], 1 / (1 + np.exp(2 - 4 * seen)), atol=1e-12)
    before = net.weights[0].copy()
    cep.train_batch(net, x, [0, 1, 1], cep.EP(5, 2, 0.5, learning_rates=0.05))
    written = net.weights[0] != before
    assert 0.01 < written.mean() < 0.99
    np.testing.assert_array_equal(noise != first, written)
    expect_normal(noise[written], 0, 0.02)
    second, before = noise.copy(), net.weights[0].copy()
    cep.train_batch(net, x, [0, 1, 1], cep.EP(5, 2, 0.5, learning_rates=0.05))
    twice = written & (net.weights[0] != before)
    assert twice.sum() > 100
    assert (noise != second)[twice].all()


def test_weights_decay_and_diffuse_once_a_batch():
    device = hardware.ConstantStep(0.1, rounding="truncate", lifetime=20, diffusion=0.003)
    net = net_of(device)
    before = net.weights[0].copy()
    x = np.zeros((1, 500))
    rule = cep.CEP(5, 4, 0.5, learning_rates=1e-9)
    cep.train_batch(net, x, [0], rule)
    expect_normal(net.weights[0] - before * (1 - 1 / 20), 0, 0.003)
    middle = net.weights[0].copy()
    cep.train_batch(net, x, [0], rule)
    second = net.weights[0] - middle * (1 - 1 / 20)
    expect_normal(second, 0, 0.003)
    first = middle - before * (1 - 1 / 20)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) < 4 / np.sqrt(DRAWS)


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_quantized_weights_lie_on_the_grid(rounding):
    device = hardware.Quantized(6, w_min=-0.5, w_max=0.4, rounding=rounding)
    size = 0.9 / 63
    before, wanted, net = one_update(device, change=2.0)
    for weights in (before, net.weights[0]):
        level = (weights + 0.5) / size
        np.testing.assert_allclose(level, level.round(), atol=1e-9)
        assert level.min() > -0.5
        assert level.max() < 63.5
    made = (net.weights[0] - before) / size
    asked = wanted / size
    inside = np.abs(before + wanted + 0.05) < 0.45 - size
    if rounding == "nearest":
        np.testing.assert_allclose(made[inside], np.trunc(asked + np.copysign(0.5, asked))[inside])
    else:
        part = np.abs(asked) % 1
        error = np.abs(made - asked)[inside]
        assert (error < 1).all()
        total = (made - asked)[inside].sum()
        assert abs(total) < 4 * np.sqrt((part * (1 - part))[inside].sum())
    assert inside.mean() > 0.9
    assert np.abs(made).max() >= 1


def test_bounded_weights_are_clipped():
    before, wanted, net = one_update(hardware.Bounded(w_min=-0.045, w_max=0.05), change=1.0)
    np.testing.assert_array_equal(net.weights[0], np.clip(before + wanted, -0.045, 0.05))
    assert 0 < (net.weights[0] == 0.05).sum() < 1e5


RULES = {
    "EP": cep.EP(6, 3, 0.5, learning_rates=0.5),
    "C-EP": cep.CEP(6, 3, 0.5, learning_rates=0.5),
    "symmetric": cep.EP(6, 3, 0.5, learning_rates=0.5, beta_sign="symmetric"),
    "Adam": cep.CEP(6, 3, 0.5, learning_rates=0.01, optimizer=cep.Adam()),
    "momentum": cep.EP(6, 3, 0.5, learning_rates=0.5, optimizer=cep.SGD(momentum=0.9)),
    "BPTT": cep.BPTT(6, learning_rates=0.5),
}
NETWORKS = {
    "tied": ([6, 8, 3], {}),
    "untied": ([6, 8, 7, 3], {"feedback": "untied", "feedback_angle": 30.0}),
    "readout": ([6, 8, 5, cep.Readout(3)], {}),
    "convolution": ([cep.Input(1, 2, 3), cep.Conv2d(2, 2), 4, 3], {}),
    "real-time": ([6, 8, 3], {"setting": "real-time", "activation": "hard_sigmoid"}),
}
NOISY = {
    "linear": hardware.presets.ecram(dw_min=0.01, write_noise_std=3.0),
    "exponential": hardware.presets.reram_es(dw_min=0.01),
    "constant": hardware.presets.idealized(dw_min=0.01, diffusion=1e-3),
    "leaking": hardware.presets.capacitor(lifetime=9.0),
    "soft bounds": hardware.SoftBounds(0.01, dw_min_std=0.5, w_max_dtod=0.1),
    "power": hardware.PowerStep(0.01, dw_min_std=0.5, pow_gamma_dtod=0.1),
    "quantized": hardware.Quantized(7, w_min=-1, w_max=1, rounding="stochastic"),
    "bounded": hardware.Bounded(w_min=-1, w_max=1),
}
X = np.random.default_rng(2).random((9, 6))
Y = np.arange(9) % 3


def bits(net):
    arrays = [*net.parameters(), *devices_of(net).values()]
    return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def train(net, rule, batches=3):
    for k in range(batches):
        cep.train_batch(net, X[3 * k : 3 * k + 3], Y[3 * k : 3 * k + 3], rule)
    return net


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("rule", RULES)
def test_ideal_synapses_change_no_bit(rule, kind):
    sizes, options = NETWORKS[kind]
    nets = [
        cep.Network(sizes, seed=1, synapses=synapses, **options)
        for synapses in (None, hardware.Ideal())
    ]
    assert bits(train(nets[0], RULES[rule])) == bits(train(nets[1], RULES[rule]))


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("rule", RULES)
def test_devices_act_under_every_rule(rule, kind):
    sizes, options = NETWORKS[kind]
    device = hardware.ConstantStep(1 / 1024, rounding="nearest")
    net = cep.Network(sizes, seed=1, synapses=device, dtype="float64", **options)
    before = {name: array.copy() for name, array in net._named_parameters().items()}
    train(net, RULES[rule])
    moved = 0
    for name, array in net._named_parameters().items():
        steps = (array - before[name]) * 1024
        if name.startswith("biases"):
            assert np.abs(steps - steps.round()).max() > 1e-6, "biases are ideal"
        else:
            np.testing.assert_allclose(steps, steps.round(), atol=1e-9)
            moved += np.count_nonzero(steps.round())
    assert moved
    biased = cep.Network(
        sizes, seed=1, bias_synapses=hardware.Quantized(4, w_min=-1, w_max=1), **options
    )
    train(biased, RULES[rule])
    for bias in biased.biases:
        level = (bias + 1) * 7.5
        np.testing.assert_allclose(level, level.round(), atol=1e-5)


@pytest.mark.parametrize("device", NOISY)
def test_copies_continue_bit_for_bit(device, tmp_path):
    sizes, options = NETWORKS["untied"]
    net = cep.Network(sizes, seed=1, synapses=NOISY[device], bias_synapses=NOISY[device], **options)
    rule = RULES["C-EP"]
    train(net, rule)
    net.save(tmp_path / "net")
    others = [
        copy.deepcopy(net),
        copy.copy(net),
        net.copy(),
        pickle.loads(pickle.dumps(net)),
        cep.load(tmp_path / "net"),
    ]
    start = bits(net)
    assert all(bits(other) == start for other in others)
    end = bits(train(net, rule))
    assert end != start
    for other in others:
        assert bits(train(other, rule)) == end
    assert net.options["synapses"] == NOISY[device].word
    assert net.synapses == (NOISY[device],) * 3


@pytest.mark.parametrize("device", NOISY)
def test_results_do_not_depend_on_threads(device):
    sizes = [40, 300, 10]
    x = np.random.default_rng(0).random((20, 40))
    y = np.arange(20) % 10
    threads = cep.get_num_threads()
    found = []
    try:
        for count in (1, 2, 3):
            cep.set_num_threads(count)
            net = cep.Network(sizes, seed=1, synapses=NOISY[device])
            cep.train_batch(net, x, y, cep.CEP(6, 3, 0.5, learning_rates=0.5))
            found.append(bits(net))
    finally:
        cep.set_num_threads(threads)
    assert found[0] == found[1] == found[2]


def test_estimates_change_nothing():
    net = cep.Network([6, 8, 3], seed=1, synapses=NOISY["linear"])
    before = bits(net)
    for rule in RULES.values():
        cep.gradient(net, X, Y, rule)
    assert bits(net) == before


def test_resumed_runs_equal_uninterrupted_ones(tmp_path):
    configuration = cep.Configuration(
        hidden=[12],
        epochs=2,
        synapses="ecram:dw_min=0.01:write_noise_std=2:diffusion=0.001",
        bias_synapses="quantized:bits=8:w_min=-1:w_max=1:rounding=stochastic",
        free_steps=8,
        nudged_steps=3,
        batch_size=200,
        validation_fraction=0,
    )
    assert cep.Configuration.from_json(configuration.to_json()) == configuration
    assert configuration.synapses.startswith("linear_step:dw_min=0.01:dw_min_std=0.3:")

    nets = whole_and_resumed(configuration, tmp_path)
    assert bits(nets[0]) == bits(nets[1])
    assert hardware.device_arrays(nets[0])["weights.counters.0"][1] == 2 * 8


# Model, dw_min, up_down, w_max, w_min; deviations from device to device of these four; dw_min_std,
# write_noise_std; and the parameters of the model.
FITS = {
    "idealized": ("constant_step", 2e-4, 0, 1, -1, 0.3, 0, 0.3, 0.3, 0.3, 0, {}),
    "gokmen_vlasov": ("constant_step", 0.0016, 0, 1, -1, 0.3, 0.01, 0.3, 0.3, 0.3, 0, {}),
    "reram_es": (
        *("exponential_step", 0.00135, 0.259359, 1, -1, 0.2, 0.05, 0.3, 0.3, 5, 75),
        {
            "A_up": -1.18445,
            "A_down": -0.081404,
            "gamma_up": 5,
            "gamma_down": 5,
            "a": -0.5,
            "b": -0.5,
        },
    ),
    "capacitor": (
        *("linear_step", 0.005, 0, 1, -1, 0.1, 0.06, 0.07, 0.07, 0.3, 0),
        {"gamma_up": 0.05, "gamma_down": 0.05, "gamma_up_dtod": 0.01, "gamma_down_dtod": 0.01}
        | {"mult_noise": False, "lifetime": 1e6, "lifetime_dtod": 0.3},
    ),
    "ecram": (
        *("linear_step", 0.002, 0, 1.1724, -0.8276, 0.1, 0.01, 0.05, 0.05, 0.3, 0),
        {"gamma_up": 0.1153, "gamma_down": 0.5085, "gamma_up_dtod": 0.05, "gamma_down_dtod": 0.05},
    ),
    "ecram_mo": (
        *("linear_step", 2.8214e-4, 0, 1.1714, -0.8286, 0.1, 0.01, 0.05, 0.05, 2, 0),
        {"gamma_up": 0.4152, "gamma_down": 0.7342, "gamma_up_dtod": 0.05, "gamma_down_dtod": 0.05},
    ),
}


@pytest.mark.parametrize("name", FITS)
def test_presets_are_what_the_publications_have(name):
    model, *numbers, own = FITS[name]
    steps = ("dw_min", "up_down", "w_max", "w_min")
    names = (*steps, *(f"{each}_dtod" for each in steps), "dw_min_std", "write_noise_std")
    preset = getattr(hardware.presets, name)
    word = [f"{key}={value}" for key, value in zip(names, numbers, strict=True)]
    word += [f"{key}={value}" for key, value in own.items()]
    expected = cep.Network([4, 3, 2], synapses=":".join([model, *word]), seed=0).synapses[0]
    assert preset() == expected
    assert preset(dw_min=0.1).dw_min == 0.1
    for word in (name, preset().word):
        assert cep.Network([4, 3, 2], synapses=word, seed=0).synapses[0] == expected
    assert preset.__name__ == name
    assert "References" in preset.__doc__


def test_there_is_a_fit_of_every_preset():
    assert hardware.presets.ALL.keys() == FITS.keys()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: hardware.Bounded(w_min=1.0, w_max=-1.0), "w_min must be below w_max"),
        (lambda: hardware.ConstantStep(0.1, w_min=0.5, w_max=0.5), "w_min must be below w_max"),
        (lambda: hardware.ConstantStep(0.1, dw_min_dtod=-0.1), "dw_min_dtod must be 0 or more"),
        (lambda: hardware.ConstantStep(2.5), "dw_min must be at most the range"),
        (lambda: hardware.ConstantStep(0.0), "dw_min must be above 0"),
        (lambda: hardware.ConstantStep(float("nan")), "dw_min must be finite"),
        (lambda: hardware.Quantized(17, w_min=-1, w_max=1), "bits must be 1 to 16, got 17"),
        (lambda: hardware.Quantized(0, w_min=-1, w_max=1), "bits must be 1 to 16, got 0"),
        (lambda: hardware.SoftBounds(0.1, w_min=0.1), "needs w_min below 0"),
        (lambda: hardware.ConstantStep(0.1, max_pulses=0), "max_pulses must be 1 to 1000000"),
        (lambda: hardware.ConstantStep(0.1, lifetime=0.5), "lifetime must be 0"),
        (lambda: hardware.ConstantStep(0.1, rounding="up"), "rounding must be"),
        (
            lambda: hardware.ConstantStep(0.1).pulse_response([2]),
            r"or -1 \(down\), got 2",
        ),
        (lambda: hardware.ConstantStep(0.1).pulse_response([0.5]), "one-dimensional array of 1"),
        (
            lambda: hardware.ConstantStep(0.1).pulse_response(np.array([2**64 - 1], np.uint64)),
            "one-dimensional array of 1 and -1, got uint64",
        ),
        (
            lambda: hardware.Quantized(4, -1, 1, rounding="truncate"),
            "rounding must be 'nearest' or 'stochastic', got 'truncate'",
        ),
        (
            lambda: net_of(hardware.Bounded(w_min=-0.02, w_max=0.02)),
            "initial weights of connection 0 lie",
        ),
        (lambda: net_of([hardware.Ideal()] * 3), "synapses has 3 values"),
        (lambda: net_of("memristor"), "unknown synapse 'memristor'"),
        (lambda: net_of("ecram:dw=1"), "has no parameter 'dw'"),
        (lambda: net_of("soft_bounds"), "does not describe a synapse"),
        (lambda: net_of([]), "synapses is empty"),
    ],
)
def test_bad_devices_are_refused(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_initial_weights_are_clipped_if_asked():
    net = net_of(hardware.Bounded(w_min=-0.02, w_max=0.02, clip_initial=True))
    assert np.abs(net.weights[0]).max() == 0.02
    weights = net_of(None).weights[0]
    for w_min, w_max in ((-0.02, 0.02), (-1, 0.02), (-0.02, 1)):
        outside = ((weights < w_min) | (weights > w_max)).sum()
        with pytest.raises(ValueError, match=rf"^{outside} of 100000 initial .* clip_initial"):
            net_of(hardware.Bounded(w_min, w_max))


def test_what_is_no_synapse_is_a_type_error():
    for value in (3, {"ecram"}, hardware.ConstantStep):
        with pytest.raises(TypeError, match="synapses must be synapses"):
            net_of(value)
    with pytest.raises(TypeError, match="PulsedSynapse is the base class of models"):
        hardware.PulsedSynapse(0.1)
    with pytest.raises(TypeError, match="net must be"):
        hardware.device_arrays(3)
    with pytest.raises(TypeError, match="dw_min must be a real number"):
        hardware.ConstantStep("small")


def test_damaged_devices_do_no_harm():
    """What a user writes over the devices gives other numbers, or an error, and nothing worse."""
    for value in (np.nan, np.inf, -1e30, 0.0):
        net = cep.Network([6, 8, 3], seed=1, synapses=NOISY["linear"])
        for array in hardware.device_arrays(net).values():
            array[...] = value
        try:
            train(net, RULES["C-EP"])
        except cep.DivergenceError:
            continue
        assert all(np.isfinite(array).all() for array in net.parameters())
    tiny = cep.Network([6, 8, 3], seed=1, synapses=hardware.ConstantStep(1e-300))
    train(tiny, RULES["EP"])
    assert hardware.device_arrays(tiny)["weights.counters.0"][3] > 0
