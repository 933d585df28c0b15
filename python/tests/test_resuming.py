"""A run that is killed at any moment and resumed equals an uninterrupted one, bit for bit."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import files, fitted, small, without_times
from snapshot import parameters, same

import cep
from cep.experiments import RunDirectory, checkpoints
from cep.experiments.comparison import on_disk
from cep.reproduction.series import Series

pytestmark = pytest.mark.once

# Epochs long enough to be killed in the middle.
SLOW: dict[str, Any] = {"hidden": [128], "free_steps": 60, "nudged_steps": 20, "epochs": 5}
VARIANTS: dict[str, dict[str, Any]] = {
    "C-EP, random sign": {"beta_sign": "random"},
    "C-VF, random sign": {"beta_sign": "random", "feedback": "untied", "feedback_angle": 40},
    "EP, symmetric": {"rule": "ep", "beta_sign": "symmetric"},
    "VF, float64, records": {
        "rule": "ep",
        "feedback": "untied",
        "dtype": "float64",
        "accumulate": True,
        "diagnostics_every": 25,
    },
}
PROGRAM = """
import sys, cep
configuration = cep.Configuration.from_json(sys.argv[1])
cep.run(configuration, sys.argv[2], resume=True, checkpoint_every=5, progress=False)
"""


def start(configuration: cep.Configuration, directory: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, configuration.to_json(), str(directory)]
    )


def wait_for_a_new_checkpoint(process: "subprocess.Popen[bytes]", path: Path) -> None:
    before = path.stat().st_mtime_ns if path.exists() else 0
    while process.poll() is None and (not path.exists() or path.stat().st_mtime_ns == before):
        time.sleep(0.002)


@pytest.mark.parametrize(
    "variant",
    [
        pytest.param(variant, marks=[pytest.mark.slow] * (variant != "C-EP, random sign"))
        for variant in VARIANTS
    ],
)
def test_killed_and_resumed(variant: str, tmp_path: Path) -> None:
    configuration = small(**SLOW | VARIANTS[variant])
    directory = RunDirectory(tmp_path / "run")
    generator = np.random.default_rng(list(variant.encode()))
    middles = 0
    for _ in range(3):
        process = start(configuration, directory.path)
        wait_for_a_new_checkpoint(process, directory.last)
        time.sleep(generator.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the test's own premise: it was not done yet"
        assert directory.status()[0] == "unfinished"
        middles += checkpoints.load(directory.last).position.batch > 0
    assert middles > 0, "the test's own premise: some epoch was cut in two"
    result = cep.run(configuration, directory.path, resume=True, progress=False)

    expected, history = fitted(configuration)
    assert same(parameters(result.network), expected)
    assert same(parameters(checkpoints.load(directory.last).make_network()), expected)
    assert without_times(result.history) == without_times(history)
    assert without_times(directory.history()) == without_times(history)
    uninterrupted = cep.run(configuration, progress=False)
    assert json.dumps(result.records) == json.dumps(uninterrupted.records)
    assert json.dumps(directory.records()) == json.dumps(uninterrupted.records)


def test_killed_before_the_first_checkpoint(tmp_path: Path) -> None:
    configuration = small(**SLOW)
    with RunDirectory(tmp_path).opened(configuration, {}, resume=False):
        pass
    result = cep.run(configuration, tmp_path, resume=True, progress=False)
    assert same(parameters(result.network), fitted(configuration)[0])


def test_killed_while_saving(tmp_path: Path) -> None:
    """A partially written file is removed, and never read."""

    def stop(history: cep.History) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        cep.run(small(), tmp_path, progress=False, on_epoch_end=stop)
    left = tmp_path / ".last.safetensors.123.456.part"
    left.write_bytes(b"half a checkpoint")
    result = cep.run(small(), tmp_path, resume=True, progress=False)
    assert not left.exists()
    assert same(parameters(result.network), fitted(small())[0])


def test_a_disk_that_fills_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run ends with the error; saved files are complete, and the run can be resumed."""
    configuration = small(beta_sign="random")
    calls = 0
    original = os.fsync

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 60:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        original(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(OSError, match=r"could not be written \(No space left on device\)"):
            cep.run(configuration, tmp_path, checkpoint_every=3, progress=False)
    saved = checkpoints.load(tmp_path / "last.safetensors")
    assert (len(saved.history), saved.position.batch) > (0, 0)
    result = cep.run(configuration, tmp_path, resume=True, progress=False)
    assert same(parameters(result.network), fitted(configuration)[0])


def tear(metrics: Path) -> None:
    """Cut off the end of the last line."""
    metrics.write_bytes(metrics.read_bytes()[:-20])


def empty(metrics: Path) -> None:
    metrics.write_bytes(b"")


def spoil(metrics: Path) -> None:
    metrics.write_bytes(b"no JSON\n" + metrics.read_bytes())


def many(
    configurations: dict[str, cep.Configuration], directory: Path
) -> dict[str, cep.RunOutcome]:
    return cep.run_many(configurations, directory, jobs=1, progress=False)


LOSSES: list[Callable[[Path], None]] = [tear, empty, Path.unlink, spoil]


@pytest.mark.parametrize("lose", LOSSES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"epochs": 30, "patience": 1, "validation_fraction": 0.1},
        {"learning_rate_schedule": [(2, 1e30)]},
    ],
    ids=["finished", "patience", "diverged"],
)
def test_lost_metrics_of_a_run_that_ended_are_written_again(
    changes: dict[str, Any], lose: Callable[[Path], None], tmp_path: Path
) -> None:
    configuration, place = small(**changes), tmp_path / "row" / "seed-0"
    metrics = place / "metrics.jsonl"
    first = cep.run(configuration, place, progress=False)
    assert len(first.history) > 0
    whole = metrics.read_bytes()

    lose(metrics)
    again = cep.run(configuration, place, resume=True, progress=False)
    assert (again.history, again.stop_reason) == (first.history, first.stop_reason)
    assert metrics.read_bytes() == whole

    lose(metrics)
    (outcome,) = many({"row/seed-0": configuration}, tmp_path).values()
    assert (outcome.history, outcome.stop_reason) == (first.history, first.stop_reason)
    assert metrics.read_bytes() == whole

    lose(metrics)
    assert on_disk(RunDirectory(place)).history == first.history
    (read,) = Series("row", configuration).ended(tmp_path)
    assert read.history == first.history


