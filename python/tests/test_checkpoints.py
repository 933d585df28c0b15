"""Checkpoints: contents, readers, refused files, and a full disk."""

import errno
import json
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from forged_files import forge
from small_runs import small
from snapshot import parameters, same

import cep
from cep.experiments import checkpoints
from cep.experiments.checkpoints import Checkpoint
from cep.io.tensor_files import CheckpointError
from cep.training.sources import Position

HISTORY = cep.History([0.5, 0.25], [0.1, 1 / 3], [0.5, 0.3], [0.2, 0.1], [1.5, 2.5])
POSITION = Position(41, 7, 0.1 + 0.2, 3.25)


def checkpoint(**changes: Any) -> Checkpoint:
    """A checkpoint of a briefly trained network that has drawn random numbers."""
    untied = {"feedback": "untied", "feedback_angle": 30, "beta_sign": "random"}
    configuration = small(hidden=[6, 5], learning_rates=[0.1, 0.1, 0.1], **untied | changes)
    net = configuration.make_network()
    (x, y), _ = configuration.load_data()
    for k in range(3):
        cep.train_batch(net, x[k : k + 5], y[k : k + 5], configuration.make_rule())
    return Checkpoint.of(net, configuration, HISTORY, POSITION)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "one.safetensors"
    checkpoints.save(path, checkpoint())
    return path


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_was_saved_is_loaded(dtype: str, tmp_path: Path) -> None:
    before = checkpoint(dtype=dtype)
    checkpoints.save(tmp_path / "c", before)
    after = checkpoints.load(tmp_path / "c")
    assert after.configuration == before.configuration
    assert after.history == HISTORY
    assert after.position == POSITION
    assert after.random_state == before.random_state
    assert set(after.parameters) == set(before.parameters)
    assert all(
        same([after.parameters[name]], [before.parameters[name]]) for name in after.parameters
    )
    net = after.make_network()
    assert repr(net) == repr(before.make_network())
    assert same(parameters(net), list(before.parameters.values()))
    assert (
        net.random_state == before.random_state != before.configuration.make_network().random_state
    )
    # It continues drawing where the other one would.
    (x, y), _ = before.configuration.load_data()
    other = before.make_network()
    for each in (net, other):
        for _ in range(9):
            cep.train_batch(each, x[:5], y[:5], before.configuration.make_rule())
    assert same(parameters(net), parameters(other))


def test_a_checkpoint_is_a_copy() -> None:
    net = small().make_network()
    history, position = cep.History(), Position()
    taken = Checkpoint.of(net, small(), history, position)
    net.weights[0][...] = 7
    history.train_error.append(1.0)
    position.batch = 5
    assert taken.parameters["weights.0"].max() < 1
    assert len(taken.history) == 0
    assert taken.position.batch == 0


def test_other_readers_can_read_it(saved: Path) -> None:
    """By the description of the format: the length of a JSON header, the header, the numbers."""
    content = saved.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__")
    net = checkpoint().make_network()
    expected = {f"weights.{k}": net.weights[k] for k in range(3)}
    expected |= {f"biases.{k}": net.biases[k] for k in range(3)}
    expected |= {f"feedback_weights.{k}": np.asarray(net.feedback_weights[k]) for k in (1, 2)}
    assert header.keys() == expected.keys()
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        assert entry["dtype"] == "F32"
        array = np.frombuffer(content[8 + length :][start:end], "<f4").reshape(entry["shape"])
        np.testing.assert_array_equal(array, expected[name])
    state = json.loads(metadata["state"])
    assert state["configuration"] == checkpoint().configuration.to_dict()
    assert (state["epoch"], state["best_epoch"], state["rule"]) == (2, 2, "C-EP")
    assert state["position"]["batch"] == 41
    assert len(state["random_state"]) == 4
    assert set(safetensors.numpy.load_file(saved)) == expected.keys()


