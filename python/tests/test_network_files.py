"""Networks in files: contents, readers, refused files."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from forged_files import forge, forge_state
from small_runs import small
from snapshot import fingerprint, parameters, same, states
from test_copies import LABELS, NETWORKS, RULE, X, trained

import cep
from cep import CheckpointError
from cep.experiments import checkpoints
from cep.training.sources import Position


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    trained(feedback="untied").save(path)
    return path


@pytest.mark.parametrize("options", NETWORKS.values(), ids=NETWORKS)
def test_what_was_saved_is_loaded(options: dict[str, Any], tmp_path: Path) -> None:
    net = trained(**options)
    before = fingerprint(net)
    net.save(tmp_path / "net")
    assert fingerprint(net) == before
    other = cep.load(tmp_path / "net")
    assert (other.sizes, other.options) == (net.sizes, net.options)
    assert states(other) == []
    for each in (net, other):
        for _ in range(9):
            cep.train_batch(each, X, LABELS, RULE)
    assert fingerprint(other) == fingerprint(net)


def test_any_seed_and_any_values_are_saved(tmp_path: Path) -> None:
    net = cep.Network([4, 3, 2], seed=2**64 - 1, dtype="float64")
    net.weights[0][0, :3] = np.nan, -np.inf, 5e-324
    net.save(str(tmp_path / "net"))
    other = cep.load(str(tmp_path / "net"))
    assert other.seed == 2**64 - 1
    assert same(parameters(other), parameters(net))


def test_others_read_the_parameters(saved: Path) -> None:
    net = trained(feedback="untied")
    expected = {f"weights.{k}": net.weights[k] for k in range(3)}
    expected |= {f"biases.{k}": net.biases[k] for k in range(3)}
    expected |= {f"feedback_weights.{k}": np.asarray(net.feedback_weights[k]) for k in (1, 2)}
    found = safetensors.numpy.load_file(saved)
    assert found.keys() == expected.keys()
    assert all(same([found[name]], [expected[name]]) for name in expected)


def test_a_checkpoint_gives_its_network(tmp_path: Path) -> None:
    configuration = small(dtype="float64", feedback="untied", seed=4)
    net = configuration.make_network()
    net.weights[0][...] = 0.25
    path = tmp_path / "last.safetensors"
    state = checkpoints.Checkpoint.of(net, configuration, cep.History(), Position())
    checkpoints.save(path, state)
    assert fingerprint(cep.load(path)) == fingerprint(net)


def test_a_network_is_no_checkpoint(saved: Path) -> None:
    with pytest.raises(CheckpointError, match=r"not a checkpoint.*found 'cep network 1'"):
        checkpoints.load(saved)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.9999])
def test_truncated(saved: Path, share: float) -> None:
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    with pytest.raises(
        CheckpointError, match=r"net\.safetensors is not a complete safetensors file"
    ):
        cep.load(saved)


def test_edited_anywhere(saved: Path) -> None:
    """One bit of any byte: in the header, the state, the numbers."""
    content = saved.read_bytes()
    generator = np.random.default_rng(0)
    for place in {*range(9), len(content) - 1, *generator.integers(0, len(content), 200)}:
        changed = bytearray(content)
        changed[place] ^= 1 << int(generator.integers(8))
        saved.write_bytes(changed)
        with pytest.raises(CheckpointError, match=r"net\.safetensors"):
            cep.load(saved)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a complete"),
        (b"\x80\x04cos\nsystem\n(S'touch ran'\ntR." * 9, "not a complete"),
        (safetensors.numpy.save({"a": np.zeros(3)}), "not a network or checkpoint.*found None"),
        (safetensors.numpy.save({"a": np.zeros(3)}, {"format": "pt"}), "found 'pt'"),
    ],
)
def test_foreign(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "foreign").write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        cep.load(tmp_path / "foreign")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state, tensors: tensors.pop("biases.1") is None, "expected the parameters"),
        (lambda state, tensors: tensors.update(more=np.zeros(2)), "expected the parameters"),
        (
            lambda state, tensors: tensors.update(more=tensors.pop("biases.1")),
            "expected the parameters of 3 connections, found 'more'",
        ),
        (
            lambda state, tensors: tensors.update({"biases.0": np.zeros(6)}),
            "biases.0 is float64, the network float32",
        ),
        (lambda state, tensors: state.update(sizes=[4, 10**9, 10**9, 2]), "expected the param"),
        (lambda state, tensors: state.update(sizes=["4", 6, 3, 2]), r"sizes\[0\].*integer"),
        (lambda state, tensors: state.update(sizes=7), "sizes must be a sequence"),
        (lambda state, tensors: state.update(random_state=[0, 0, 0, 0]), "zeros"),
        (lambda state, tensors: state.update(random_state=[1, 2, 3]), "random_state"),
        (lambda state, tensors: state["options"].update(clamp="no"), "clamp must be True or False"),
        (lambda state, tensors: state["options"].update(seed=None), "seed must be an integer"),
        (lambda state, tensors: state["options"].update(setting="x"), "setting"),
        (lambda state, tensors: state["options"].update(dt="fast"), "dt"),
        (lambda state, tensors: state["options"].update(dtype="nothing"), "nothing"),
        (lambda state, tensors: state["options"].update(more=1), "expected the options.*more"),
        (lambda state, tensors: state["options"].clear(), "expected the options"),
        (lambda state, tensors: state.update(options=[]), "options must be an object, got list"),
    ],
)
def test_whole_but_not_consistent(saved: Path, change: Any, message: str) -> None:
    forge(saved, lambda state, tensors: None)
    cep.load(saved)  # The test's own premise.
    forge(saved, change)
    with pytest.raises(CheckpointError, match=message):
        cep.load(saved)


def test_a_state_that_is_no_object(saved: Path) -> None:
    forge_state(saved, [1])
    with pytest.raises(CheckpointError, match="not a valid network"):
        cep.load(saved)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        cep.load(tmp_path / "nothing")


def test_a_failure_leaves_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = saved.read_bytes()

    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"No space left on device.* the old file is unchanged"):
            cep.Network([4, 3, 2]).save(saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_without_safetensors(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("safetensors", "safetensors.numpy"):
        monkeypatch.setitem(sys.modules, module, None)
    for call in (lambda: cep.load(saved), lambda: trained().save(saved)):
        with pytest.raises(ImportError, match=r"needs safetensors: .*\[experiments\]"):
            call()
