"""Configurations: networks and rules made from them, JSON, and refused values."""

import json
from typing import Any

import numpy as np
import pytest
from snapshot import parameters, same

import cep

OTHERS: dict[str, Any] = {
    "data": "mnist",
    "hidden": [32, 16],
    "setting": "real-time",
    "activation": "tanh",
    "dt": 0.1,
    "clamp": False,
    "feedback": "untied",
    "feedback_angle": 22.5,
    "follows_energy": True,
    "dtype": "float64",
    "relaxation": "synchronous",
    "tolerance": 1e-6,
    "rule": "ep",
    "accumulate": True,
    "free_steps": 7,
    "nudged_steps": 3,
    "beta": -0.25,
    "beta_sign": "symmetric",
    "learning_rates": [0.3, 0.2, 0.1, 0.05],
    "bias_learning_rates": [0.0, 0.2, 0.1, 0.05],
    "learning_rate_decay": 0.9,
    "learning_rate_schedule": [[2, 0.5], [10, 0.0]],
    "epochs": 4,
    "batch_size": 5,
    "seed": 2**64 - 1,
    "patience": 3,
    "diagnostics_every": 11,
    "diagnostics_kinds": ["residuals", "gradient_angle"],
    "loss": "cross_entropy",
    "readout": True,
    "nudging": "outside",
    "optimizer": "sgd",
    "momentum": 0.5,
    "weight_decay": 0.25,
    "feedback_update": "shared",
    "flip": True,
    "crop": 2,
    "feedback_learning_rates": [0.3, 0.0, 0.1, 0.05],
    "asymmetry": "vector-field",
    "validation_fraction": 0.25,
    "test_every_epoch": True,
    "inputs": None,
    "classes": None,
    "synapses": [
        "soft_bounds:dw_min=0.001:clip_initial=1",
        "quantized:bits=4:w_min=-1.0:w_max=1.0:rounding=stochastic",
        "ideal",
        "ideal",
    ],
    "bias_synapses": "constant_step:dw_min=0.001:max_pulses=5",
    "state_noise": 0.02,
    "state_bits": 6,
    "gain_dtod": 0.1,
    "offset_dtod": 0.2,
    "read_noise": 0.3,
    "read_noise_every": "phase",
    "feedback_mismatch": 0.04,
    "write_every_step": False,
    "last_steps": None,
    "rbp_tolerance": 1e-6,
    "max_iterations": 10_000,
    "beta1": 0.9,
    "beta2": 0.999,
    "epsilon": 1e-8,
    "connections": ["0-2"],
}
# The rule with most options, options of other rules and optimizers, and of the user's data.
UNCHANGED = {
    "rule",
    *("optimizer", "asymmetry", "inputs", "classes", "write_every_step", "last_steps"),
    *("rbp_tolerance", "max_iterations", "beta1", "beta2", "epsilon"),
}


def test_every_field_survives_json() -> None:
    configuration = cep.Configuration(**OTHERS)
    assert json.loads(configuration.to_json()) == OTHERS
    assert configuration.to_dict() == OTHERS
    back = cep.Configuration.from_json(configuration.to_json())
    assert back == configuration
    assert hash(back) == hash(configuration)
    default = cep.Configuration()
    assert cep.Configuration.from_json(default.to_json()) == default
    assert set(default.differences(configuration)) == set(OTHERS) - UNCHANGED


def test_the_network_and_the_rule_are_those_described() -> None:
    # These three need the prototypical setting.
    ideal = {"state_bits": None, "gain_dtod": 0.0, "offset_dtod": 0.0}
    configuration = cep.Configuration(**OTHERS | ideal)
    expected = cep.Network(
        [784, 32, 16, cep.Readout(10)], setting="real-time", activation="tanh", dt=0.1, clamp=False,
        feedback="untied", feedback_angle=22.5, dtype="float64", follows_energy=True,
        relaxation="synchronous", tolerance=1e-6, seed=2**64 - 1, synapses=OTHERS["synapses"],
        bias_synapses=OTHERS["bias_synapses"], neurons=cep.hardware.Neurons(state_noise=0.02),
        read_noise=0.3, read_noise_every="phase", feedback_mismatch=0.04, connections=[(0, 2)],
    )  # fmt: skip
    net = configuration.make_network()
    assert repr(net) == repr(expected)
    assert same(parameters(net), parameters(expected))
    rates, bias_rates = [0.3, 0.2, 0.1, 0.05], [0.0, 0.2, 0.1, 0.05]
    sgd = cep.SGD(momentum=0.5, weight_decay=0.25)
    assert configuration.make_rule() == cep.EP(
        7, 3, -0.25, rates, bias_rates, beta_sign="symmetric", accumulate=True, optimizer=sgd,
        feedback_update="shared", feedback_learning_rates=[0.3, 0.0, 0.1, 0.05],
    )  # fmt: skip
    continual = configuration.replace(rule="c-ep", accumulate=False, beta_sign="random")
    assert continual.make_rule() == cep.CEP(
        7, 3, -0.25, rates, bias_rates, beta_sign="random", optimizer=sgd,
        feedback_update="shared", feedback_learning_rates=[0.3, 0.0, 0.1, 0.05],
    )  # fmt: skip
    exact = configuration.replace(rule="bptt", accumulate=False, optimizer="adam", momentum=0.0)
    adam = cep.Adam(weight_decay=0.25)
    assert exact.make_rule() == cep.BPTT(
        7, None, rates, bias_rates, optimizer=adam, feedback_learning_rates=[0.3, 0.0, 0.1, 0.05]
    )


