"""Experiments on images of one's own in an .npz file: trained, swept, killed and resumed."""

import csv
import importlib
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from small_runs import kept
from snapshot import same

import cep
from cep.cli import cep as command

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("workers")]

SAMPLES = {"": 300, "_test": 90}
OPTIONS = ("--hidden", "32", "--rule", "ep", "--free-steps", "12", "--nudged-steps", "4", "--beta",
           "0.5", "--learning-rates", "0.1,0.05", "--no-progress")  # fmt: skip


def arrays() -> dict[str, Any]:
    """Images of ten kinds of clothes: a bright rectangle of a size each, with noise, as bytes."""
    random = np.random.default_rng(0)
    found = {}
    for suffix, count in SAMPLES.items():
        y = np.arange(count, dtype=np.uint8) % 10
        x = random.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        for image, kind in zip(x, y, strict=True):
            image[4 : 6 + 2 * kind, 4 : 24 - kind] += 180
        found |= {f"x{suffix}": x, f"y{suffix}": y}
    return found


@pytest.fixture
def clothes(tmp_path: Path) -> Path:
    np.savez(tmp_path / "clothes.npz", **arrays())
    return tmp_path / "clothes.npz"


def cep_command(*arguments: object) -> str:
    result = CliRunner().invoke(command, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return result.stdout


def assert_described(fingerprint: Mapping[str, Any], configuration: cep.Configuration) -> None:
    """Name, sizes and classes are those of the file."""
    assert fingerprint["name"] == configuration.data == "clothes"
    assert fingerprint["classes"] == configuration.classes == 10
    assert configuration.inputs == (1, 28, 28)
    assert fingerprint["shapes"] == {
        "train": [[300, 1, 28, 28], [300]], "test": [[90, 1, 28, 28], [90]]
    }  # fmt: skip
    assert len(fingerprint["sha256"]) == 64


def test_train_and_watch_in_tensorboard(clothes: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    out = cep_command("train", "--data", clothes, *OPTIONS, "--epochs", 8, "--run-dir", run,
                      "--tensorboard")  # fmt: skip
    assert "clothes: 300 to learn, 0.1 of them to validate, 90 to test" in out
    directory = cep.RunDirectory(run)
    assert_described(directory.data(), directory.configuration())
    assert directory.configuration().make_network().sizes == (784, 32, 10)
    # Rectangles are easy: far below the 90 % of chance.
    assert directory.status().test_error is not None
    assert directory.status().test_error < 0.3
    loader: Any = importlib.import_module("tensorboard.backend.event_processing.event_file_loader")
    (events,) = (run / "tensorboard").iterdir()
    found: dict[str, list[float]] = {}
    for event in loader.LegacyEventFileLoader(str(events)).Load():
        for value in event.summary.value:
            found.setdefault(value.tag, []).append(value.simple_value)
    history = directory.history()
    for name in ("train_loss", "validation_error", "validation_loss"):
        assert found[name] == pytest.approx(getattr(history, name))
    assert not any(name.startswith("test") for name in found)


def test_sweep(clothes: Path, tmp_path: Path) -> None:
    place = tmp_path / "sweep"
    arguments = (
        "sweep",
        "--data",
        clothes,
        *OPTIONS,
        "--epochs",
        2,
        "--jobs",
        1,
        "--run-dir",
        place,
    )
    cep_command(*arguments, "--param", "seed=0:2")
    fingerprints = []
    for name in ("seed=0", "seed=1"):
        directory = cep.RunDirectory(place / name)
        assert_described(directory.data(), directory.configuration())
        fingerprints.append(directory.data()["sha256"])
    # The file has a test set, so that all seeds have the same data.
    assert fingerprints[0] == fingerprints[1]
    assert json.loads((place / "sweep.json").read_text())["data"]["sha256"] == fingerprints[0]
    with (place / "results.csv").open(newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["finished", "finished"]
    # One pixel more is other data.
    changed = arrays()
    changed["x"][7, 3, 3] += 1
    np.savez(clothes, **changed)
    refused = CliRunner().invoke(command, [*map(str, arguments), "--param", "seed=0:3"])
    assert refused.exit_code == 1
    assert "other data" in str(refused.output)
    assert not (place / "seed=2").exists()


def test_resumed_after_sigkill(clothes: Path, tmp_path: Path) -> None:
    """The results are equal bit for bit on the same machine."""
    arguments = ["train", "--data", str(clothes), *OPTIONS, "--epochs", "30", "--run-dir"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    cep_command(*arguments, whole)
    running = subprocess.Popen(
        [sys.executable, "-m", "cep", *arguments, str(killed), "--checkpoint-every", "2"],
        stdout=subprocess.DEVNULL,
    )
    while running.poll() is None and not (killed / "best.safetensors").exists():
        time.sleep(0.002)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert cep.RunDirectory(killed).status().status == "unfinished"
    cep_command("train", "--resume", killed, "--no-progress")
    runs = [cep.RunDirectory(path) for path in (whole, killed)]
    assert runs[0].data() == runs[1].data()
    assert_described(runs[1].data(), runs[1].configuration())
    assert runs[0].configuration() == runs[1].configuration()
    assert same(kept(whole), kept(killed))
    assert runs[0].history().train_loss == runs[1].history().train_loss
    assert runs[0].status() == runs[1].status()