@pytest.mark.parametrize("share", [0, 0.0005, 0.01, 0.3, 0.6, 0.9, 0.9999])
def test_truncated(saved: Path, share: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    with pytest.raises(
        CheckpointError, match=r"one\.safetensors.* not a complete safetensors file"
    ):
        checkpoints.load(saved)


def test_edited_anywhere(saved: Path) -> None:
    """One bit of any byte: in the header, the state, the numbers."""
    content = saved.read_bytes()
    generator = np.random.default_rng(0)
    for place in {*range(0, 9), len(content) - 1, *generator.integers(0, len(content), 300)}:
        changed = bytearray(content)
        changed[place] ^= 1 << int(generator.integers(8))
        saved.write_bytes(changed)
        with pytest.raises(CheckpointError, match=r"one\.safetensors"):
            checkpoints.load(saved)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a complete"),
        (b"PK\x03\x04 a PyTorch file" * 100, "not a complete"),
        (b"\x80\x04cos\nsystem\n(S'touch ran'\ntR." * 9, "not a complete"),
        (safetensors.numpy.save({"a": np.zeros(3)}), "not a checkpoint of cep.*found None"),
        (safetensors.numpy.save({"a": np.zeros(3)}, {"format": "pt"}), "found 'pt'"),
    ],
)
def test_foreign(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        checkpoints.load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state, tensors: tensors.pop("biases.1"), "expected the parameters"),
        (lambda state, tensors: tensors.update(more=np.zeros(2)), "expected the parameters"),
        (
            lambda state, tensors: tensors.update({"biases.0": np.zeros(7)}),
            "expected the parameter biases.0 to be of shape",
        ),
        (
            lambda state, tensors: tensors.update({"biases.0": np.zeros(6)}),
            "biases.0 is float64, the network float32",
        ),
        (lambda state, tensors: state.pop("random_state"), "random_state"),
        (lambda state, tensors: state.update(random_state=[0, 0, 0, 0]), "random_state"),
        (lambda state, tensors: state.update(random_state=[1, 2, 3]), "random_state"),
        (lambda state, tensors: state.update(random_state=7), "random_state"),
        (lambda state, tensors: state.update(epoch=5), "2.* entries, not 5"),
        (lambda state, tensors: state["history"].update(seconds=[1.0]), "entries"),
        (lambda state, tensors: state["history"].update(train_error="ab"), "train_error"),
        (lambda state, tensors: state["history"].update(train_error=["a", "b"]), "train_error"),
        (lambda state, tensors: state["history"].update(other=[]), "other"),
        (lambda state, tensors: state["position"].update(batch=-1), "batch"),
        (lambda state, tensors: state["position"].update(batch="1"), "batch"),
        (lambda state, tensors: state["position"].update(errors=-1), "errors"),
        (lambda state, tensors: state["position"].update(loss_sum="many"), "loss_sum"),
        (lambda state, tensors: state["position"].pop("errors"), "errors"),
        (lambda state, tensors: state["configuration"].update(beta="x"), "beta"),
        (lambda state, tensors: state["configuration"].pop("beta"), "lacks beta"),
        (lambda state, tensors: state.update(configuration=[]), "configuration"),
    ],
)
def test_whole_but_not_consistent(saved: Path, change: Any, message: str) -> None:
    forge(saved, lambda state, tensors: None)
    checkpoints.load(saved)  # The test's own premise.
    forge(saved, change)
    with pytest.raises(CheckpointError, match=message):
        checkpoints.load(saved)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        checkpoints.load(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        checkpoints.load(tmp_path)


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_failure_in_the_middle(
    saved: Path, function: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = saved.read_bytes()

    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(*((os, "fsync") if function == "fsync" else (Path, "replace")), full)
        with pytest.raises(OSError, match=r"No space left on device.* the old file is unchanged"):
            checkpoints.save(saved, checkpoint(seed=1))
        with pytest.raises(OSError, match="the file does not exist"):
            checkpoints.save(saved.with_name("new"), checkpoint(seed=1))
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_disk_that_is_full(saved: Path, run_script: Callable[..., str]) -> None:
    """The system refuses to write more in the middle of the file."""
    before = saved.read_bytes()
    output = run_script(
        """
import resource, signal, sys
from pathlib import Path
from cep import checkpoints
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
saved = checkpoints.load(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
try:
    checkpoints.save(path, saved)
except OSError as error:
    print(error)
print([each.name for each in path.parent.iterdir()])
""",
        saved,
    )
    assert "File too large" in output
    assert "the old file is unchanged" in output
    assert "['one.safetensors']" in output
    assert saved.read_bytes() == before


def test_without_safetensors(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    with pytest.raises(ImportError, match=r"pip install 'equilibrium-propagation\[experiments\]'"):
        checkpoints.load(saved)