def test_learning_rates_follow_the_schedule_and_the_decay() -> None:
    configuration = cep.Configuration(
        learning_rates=[0.4, 0.2], learning_rate_schedule=[(3, 0.5), (5, 0.25)]
    )
    factors = [configuration.learning_rate_factor(epoch) for epoch in range(1, 7)]
    assert factors == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert configuration.make_rule(4).learning_rates == (0.2, 0.1)
    halved = configuration.replace(learning_rate_decay=0.5, bias_learning_rates=0.8)
    factors = [halved.learning_rate_factor(epoch) for epoch in range(1, 4)]
    assert factors == [1, 0.5, 0.125]
    assert halved.make_rule(3).bias_learning_rates == (0.1, 0.1)


def test_one_learning_rate_is_that_of_all_connections() -> None:
    assert cep.Configuration(hidden=[5, 5], learning_rates=0.1).learning_rates == (0.1,) * 3


def test_numbers_of_numpy_are_numbers() -> None:
    values: dict[str, Any] = {
        "hidden": np.array([5]),
        "learning_rates": np.array([0.5, 0.25]),
        "epochs": np.int32(3),
        "beta": np.float32(0.5),
    }
    configuration = cep.Configuration(**values)
    assert configuration == cep.Configuration(
        hidden=[5], learning_rates=[0.5, 0.25], epochs=3, beta=0.5
    )
    assert cep.Configuration.from_json(configuration.to_json()) == configuration


def test_the_data_is_the_data_set_of_that_name(digits: Any) -> None:
    data, test = cep.Configuration(seed=4).load_data()
    expected = cep.datasets.split(digits, 360, seed=4)
    for ours, theirs in zip((*data, *test), (*expected[0], *expected[1]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match=r"'digits' or 'mnist' or .*'cifar10' or .* got 'cifar'"):
        cep.datasets.load("cifar")


C_EP = {"rule": "c-ep"}
REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "data": ({"data": ""}, TypeError, "data must be the name of a data set, got ''"),
    "fraction": ({"validation_fraction": 1}, ValueError, "validation_fraction must be in"),
    "inputs": ({"data": "mine", "inputs": (2, 3)}, ValueError, "inputs must be features, or"),
    "known": ({"inputs": 64}, ValueError, "inputs and classes are for your own data; those"),
    "rule": ({"rule": "backprop"}, ValueError, "rule must be 'ep' or 'c-ep'"),
    "sign": ({"rule": "bptt", "beta_sign": "both"}, ValueError, "beta_sign must be"),
    "symmetric": (
        C_EP | {"beta_sign": "symmetric"},
        ValueError,
        "beta_sign must be 'fixed' or 'random'",
    ),
    "accumulate": (C_EP | {"accumulate": True}, ValueError, "accumulate belongs to the rule 'ep'"),
    "clamp": ({"clamp": 1}, TypeError, "clamp must be True or False, got int 1"),
    "dt": ({"dt": "fast"}, TypeError, "dt must be a real number"),
    "beta": ({"beta": True}, TypeError, "beta must be a real number, got bool"),
    "beta nan": ({"beta": float("nan")}, ValueError, "beta must be finite, got nan"),
    "beta 0": ({"beta": 0}, ValueError, "beta must be finite and not 0"),
    "epochs": ({"epochs": 0}, ValueError, "epochs must be 1 or more, got 0"),
    "patience": ({"patience": 0}, ValueError, "patience must be 1 or more, got 0"),
    "record": ({"diagnostics_every": 1.5}, TypeError, "diagnostics_every must be an integer"),
    "kinds": ({"diagnostics_kinds": ["energies"]}, ValueError, "did you mean 'energy'"),
    "seed": ({"seed": None}, TypeError, "seed must be an integer, got None"),
    "hidden": ({"hidden": 5}, TypeError, "hidden must be a sequence of layers, got 5"),
    "kernel": ({"hidden": ["conv2d:4"]}, ValueError, r"hidden\[0\]: .*conv2d:32:5"),
    "crop": ({"crop": -1}, ValueError, "crop must be 0 or more, got -1"),
    "feedback_update": ({"feedback_update": "both"}, ValueError, "'own' or 'shared', got 'both'"),
    "no hidden": ({"hidden": []}, ValueError, "hidden is empty"),
    "units": ({"hidden": [5.5]}, TypeError, r"hidden\[0\] must be an integer"),
    "rates": ({"learning_rates": [1, 2, 3]}, ValueError, "has 3 values; .* 2 connections"),
    "word": ({"learning_rates": "fast"}, TypeError, "learning_rates must be a real number"),
    "negative": ({"learning_rates": [-1, 0]}, ValueError, "0 or more, got -1"),
    "decay": ({"learning_rate_decay": 0}, ValueError, "learning_rate_decay must be above 0"),
    "schedule": ({"learning_rate_schedule": [2]}, TypeError, r"schedule\[0\] must be a sequence"),
    "triple": ({"learning_rate_schedule": [(1, 2, 3)]}, ValueError, "pairs"),
    "order": ({"learning_rate_schedule": [(3, 1), (2, 1)]}, ValueError, r"must rise, got \[3, 2\]"),
    "factor": ({"learning_rate_schedule": [(3, -1)]}, ValueError, "0 or more, got -1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_invalid_values(case: str) -> None:
    values, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        cep.Configuration(**values)
    with pytest.raises(error, match=message):
        cep.Configuration().replace(**values)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda text: text[:50], ValueError, "is not JSON"),
        (lambda text: "[]", TypeError, "must be an object of fields, got list"),
        (lambda text: text.replace('"beta"', '"betta"'), ValueError, "did you mean 'beta'"),
        (lambda text: text.replace('"beta": 0.5,', ""), ValueError, "lacks beta$"),
        (lambda text: text.replace("0.5", '"0.5"'), TypeError, "beta must be a real number"),
        (lambda text: text.replace("[128]", '"128"'), TypeError, "hidden must be a sequence"),
    ],
)
def test_invalid_json(change: Any, error: type[Exception], message: str) -> None:
    text = cep.Configuration().to_json()
    assert change(text) != text
    with pytest.raises(error, match=message):
        cep.Configuration.from_json(change(text))


