"""Losses, nudgings, readouts, activations and skip connections."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from places import CONVOLUTION_REFERENCE

import cep

RECORDINGS = ["mlp-ep-squared-error", "mlp-ep-cross-entropy", "vf-mlp-ep-squared-error"]
TOLERANCES = {"float64": 1e-9, "float32": 1e-4}


@pytest.fixture(scope="module")
def folder() -> Path:
    if not CONVOLUTION_REFERENCE.is_dir():
        pytest.skip(f"the recordings are not in {CONVOLUTION_REFERENCE}")
    return CONVOLUTION_REFERENCE


class Recording:
    """A recording of the code of Laborieux et al. (2021), and a network as it began."""

    def __init__(self, path: Path, dtype: str) -> None:
        self.arrays = np.load(path)
        self.meta: dict[str, Any] = json.loads(str(self.arrays["meta"]))
        connections = len(self.meta["sizes"]) - 1
        activation: Any = self.meta["activation"]
        options: dict[str, Any] = {}
        if self.meta["loss"] == "cross-entropy":
            activation = [activation] * (connections - 1) + ["linear"]
            options["loss"] = "cross_entropy"
        self.untied = self.meta["model"] == "vf-mlp"
        self.net = cep.Network(
            self.meta["sizes"],
            activation=activation,
            nudging="inside",
            feedback="untied" if self.untied else "tied",
            dtype=dtype,
            seed=0,
            **options,
        )
        for name, array in self.parameters().items():
            array[...] = self.arrays[f"initial/{name}"]
        self.rule = cep.EP(
            self.meta["free_steps"],
            self.meta["nudged_steps"],
            self.meta["beta"],
            self.meta["learning_rates"][:connections],
        )

    def parameters(self, of: Any = None) -> dict[str, NDArray[Any]]:
        """The parameters of the network, or a gradient, by their names in the recording."""
        source = of or self.net
        named = {}
        for k in range(len(self.net.edges)):
            named[f"synapses.{k}.weight"] = source.weights[k]
            named[f"synapses.{k}.bias"] = source.biases[k]
            if self.untied and k > 0:
                named[f"B_syn.{k - 1}.weight"] = source.feedback_weights[k]
        return named


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", RECORDINGS)
def test_states_gradients_and_parameters_equal_the_recording(
    folder: Path, name: str, dtype: str
) -> None:
    recording = Recording(folder / f"{name}.npz", dtype)
    net, arrays, meta = recording.net, recording.arrays, recording.meta
    compared = 0

    def compare(found: NDArray[Any], key: str) -> None:
        nonlocal compared
        np.testing.assert_allclose(found, arrays[key], rtol=0, atol=TOLERANCES[dtype], err_msg=key)
        compared += 1

    for batch in range(meta["batches"]):
        x, y = arrays[f"batch{batch}/x"], arrays[f"batch{batch}/y"]
        net.free_phase(x, meta["free_steps"])
        for layer in range(1, len(meta["sizes"])):
            compare(net.states[layer], f"batch{batch}/free/{layer - 1}")
        net.nudged_phase(y, meta["beta"], meta["nudged_steps"])
        for layer in range(1, len(meta["sizes"])):
            compare(net.states[layer], f"batch{batch}/nudged/{layer - 1}")
        estimate = cep.gradient(net, x, y, recording.rule)
        for key, array in recording.parameters(estimate).items():
            compare(array, f"batch{batch}/gradient/{key}")
        cep.train_batch(net, x, y, recording.rule)
        for key, array in recording.parameters().items():
            compare(array, f"batch{batch}/after/{key}")
    assert compared >= 3 * (2 * 2 + 2 * 4)


def test_the_theorem_curves_equal_the_recording(folder: Path) -> None:
    recording = Recording(folder / "mlp-ep-squared-error.npz", "float64")
    arrays, meta = recording.arrays, recording.meta
    x, y = arrays["batch0/x"], arrays["batch0/y"]
    keys = [key for key in arrays.files if key.startswith("theorem/")]
    steps = len(arrays["theorem/ep/synapses.0.weight"])
    report = cep.gdu_check(recording.net, x, y, meta["free_steps"], steps, meta["beta"])
    batch = len(x)
    for side in ("ep", "bptt"):
        for k in range(len(meta["sizes"]) - 1):
            curves = report.weights[k]
            mine = -(curves.updates if side == "ep" else curves.gradients)
            recorded = arrays[f"theorem/{side}/synapses.{k}.weight"]
            np.testing.assert_allclose(mine, recorded, rtol=0, atol=1e-9)
            neurons = report.states[k + 1]
            assert neurons is not None
            mine = neurons.updates if side == "ep" else neurons.gradients
            recorded = arrays[f"theorem/{side}/neurons_{k}"]
            if recorded.ndim == 3:
                recorded = recorded.sum(axis=1) / batch
            np.testing.assert_allclose(mine, recorded, rtol=0, atol=1e-9)
    assert len(keys) >= 4 * (len(meta["sizes"]) - 1)


SKIPS = [(0, 2), (1, 3), (0, 3)]
NETWORKS: dict[str, Callable[..., cep.Network]] = {
    "squared error, inside": lambda **o: cep.Network([64, 12, 9, 10], nudging="inside", **o),
    "squared error, skips": lambda **o: cep.Network([64, 12, 9, 10], connections=SKIPS, **o),
    "cross-entropy": lambda **o: cep.Network([64, 12, 9, 10], loss="cross_entropy", **o),
    "readout": lambda **o: cep.Network([64, 12, 9, cep.Readout(10)], **o),
    "readout, skip": lambda **o: cep.Network(
        [64, 12, 9, cep.Readout(10)], connections=[(0, 2)], **o
    ),
}


@pytest.mark.parametrize("feedback", ["tied", "untied"])
@pytest.mark.parametrize("setting", ["prototypical", "real-time"])
@pytest.mark.parametrize("name", NETWORKS)
def test_bptt_equals_central_differences(
    name: str, setting: str, feedback: str, digits: Any
) -> None:
    options: dict[str, Any] = {"setting": setting, "feedback": feedback}
    if setting == "real-time":
        options["clamp"] = False
        if "inside" in name:
            pytest.skip("nudging inside belongs to the prototypical setting")
    if feedback == "untied":
        options["feedback_angle"] = 50.0
    net = NETWORKS[name](activation="sigmoid", dtype="float64", seed=3, **options)
    x, y = digits[0][:20], digits[1][:20]
    estimate = cep.gradient(net, x, y, cep.BPTT(12))
    gradients = [*estimate.weights, *estimate.biases]
    gradients += [v for v in estimate.feedback_weights if v is not None]
    random = np.random.default_rng(0)
    parameters = list(net.parameters())
    directions = [random.standard_normal(array.shape) for array in parameters]
    assert [g.shape for g in gradients] == [p.shape for p in parameters]

    def loss(step: float) -> float:
        for array, direction in zip(parameters, directions, strict=True):
            array += step * direction
        value = cep.evaluate(net, (x, y), 12).loss
        for array, direction in zip(parameters, directions, strict=True):
            array -= step * direction
        return value

    expected = (loss(1e-5) - loss(-1e-5)) / 2e-5
    found = sum((g * d).sum() for g, d in zip(gradients, directions, strict=True))
    assert abs(found - expected) < 1e-7 * max(1, abs(expected))


@pytest.mark.parametrize("loss", ["cross-entropy", "readout"])
def test_ep_tends_to_recurrent_backpropagation(loss: str, digits: Any) -> None:
    net = NETWORKS[loss](activation="sigmoid", dtype="float64", seed=1)
    x, y = digits[0][:10], digits[1][:10]
    exact = cep.gradient(net, x, y, cep.RBP(300))
    errors = []
    for beta in (0.02, 0.01):
        estimate = cep.gradient(net, x, y, cep.EP(300, 300, beta, beta_sign="symmetric"))
        errors.append(estimate.relative_error(exact))
    # The error is quadratic in beta. The published dynamics lack no factor here: the output is
    # linear, or outside the dynamics.
    assert errors[1] < 1e-3
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.2)


def test_layers_can_be_written_out() -> None:
    written = cep.Network([cep.Input(64), cep.Dense(12), cep.Dense(10)], seed=4)
    short = cep.Network([64, 12, 10], seed=4)
    assert written.layers == short.layers == (cep.Input(64), cep.Dense(12), cep.Dense(10))
    assert all(np.array_equal(a, b) for a, b in zip(written.weights, short.weights, strict=True))


def test_skip_connections_are_listed_after_the_chain() -> None:
    net = cep.Network([4, 5, 3, cep.Readout(2)], connections=[(0, 2)], feedback="untied", seed=0)
    assert net.edges == ((0, 1), (1, 2), (2, 3), (0, 2))
    assert [w.shape for w in net.weights] == [(5, 4), (3, 5), (2, 3), (3, 4)]
    assert [b.shape for b in net.biases] == [(5,), (3,), (2,)]
    assert [v is None for v in net.feedback_weights] == [True, False, True, True]
    assert net.feedback_angles()[2:] == [None, None]
    assert net.parameter_count == sum(array.size for array in net.parameters())
    assert len(net.states) == 3


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_go_through_files_and_pickles(name: str, tmp_path: Path, digits: Any) -> None:
    net = NETWORKS[name](seed=2)
    rule = cep.EP(20, 5, 0.5, 0.05)
    cep.train_batch(net, digits[0][:20], digits[1][:20], rule)
    net.save(tmp_path / "net.safetensors")
    for copy in (cep.load(tmp_path / "net.safetensors"), pickle.loads(pickle.dumps(net))):
        assert copy.options == net.options
        assert copy.layers == net.layers
        pairs = zip(copy.parameters(), net.parameters(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)
        assert np.array_equal(copy.predict(digits[0], 20), net.predict(digits[0], 20))


def test_activations_of_each_layer() -> None:
    net = cep.Network([3, 4, 2], activation=["tanh", "half_hard_sigmoid"], seed=0, dtype="float64")
    x = np.array([[0.5, 0.1, 0.9]])
    net.free_phase(x, 1)
    np.testing.assert_allclose(net.states[1], np.tanh(x @ net.weights[0].T + net.biases[0]))
    np.testing.assert_allclose(net.states[2], np.clip(net.biases[1] / 2, 0, 1)[None])
    assert net.activation == ("tanh", "half_hard_sigmoid")


WRONG: list[tuple[Callable[[], object], type[Exception], list[str]]] = [
    (lambda: cep.Network([4, cep.Readout(3), 2]), ValueError, ["sizes[1]", "last"]),
    (lambda: cep.Network([cep.Readout(3)]), ValueError, ["sizes[0]", "Input"]),
    (lambda: cep.Network([4, cep.Input(3), 2]), ValueError, ["sizes[1]", "first"]),
    (
        lambda: cep.Network([4, 3, cep.Readout(2)], nudging="outside"),
        ValueError,
        ["outside", "readout", "inside"],
    ),
    (
        lambda: cep.Network([4, 3, cep.Readout(2)], loss="squared_error"),
        ValueError,
        ["readout", "cross_entropy", "squared_error"],
    ),
    (
        lambda: cep.Network([4, 3, 2], setting="real-time", nudging="inside"),
        ValueError,
        ["inside", "real-time", "ds/dt"],
    ),
    (lambda: cep.Network([4, 3, 2], connections=[(2, 1)]), ValueError, ["(2, 1)", "lower"]),
    (lambda: cep.Network([4, 3, 2], connections=[(1, 1)]), ValueError, ["(1, 1)", "itself"]),
    (lambda: cep.Network([4, 3, 2], connections=[(0, 1)]), ValueError, ["(0, 1)", "already"]),
    (lambda: cep.Network([4, 3, 2], connections=[(0, 7)]), ValueError, ["(0, 7)", "0 to 2"]),
    (lambda: cep.Network([4, 3, 2], connections=[(-1, 2)]), ValueError, ["(-1, 2)", "0 to 2"]),
    (
        lambda: cep.Network([4, 3, cep.Readout(2)], connections=[(0, 2)]),
        ValueError,
        ["(0, 2)", "0 to 1", "readout"],
    ),
    (lambda: cep.Network([4, 3, 2], connections=[(0, 2, 1)]), ValueError, ["pair", "(0, 2, 1)"]),
    (lambda: cep.Network([4, 3, 2], connections=3), TypeError, ["connections", "3"]),  # type: ignore[arg-type]
    (lambda: cep.Network([4, 3, 2], activation=["tanh"]), ValueError, ["activation", "1", "2"]),
    (
        lambda: cep.Network([4, 3, 2], activation=["tanh", "relu"]),
        ValueError,
        ["activation[1]", "relu"],
    ),
    (
        lambda: cep.Network([4, 3, 2], activation=["tanh", "tanh"], loss="cross_entropy"),
        ValueError,
        ["linear", "tanh"],
    ),
    (lambda: cep.Network([4, 3, 2], loss="hinge"), ValueError, ["loss", "hinge"]),
    (lambda: cep.Network([4, 3, 2], nudging="up"), ValueError, ["nudging", "up"]),
    (lambda: cep.Network([4, 3, cep.Readout(0)]), ValueError, ["0 units"]),
    (lambda: cep.Dense("9"), TypeError, ["units", "'9'"]),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_what_cannot_be_is_refused_in_a_sentence(number: int) -> None:
    call, kind, parts = WRONG[number]
    with pytest.raises(kind) as caught:
        call()
    message = str(caught.value)
    assert all(part in message for part in parts), message
    assert "\n" not in message
