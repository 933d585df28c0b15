"""The engine moves and learns as the paper's own code: the recordings in shared/reference.

The recordings count layers from the output, the package from the input.
"""

import json
from typing import Any

import numpy as np
import pytest
from places import REFERENCE
from snapshot import feedback_weights

import cep

pytestmark = pytest.mark.once

RECORDINGS = (
    "ep-disc-1h",
    "ep-disc-1h-tanh-theorem",
    "ep-disc-2h",
    "ep-cont-1h-tanh",
    "cep-disc-1h",
    "cep-disc-2h",
    "cep-cont-1h-tanh",
    "cep-cont-2h-clamp-hardsigm",
    "cvf-cont-1h-tanh-angle45",
    "cvf-disc-1h-angle0",
    "cvf-disc-2h-angle45",
)
BATCHES = range(3)
TOLERANCES = {"float64": 1e-10, "float32": 1e-4}
ACTIVATIONS = {"sigm": "shifted_sigmoid", "hardsigm": "hard_sigmoid", "tanh": "tanh"}


class Recording:
    """One file, in the package's order: layers and connections from the input."""

    def __init__(self, name: str) -> None:
        path = REFERENCE / f"{name}.npz"
        if not path.is_file():
            pytest.skip(f"the recording {path} is missing")
        with np.load(path) as arrays:
            self.arrays = dict(arrays)
        self.meta: dict[str, Any] = json.loads(str(self.arrays["meta"]))
        self.connections = len(self.meta["sizes_output_first"]) - 1
        # The published prototypical vector field never learns the first hidden layer's bias.
        self.holds_first_bias = self.meta["rule"] == "vf" and self.meta["discrete"]

    def network(self, dtype: str) -> cep.Network:
        """A network with the initial parameters."""
        meta = self.meta
        net = cep.Network(
            meta["sizes_output_first"][::-1],
            setting="prototypical" if meta["discrete"] else "real-time",
            activation=ACTIVATIONS[meta["activation"]],
            feedback="untied" if meta["rule"] == "vf" else "tied",
            dtype=dtype,
            dt=meta["dt"],
            clamp=meta["clamp"],
        )
        for array, recorded in self.parameters(net, "initial"):
            array[...] = recorded
        return net

    def rule(self) -> cep.EP | cep.CEP:
        meta = self.meta
        kind = cep.CEP if meta["continual"] else cep.EP
        rates = meta["lr_output_first"][::-1]
        bias_rates = [0, *rates[1:]] if self.holds_first_bias else None
        return kind(meta["T"], meta["K"], meta["beta"], rates, bias_learning_rates=bias_rates)

    def holds_fixed(self, key: str) -> bool:
        return self.holds_first_bias and key.endswith(f"w{2 * (self.connections - 1)}/bias")

    def batch(self, number: int) -> tuple[Any, Any]:
        return self.arrays[f"batch{number}/x"], self.arrays[f"batch{number}/y"]

    def parameters(self, net: cep.Network, moment: str) -> list[tuple[Any, Any]]:
        """Views of the network's parameters, each with its recording."""
        pairs = []
        for k in range(self.connections):
            recorded = f"{moment}/w{2 * (self.connections - 1 - k)}"
            pairs.append((net.weights[k], self.arrays[f"{recorded}/weight"]))
            pairs.append((net.biases[k], self.arrays[f"{recorded}/bias"]))
        for k, feedback in enumerate(feedback_weights(net), start=1):
            recorded = f"{moment}/w{2 * (self.connections - 1 - k) + 1}"
            pairs.append((feedback, self.arrays[f"{recorded}/weight"]))
        return pairs

    def states(self, net: cep.Network, moment: str) -> list[tuple[Any, Any]]:
        """Views of the network's states except the input, each with its recording."""
        layers = range(1, self.connections + 1)
        return [
            (net.states[layer], self.arrays[f"{moment}/s{self.connections - layer}"])
            for layer in layers
        ]


def assert_close(pairs: list[tuple[Any, Any]], dtype: str) -> None:
    for array, recorded in pairs:
        assert array.dtype == dtype
        assert array.shape == recorded.shape
        assert np.abs(array - recorded).max() <= TOLERANCES[dtype]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", RECORDINGS)
def test_training_follows_the_recording(name: str, dtype: str) -> None:
    recording = Recording(name)
    net, rule = recording.network(dtype), recording.rule()
    for number in BATCHES:
        x, y = recording.batch(number)
        net.free_phase(x, rule.free_steps)
        assert_close(recording.states(net, f"batch{number}/free"), dtype)

        result = cep.train_batch(net, x, y, rule)
        recorded_loss = recording.arrays[f"batch{number}/loss"]
        assert abs(result.loss - recorded_loss) <= TOLERANCES[dtype]
        assert_close(recording.states(net, f"batch{number}/nudged"), dtype)
        assert_close(recording.parameters(net, f"batch{number}/after"), dtype)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", [name for name in RECORDINGS if name.startswith("ep-")])
def test_phases_by_hand_follow_the_recording(name: str, dtype: str) -> None:
    recording = Recording(name)
    net, rule = recording.network(dtype), recording.rule()
    for number in BATCHES:
        x, y = recording.batch(number)
        net.free_phase(x, rule.free_steps)
        net.nudged_phase(y, rule.beta, rule.nudged_steps)
        assert_close(recording.states(net, f"batch{number}/nudged"), dtype)
        for array, recorded in recording.parameters(net, f"batch{number}/after"):
            array[...] = recorded


@pytest.mark.parametrize("name", RECORDINGS)
def test_recordings_move_more_than_the_tolerance(name: str) -> None:
    """Otherwise an engine that does nothing would pass the comparisons above.

    In float32 some parameters move less than the tolerance, so this test uses float64.
    """
    recording = Recording(name)
    for number in BATCHES:
        before, after = (
            "initial" if number == 0 else f"batch{number - 1}/after",
            f"batch{number}/after",
        )
        for key in recording.arrays:
            if key.startswith(f"{before}/") and not recording.holds_fixed(key):
                moved = recording.arrays[key.replace(before, after, 1)] - recording.arrays[key]
                assert np.abs(moved).max() > 1000 * TOLERANCES["float64"]
        free, nudged = (
            recording.arrays[f"batch{number}/{phase}/s0"] for phase in ("free", "nudged")
        )
        assert np.abs(nudged - free).max() > 10 * TOLERANCES["float32"]