@pytest.mark.parametrize("lose", LOSSES)
def test_lost_metrics_without_a_checkpoint_are_no_result(
    lose: Callable[[Path], None], tmp_path: Path
) -> None:
    place, configuration = tmp_path / "row" / "seed-0", small()
    cep.run(configuration, place, progress=False)
    (place / "last.safetensors").unlink()
    read = Series("row", configuration)
    assert len(read.ended(tmp_path)) == 1
    lose(place / "metrics.jsonl")
    before = files(tmp_path)
    with pytest.raises(ValueError, match=r"metrics\.jsonl"):
        read.ended(tmp_path)
    with pytest.raises(ValueError, match=r"metrics\.jsonl"):
        on_disk(RunDirectory(place))
    with pytest.raises(ValueError, match=r"metrics\.jsonl"):
        cep.run(configuration, place, resume=True, progress=False)
    assert files(tmp_path) == before
    (outcome,) = many({"row/seed-0": configuration}, tmp_path).values()
    assert (outcome.stop_reason, len(outcome.history)) == ("failed", 0)
    assert "metrics.jsonl" in outcome.message


def test_lines_are_on_the_disk_before_the_checkpoint_that_counts_on_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a power failure, which leaves the last synchronised content of each file."""
    durable: dict[str, bytes] = {}
    original = os.fsync

    def fsync(descriptor: int) -> None:
        original(descriptor)
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if path.is_file():
            durable[re.sub(r"^\.|\.\d+\.\d+\.part$", "", path.name)] = path.read_bytes()

    monkeypatch.setattr(os, "fsync", fsync)
    seen: list[list[int]] = []

    def look(history: cep.History) -> None:
        kinds = ("metrics.jsonl", "records.jsonl")
        seen.append([len(durable[kind].splitlines()) for kind in kinds])

    cep.run(small(diagnostics_every=30), tmp_path, progress=False, on_epoch_end=look)
    assert seen == [[1, 3], [2, 6], [3, 9]]


def command(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "cep", "train", "--no-progress", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("no_pictures_in_children")
@pytest.mark.parametrize(
    ("number", "name", "status", "is_resumed"),
    [
        pytest.param(signal.SIGINT, "Ctrl-C", 130, False, marks=pytest.mark.slow),
        (signal.SIGTERM, "SIGTERM", 143, True),
    ],
)
def test_a_signal_saves_and_shows_how_to_continue(
    number: signal.Signals, name: str, status: int, is_resumed: bool, tmp_path: Path
) -> None:
    folder = str(tmp_path / "run")
    # Wide enough for an epoch to take longer than the delivery of a signal.
    options = ["--hidden", "256,128", "--learning-rates", "0.01", "--epochs", "3"]
    options += ["--dtype", "float64", "--beta-sign", "random", "--validation-fraction", "0"]
    running = command(*options, "--run-dir", folder)
    assert running.stdout is not None
    while not re.match(r" *1 ", running.stdout.readline()):
        assert running.poll() is None, "it ended before the first epoch"
    time.sleep(0.1)
    running.send_signal(number)
    _, err = running.communicate(timeout=30)
    assert running.returncode == status
    assert f"stopped by {name}; continue with: cep train --resume {folder}" in err
    assert "Traceback" not in err
    directory = RunDirectory(folder)
    assert directory.status()[:2] == ("interrupted", f"stopped by {name}")
    saved = checkpoints.load(directory.last)
    # Within the second epoch, before its end.
    assert len(saved.history) == 1
    assert saved.position.batch < 72

    if not is_resumed:
        return
    resumed = command("--resume", folder)
    out, err = resumed.communicate(timeout=60)
    assert (resumed.returncode, err) == (0, "")
    assert re.findall(r"^ *(\d+)  ", out, re.MULTILINE) == ["2", "3"]
    assert directory.status()[0] == "finished"
    assert same(
        parameters(checkpoints.load(directory.last).make_network()),
        fitted(directory.configuration())[0],
    )


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_signal_ends_an_evaluation_at_once(
    number: signal.Signals,
    error: type[BaseException],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An evaluation of many images with many steps takes minutes."""
    configuration = small(validation_fraction=0.1, beta_sign="random")
    evaluations = 0

    def evaluate(net: cep.Network, data: Any, steps: int) -> Any:
        nonlocal evaluations
        evaluations += 1
        if evaluations == 4:  # Of the test data after the second epoch.
            os.kill(os.getpid(), number)
        return cep.evaluate(net, data, steps)

    monkeypatch.setattr("cep.training.loop.evaluate", evaluate)
    with pytest.raises(error):
        cep.run(configuration, tmp_path / "run", progress=False)
    assert evaluations == 4
    directory = RunDirectory(tmp_path / "run")
    assert directory.status()[0] == "interrupted"
    saved = checkpoints.load(directory.last)
    # All batches of the second epoch, of 1293 samples in batches of 20, but nothing of its metrics.
    assert (len(saved.history), saved.position.batch) == (1, 65)
    resumed = cep.run(configuration, tmp_path / "run", progress=False, resume=True)
    # What had been validated is evaluated once more: two, and two of the third epoch.
    assert evaluations == 8
    whole = cep.run(configuration, progress=False)
    assert without_times(resumed.history) == without_times(whole.history)
    assert same(parameters(resumed.network), parameters(whole.network))


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_closed_output_ends_a_saved_run(unbuffered: str, tmp_path: Path) -> None:
    """As by head, which reads a few lines."""
    folder = str(tmp_path / "run")
    options = ["--hidden", "16", "--epochs", "300", "--no-progress", "--run-dir", folder]
    running = subprocess.Popen(
        [sys.executable, "-m", "cep", "train", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )
    assert running.stdout is not None
    assert running.stderr is not None
    while not re.match(r" *2 ", running.stdout.readline()):
        assert running.poll() is None, "it ended before the second epoch"
    running.stdout.close()
    assert running.stderr.read() == ""
    assert running.wait(timeout=60) == 128 + signal.SIGPIPE
    running.stderr.close()
    directory = RunDirectory(folder)
    assert directory.status()[:2] == ("interrupted", "standard output was closed")
    epochs = len(directory.history())
    assert 2 < epochs < 300
    saved = checkpoints.load(directory.last)
    assert (len(saved.history), saved.position.batch) == (epochs, 0)


def test_closed_output_before_the_run(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    cep.run(small(epochs=1), tmp_path / "other", progress=False)
    for arguments in (["train", "--run-dir", str(tmp_path / "run")], ["runs"]):
        done = subprocess.run(
            [sys.executable, "-m", "cep", *arguments],
            cwd=tmp_path,
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (141, "")
    os.close(write)
    assert not (tmp_path / "run").exists()


def test_a_program_that_is_terminated_has_saved(tmp_path: Path) -> None:
    """`cep.run` in a program without signal handlers."""
    configuration = small(**SLOW | {"epochs": 10_000})
    directory = RunDirectory(tmp_path / "run")
    process = start(configuration, directory.path)
    wait_for_a_new_checkpoint(process, directory.last)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 143
    assert directory.status()[:2] == ("interrupted", "stopped by SIGTERM")
    assert checkpoints.load(directory.last).position.batch > 0


def test_an_uninterrupted_run_does_not_depend_on_its_checkpoints(tmp_path: Path) -> None:
    configuration = small(beta_sign="random")
    expected, history = fitted(configuration)
    for every in (1, 7, 1000):
        result = cep.run(
            configuration, tmp_path / str(every), checkpoint_every=every, progress=False
        )
        assert same(parameters(result.network), expected)
        assert without_times(result.history) == without_times(history)


def test_checkpoints_come_with_time_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = []
    original = checkpoints.save

    def save(path: Path, checkpoint: checkpoints.Checkpoint) -> None:
        if path.name == "last.safetensors":
            saved.append(checkpoint.position.batch)
        original(path, checkpoint)

    monkeypatch.setattr(checkpoints, "save", save)
    # Training reads the clock every 20 ms; this epoch takes at least ten times as long.
    monkeypatch.setattr("cep.experiments.checkpointing._SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    configuration = small(epochs=1, hidden=[256, 256], learning_rates=0.01, free_steps=20)
    result = cep.run(configuration, tmp_path, progress=False)
    assert any(0 < batch < 72 for batch in saved)
    assert sum(batch == 0 for batch in saved) == 1
    assert same(parameters(result.network), fitted(configuration)[0])


def test_batches_longer_than_the_time_between_checkpoints_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cep.experiments.checkpointing._SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    configuration = small(
        epochs=1, hidden=[128, 128], learning_rates=0.01, free_steps=60, batch_size=720
    )
    result = cep.run(configuration, tmp_path, progress=False)
    assert same(parameters(result.network), fitted(configuration)[0])


def test_other_data_than_at_the_beginning(tmp_path: Path) -> None:
    configuration = small()
    with pytest.raises(InterruptedError):
        cep.run(configuration, tmp_path, progress=False, on_epoch_end=_interrupt)
    before = files(tmp_path)
    (x, y), test = configuration.load_data()
    changed = x.copy()
    changed[-1, -1] += 0.25
    for data, word in ((((x[:1000], y[:1000]), test), "shapes"), (((changed, y), test), "sha256")):
        with pytest.raises(ValueError, match=f"a run on other data: their {word} is"):
            cep.run(configuration, tmp_path, data=data, resume=True, progress=False)
    assert files(tmp_path) == before
    # As after its end.
    result = cep.run(configuration, tmp_path, resume=True, progress=False)
    before = files(tmp_path)
    with pytest.raises(ValueError, match="a run on other data"):
        cep.run(configuration, tmp_path, data=((changed, y), test), resume=True, progress=False)
    assert files(tmp_path) == before
    same_data = {"train": (x, y), "test": test}
    again = cep.run(configuration, tmp_path, data=same_data, resume=True, progress=False)
    assert again.test_error == result.test_error


def _interrupt(history: cep.History) -> None:
    raise InterruptedError
