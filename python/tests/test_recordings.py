"""States, gradients and parameters recorded from the code of Laborieux et al. (2021)."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from places import CONVOLUTION_REFERENCE

import cep

RECORDINGS = {
    "mlp-ep-squared-error",
    "mlp-ep-cross-entropy",
    "vf-mlp-ep-squared-error",
    "cnn-ep-max-pool",
    "cnn-ep-average-pool-padding",
    "cnn-ep-stride-no-pool",
    "cnn-ep-cross-entropy-readout",
    "cnn-ep-momentum-weight-decay",
    "cnn-ep-adam",
    "cnn-c-ep-max-pool",
    "cnn-bptt-max-pool",
    "vf-cnn-ep-max-pool",
    "vf-cnn-ep-same-update",
}
TOLERANCES = {"float64": 1e-9, "float32": 1e-4}
POOLS = {"m": "max", "a": "average", "i": None}


@pytest.fixture(scope="module")
def folder() -> Path:
    if not CONVOLUTION_REFERENCE.is_dir():
        pytest.skip(f"the recordings are not in {CONVOLUTION_REFERENCE}")
    return CONVOLUTION_REFERENCE


class Recording:
    """A recording, and the network at its start."""

    def __init__(self, path: Path, dtype: str) -> None:
        self.arrays = np.load(path)
        self.meta: dict[str, Any] = json.loads(str(self.arrays["meta"]))
        meta = self.meta
        layers = self.layers()
        self.untied = meta["model"].startswith("vf")
        activation: Any = meta["activation"]
        options: dict[str, Any] = {}
        if meta["loss"] == "cross-entropy":
            activation = [activation] * (len(layers) - 2) + ["linear"]
            options["loss"] = "cross_entropy"
        self.net = cep.Network(
            layers,
            activation=activation,
            nudging="inside",
            feedback="untied" if self.untied else "tied",
            dtype=dtype,
            seed=0,
            **options,
        )
        for name, array in self.parameters().items():
            array[...] = self.arrays[f"initial/{name}"]
        self.rule = self.make_rule()

    def layers(self) -> list[Any]:
        """The layers of the network."""
        meta = self.meta
        if "sizes" in meta:
            return meta["sizes"]
        size = meta["in_size"]
        layers: list[Any] = [cep.Input(meta["channels"][0], size, size)]
        layers += [
            cep.Conv2d(channels, kernel, stride, padding, POOLS[pool])
            for channels, kernel, stride, padding, pool in zip(
                meta["channels"][1:],
                meta["kernels"],
                meta["strides"],
                meta["paddings"],
                meta["pools"],
                strict=True,
            )
        ]
        dense: list[Any] = list(meta["fc"])
        if meta["loss"] == "cross-entropy-readout":
            dense[-1] = cep.Readout(dense[-1])
        return layers + dense

    def make_rule(self) -> cep.LearningRule:
        """The learning rule, with its optimizer."""
        meta = self.meta
        optimizer: Any = cep.SGD(
            momentum=meta.get("momentum", 0.0), weight_decay=meta.get("weight_decays", 0.0)
        )
        if meta.get("optimizer") == "adam":
            optimizer = cep.Adam()
        rates = meta["learning_rates"][: len(self.net.edges)]
        if meta["rule"] == "bptt":
            steps = meta["free_steps"]
            return cep.BPTT(steps, meta["nudged_steps"], learning_rates=rates, optimizer=optimizer)
        phases = (meta["free_steps"], meta["nudged_steps"], meta["beta"], rates)
        sign = "symmetric" if meta.get("symmetric") else "fixed"
        if meta["rule"] == "c-ep":
            return cep.CEP(*phases, optimizer=optimizer)
        update = "shared" if meta.get("same_update") else "own"
        return cep.EP(*phases, beta_sign=sign, optimizer=optimizer, feedback_update=update)

    def parameters(self, of: Any = None) -> dict[str, NDArray[Any]]:
        """The parameters of the network, or a gradient, by their names in the recording."""
        source = of or self.net
        named = {}
        for k in range(len(self.net.edges)):
            named[f"synapses.{k}.weight"] = source.weights[k]
            named[f"synapses.{k}.bias"] = source.biases[k]
            if self.untied and k > 0:
                feedback = source.feedback_weights[k]
                is_transposed = self.meta["model"] == "vf-cnn" and feedback.ndim == 2
                named[f"B_syn.{k - 1}.weight"] = feedback.T if is_transposed else feedback
        return named


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", sorted(RECORDINGS))
def test_states_gradients_and_parameters_equal_the_recording(
    folder: Path, name: str, dtype: str
) -> None:
    recording = Recording(folder / f"{name}.npz", dtype)
    net, arrays, meta = recording.net, recording.arrays, recording.meta
    compared = set()

    def compare(found: NDArray[Any], key: str) -> None:
        expected = arrays[key].reshape(found.shape)
        np.testing.assert_allclose(found, expected, rtol=0, atol=TOLERANCES[dtype], err_msg=key)
        compared.add(key)

    def compare_states(phase: str) -> None:
        for layer in range(1, len(net.states)):
            compare(net.states[layer], f"{phase}/{layer - 1}")

    for k in range(meta["batches"]):
        batch = f"batch{k}"
        x, y = arrays[f"{batch}/x"], arrays[f"{batch}/y"]
        net.free_phase(x, meta["free_steps"])
        compare_states(f"{batch}/free")
        if meta["rule"] == "ep":
            net.nudged_phase(y, meta["beta"], meta["nudged_steps"])
            compare_states(f"{batch}/nudged")
        if meta.get("symmetric"):
            net.free_phase(x, meta["free_steps"])
            net.nudged_phase(y, -meta["beta"], meta["nudged_steps"])
            compare_states(f"{batch}/nudged_minus")
        if f"{batch}/gradient/synapses.0.weight" in arrays:
            estimate = cep.gradient(net, x, y, recording.rule)
            for key, array in recording.parameters(estimate).items():
                compare(array, f"{batch}/gradient/{key}")
        cep.train_batch(net, x, y, recording.rule)
        if f"{batch}/nudged/0" in arrays and meta["rule"] == "c-ep":
            compare_states(f"{batch}/nudged")
        for key, array in recording.parameters().items():
            compare(array, f"{batch}/after/{key}")
    recorded = {
        key for key in arrays.files if key.startswith("batch") and key[-2:] not in ("/x", "/y")
    }
    assert compared == recorded


def test_all_recordings_are_compared(folder: Path) -> None:
    assert {path.stem for path in folder.glob("*.npz")} == RECORDINGS


@pytest.mark.parametrize("name", ["mlp-ep-squared-error", "cnn-ep-max-pool"])
def test_the_theorem_curves_equal_the_recording(folder: Path, name: str) -> None:
    recording = Recording(folder / f"{name}.npz", "float64")
    net, arrays, meta = recording.net, recording.arrays, recording.meta
    x, y = arrays["batch0/x"], arrays["batch0/y"]
    steps = len(arrays["theorem/ep/synapses.0.weight"])
    report = cep.gdu_check(net, x, y, meta["free_steps"], steps, meta["beta"])
    compared = set()
    for side in ("ep", "bptt"):
        for k, _ in enumerate(pairwise(net.shapes)):
            for kind, curves in (("weight", report.weights[k]), ("bias", report.biases[k])):
                key = f"theorem/{side}/synapses.{k}.{kind}"
                mine = -(curves.updates if side == "ep" else curves.gradients)
                np.testing.assert_allclose(mine, arrays[key], rtol=0, atol=1e-9, err_msg=key)
                compared.add(key)
            neurons = report.states[k + 1]
            assert neurons is not None
            key = f"theorem/{side}/neurons_{k}"
            mine = neurons.updates if side == "ep" else neurons.gradients
            recorded = arrays[key]
            if recorded.ndim == mine.ndim + 1:
                recorded = recorded.sum(axis=1) / len(x)
            np.testing.assert_allclose(mine, recorded, rtol=0, atol=1e-9, err_msg=key)
            compared.add(key)
    assert compared == {key for key in arrays.files if key.startswith("theorem/")}