def test_a_field_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="'learning_rate'; did you mean 'learning_rates'"):
        cep.Configuration().replace(learning_rate=0.1)
    with pytest.raises(ValueError, match=r"'zzz'; known: data, hidden"):
        cep.Configuration().replace(zzz=1)


@pytest.mark.parametrize(
    ("options", "rates", "bias_rates"),
    [
        ({"hidden": [31]}, [2 / 65 * 4, 2 / 32], [2 / 65, 2 / 32]),
        ({"hidden": [31], "rule": "c-ep"}, [0.5 / 65 * 4, 0.5 / 32], [0.5 / 65, 0.5 / 32]),
        ({"hidden": [31], "momentum": 0.75}, [0.5 / 65 * 4, 0.5 / 32], [0.5 / 65, 0.5 / 32]),
        ({"hidden": [31], "optimizer": "adam"}, [0.05 / 65 * 2, 0.05 / 32], [0.05 / 65, 0.05 / 32]),
        # 3 × 3 pixels and 64 positions; then 5 · 4 · 4 units.
        (
            {"hidden": ["conv2d:5:3:padding=1:pool=max"]},
            [2 / (9 * 4 + 1) * 4, 2 / 81],
            [2 / (9 * 4 + 1), 2 / 81],
        ),
        # The last rate is that of the connection from the input.
        (
            {"hidden": [31], "connections": ["0-2"]},
            [2 / 65 * 4, 2 / 32, 2 / 65 * 4],
            [2 / 65, 2 / 32, 2 / 65],
        ),
        ({"hidden": [31], "bias_learning_rates": 0.5}, [2 / 65 * 4, 2 / 32], [0.5, 0.5]),
    ],
)
def test_default_learning_rates(
    options: dict[str, Any], rates: list[float], bias_rates: list[float]
) -> None:
    """The formula of the documentation, with 64 inputs; three digits."""
    rule = cep.Configuration(**options).make_rule()
    assert rule.learning_rates == pytest.approx(rates, rel=0.005)
    assert rule.bias_learning_rates == pytest.approx(bias_rates, rel=0.005)


def test_default_learning_rates_need_the_sizes_of_the_data() -> None:
    own = cep.Configuration(data="mine", hidden=[31])
    with pytest.raises(ValueError, match="the sizes of the data 'mine' are not known"):
        own.make_rule()
    assert own.of_data((64,), 10).make_rule() == cep.Configuration(hidden=[31]).make_rule()
    with pytest.raises(ValueError, match="beta must be finite and not 0"):
        cep.Configuration(data="mine", beta=0)
