"""Many runs: each equals a single run, a failure ends no other run, and none is repeated."""

import contextlib
import importlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import psutil
import pytest
from dataset_files import fake_mnist, write_mnist
from joblib.externals.loky import get_reusable_executor
from joblib.parallel import ThreadingBackend
from small_runs import files, fitted, kept, small, without_times
from snapshot import same

import cep
from cep.experiments import RunDirectory

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("workers")]

THREE = {
    "plain": small(),
    "random/seed 1": small(beta_sign="random", seed=1),
    "random/seed 2": small(beta_sign="random", seed=2, feedback="untied"),
}
# Long enough to be killed or interrupted in the middle.
LONG: dict[str, Any] = {"hidden": [128], "free_steps": 60, "nudged_steps": 20, "epochs": 15}


def run_many(configurations: Any, directory: Any, **options: Any) -> dict[str, cep.RunOutcome]:
    return cep.run_many(configurations, directory, **{"progress": False, "jobs": 2, **options})


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_run_is_what_it_is_alone(jobs: int, tmp_path: Path) -> None:
    outcomes = run_many(THREE, tmp_path, jobs=jobs)
    assert list(outcomes) == list(THREE)
    for name, configuration in THREE.items():
        alone = cep.run(configuration, progress=False)
        outcome = outcomes[name]
        assert same(kept(tmp_path / name), [*alone.network.parameters()])
        assert without_times(outcome.history) == without_times(alone.history)
        for figure in ("stop_reason", "message", "test_error", "train_error", "best_epoch"):
            assert getattr(outcome, figure) == getattr(alone, figure)
        assert outcome.seconds == sum(RunDirectory(tmp_path / name).history().seconds)
        assert (outcome.name, outcome.configuration) == (name, configuration)
        assert outcome.directory == tmp_path / name


def test_an_outcome_is_small_and_can_be_sent(tmp_path: Path) -> None:
    wide = small(hidden=[512], epochs=1)
    outcome = run_many({"wide": wide}, tmp_path, jobs=1)["wide"]
    sent = pickle.dumps(outcome)
    assert len(sent) < 4096 < wide.make_network().weights[0].nbytes
    assert pickle.loads(sent) == outcome


def test_divergence_is_an_outcome(tmp_path: Path) -> None:
    wild = small(beta=10.0, nudged_steps=1000)
    outcome = run_many({"wild": wild}, tmp_path, jobs=1)["wild"]
    assert (outcome.stop_reason, outcome.best_epoch) == ("diverged", 0)
    assert "layer" in outcome.message
    assert np.isnan(outcome.test_error)


def test_runs_that_have_ended_are_not_repeated(tmp_path: Path) -> None:
    endings = {
        "finished": small(),
        "patience": small(epochs=30, patience=1, validation_fraction=0.1),
        "diverged": small(beta=10.0, nudged_steps=1000),
    }
    first = run_many(endings, tmp_path, jobs=1)
    assert {name: outcome.stop_reason for name, outcome in first.items()} == {
        name: name for name in endings
    }
    before = files(tmp_path)
    assert run_many(endings, tmp_path, jobs=2) == first
    assert files(tmp_path) == before


def test_an_interrupted_run_is_resumed(tmp_path: Path) -> None:
    def stop(history: cep.History) -> None:
        if len(history) == 2:
            raise InterruptedError

    configuration = small(beta_sign="random")
    with pytest.raises(InterruptedError):
        cep.run(configuration, tmp_path / "run", progress=False, on_epoch_end=stop)
    seconds = RunDirectory(tmp_path / "run").history().seconds
    outcome = run_many({"run": configuration}, tmp_path, jobs=1)["run"]
    assert outcome.history.seconds[:2] == seconds, "the first two epochs were trained again"
    expected, history = fitted(configuration)
    assert same(kept(tmp_path / "run"), expected)
    assert without_times(outcome.history) == without_times(history)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_run_that_fails_ends_no_other_and_is_tried_again(jobs: int, tmp_path: Path) -> None:
    mnist = tmp_path / "mnist"
    configurations = {"lacks its data": small(data="mnist"), "whole": small()}
    outcomes = run_many(configurations, tmp_path / "runs", jobs=jobs, data_root=mnist)
    assert outcomes["whole"].stop_reason == "finished"
    failed = outcomes["lacks its data"]
    assert failed.stop_reason == "failed"
    assert failed.message.startswith("FileNotFoundError: MNIST was not found")
    assert len(failed.history) == 0
    directory = RunDirectory(tmp_path / "runs" / "lacks its data")
    assert directory.status()[:2] == ("failed", failed.message)
    assert directory.configuration() == configurations["lacks its data"]

    write_mnist(mnist, fake_mnist(train=60))
    whole = files(tmp_path / "runs" / "whole")
    outcomes = run_many(configurations, tmp_path / "runs", jobs=jobs, data_root=mnist)
    assert outcomes["lacks its data"].stop_reason == "finished"
    assert directory.status()[:2] == ("finished", "")
    assert files(tmp_path / "runs" / "whole") == whole


def test_a_failure_without_a_writable_directory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    outcomes = run_many({"file/run": small(), "run": small()}, tmp_path, jobs=1)
    assert outcomes["file/run"].stop_reason == "failed"
    assert "NotADirectoryError" in outcomes["file/run"].message
    assert outcomes["run"].stop_reason == "finished"


def test_a_directory_of_another_run_is_left_alone(tmp_path: Path) -> None:
    cep.run(small(epochs=1), tmp_path / "run", progress=False)
    before = files(tmp_path)
    outcome = run_many({"run": small(epochs=1, seed=1)}, tmp_path, jobs=1)["run"]
    assert outcome.stop_reason == "failed"
    assert "seed is 0 there, 1 here" in outcome.message
    assert files(tmp_path) == before


def test_a_directory_where_another_process_is_at_work_is_left_alone(tmp_path: Path) -> None:
    with RunDirectory(tmp_path / "run").opened(small(), {}, resume=False):
        before = files(tmp_path)
        outcome = run_many({"run": small()}, tmp_path, jobs=2)["run"]
        assert outcome.stop_reason == "failed"
        assert "another process is using" in outcome.message
        assert files(tmp_path) == before
    assert run_many({"run": small()}, tmp_path, jobs=1)["run"].stop_reason == "finished"


KILLED = """
import sys, cep
from pathlib import Path

short = cep.Configuration(hidden=[16], epochs=1)
# More runs than are started before the first of them is killed.
doomed = short.replace(hidden=[512, 512], epochs=1000, learning_rates=0.01)
configurations = {"doomed": doomed} | {str(k): short.replace(seed=k) for k in range(5)}
outcomes = cep.run_many(configurations, Path(sys.argv[1]), jobs=2, progress=False)
print([name for name, outcome in outcomes.items() if outcome.stop_reason == "finished"])
print(outcomes["doomed"].stop_reason)
"""


def at_work_in(directory: Path, process: psutil.Process) -> psutil.Process | None:
    """The child of a process that has a directory open, and so locked."""
    for child in process.children(recursive=True):
        try:
            links = [os.readlink(link) for link in Path(f"/proc/{child.pid}/fd").iterdir()]
        except OSError:
            continue
        if str(directory) in links:
            return child
    return None


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures_in_children")
def test_a_run_whose_process_is_killed_is_one_that_failed(tmp_path: Path) -> None:
    """As by a system without free memory: this run is killed whenever it is running."""
    running = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    kills = 0
    deadline = time.monotonic() + 120
    try:
        while running.poll() is None and time.monotonic() < deadline:
            if doomed := at_work_in(tmp_path / "doomed", psutil.Process(running.pid)):
                doomed.kill()
                kills += 1
            time.sleep(0.05)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        out, err = running.communicate()
    assert out == "['0', '1', '2', '3', '4']\nfailed\n", err
    assert kills > 0
    status, message = RunDirectory(tmp_path / "doomed").status()[:2]
    assert status == "failed"
    assert "SIGKILL" in message


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_run_has_one_thread_of_the_engine(
    jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cep.get_num_threads()
    # The number of threads that new processes would use otherwise.
    get_reusable_executor().shutdown(wait=True)
    monkeypatch.setenv("CEP_NUM_THREADS", "3")
    cep.set_num_threads(3)
    try:
        run_many({"a": small(epochs=1), "b": small(epochs=1)}, tmp_path, jobs=jobs)
        assert cep.get_num_threads() == 3
        with pytest.raises(InterruptedError):
            run_many({"c": small(epochs=1)}, tmp_path, jobs=jobs, on_run_end=_interrupt)
        assert cep.get_num_threads() == 3
    finally:
        cep.set_num_threads(before)
    for name in "abc":
        environment = json.loads((tmp_path / name / "environment.json").read_text())
        assert environment["threads"] == 1


def _interrupt(outcome: cep.RunOutcome) -> None:
    raise InterruptedError


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_function_that_is_called_after_every_run(jobs: int, tmp_path: Path) -> None:
    """Also for runs that had ended before; results are in the given order."""
    *_, last = THREE
    run_many({last: THREE[last]}, tmp_path, jobs=1)
    called: list[tuple[str, int, int]] = []

    def end(outcome: cep.RunOutcome) -> None:
        assert RunDirectory(outcome.directory).status()[0] == "finished"
        called.append((outcome.name, os.getpid(), threading.get_ident()))

    outcomes = run_many(THREE, tmp_path, jobs=jobs, on_run_end=end)
    assert sorted(name for name, _, _ in called) == sorted(THREE)
    assert {place[1:] for place in called} == {(os.getpid(), threading.get_ident())}
    assert list(outcomes) == list(THREE)


@pytest.mark.parametrize("jobs", [1, 2])
def test_exceptions_of_the_function_end_all_runs(jobs: int, tmp_path: Path) -> None:
    configurations = {str(seed): small(seed=seed, **LONG) for seed in range(8)}
    quick = {"quick": small(epochs=1)}
    with pytest.raises(InterruptedError):
        run_many(quick | configurations, tmp_path, jobs=jobs, on_run_end=_interrupt)
    before = files(tmp_path)
    time.sleep(0.3)
    assert files(tmp_path) == before
    finished = [
        name for name in configurations if RunDirectory(tmp_path / name).status()[0] == "finished"
    ]
    assert len(finished) < 2


class Counting(ThreadingBackend):  # type: ignore[misc]
    """joblib's threads, which report their arguments."""

    def __init__(self) -> None:
        super().__init__(nesting_level=0)
        self.jobs: list[int] = []
        self.calls = 0

    def effective_n_jobs(self, n_jobs: int) -> int:
        self.jobs.append(n_jobs)
        return 2

    def submit(self, function: Any, callback: Any = None) -> Any:
        self.calls += 1
        return super().submit(function, callback)


@pytest.mark.parametrize(
    ("configured", "jobs", "asked"),
    [({}, None, -1), ({"n_jobs": 7}, None, 7), ({"n_jobs": 7}, 3, 3)],
)
def test_joblib_chooses_the_backend(
    configured: dict[str, int], jobs: int | None, asked: int, tmp_path: Path
) -> None:
    """All processors (joblib's −1), unless its configuration or the caller sets another number."""
    backend = Counting()
    with joblib.parallel_config(backend=backend, **configured):
        outcomes = run_many(THREE, tmp_path, jobs=jobs)
    assert backend.calls == len(THREE)
    assert set(backend.jobs) == {asked}
    for name, configuration in THREE.items():
        assert outcomes[name].stop_reason == "finished"
        assert same(kept(tmp_path / name), fitted(configuration)[0])


def test_the_default_is_a_run_for_each_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    at_work: list[int] = []

    def note(*_: Any, **__: Any) -> None:
        at_work.append(os.getpid())
        raise InterruptedError

    monkeypatch.setattr(importlib.import_module("cep.experiments.run_many"), "run", note)
    run_many({"a": small(), "b": small()}, tmp_path, jobs=None)
    assert at_work == [os.getpid()] * 2, "with a single processor, no other process is needed"


@pytest.mark.slow
def test_workers_use_the_folder_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = {"a": small(epochs=1), "b": small(epochs=1)}
    monkeypatch.chdir(tmp_path)
    run_many(two, "first")
    there = tmp_path / "elsewhere"
    write_mnist(there / "data", fake_mnist(train=60))
    monkeypatch.chdir(there)
    monkeypatch.setenv("CEP_DATA", "data")
    outcomes = run_many({name: each.replace(data="mnist") for name, each in two.items()}, "second")
    for name, outcome in outcomes.items():
        assert (outcome.stop_reason, outcome.message) == ("finished", "")
        assert outcome.directory == there / "second" / name
        assert RunDirectory(outcome.directory).status()[0] == "finished"


def test_a_line_a_run_is_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_many(THREE, tmp_path / "silent", jobs=2)
    assert capfd.readouterr() == ("", "")
    run_many(THREE, tmp_path / "shown", jobs=2, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 3
    assert err.count("run 3 of 3: ") == 1
    assert "\r" not in err


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../run", "a/../../run", "/run", "a//b", "a/", "./a", "a\0b"]
)
def test_names_must_be_places_in_the_directory(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="below the directory") as caught:
        run_many({"good": small(), name: small()}, tmp_path / "runs", jobs=1)
    assert repr(name) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("configurations", "options", "error", "message"),
    [
        ([small()], {}, TypeError, "must be a mapping of names"),
        ({"a": small(), 3: small()}, {}, TypeError, "must be a string, got 3"),
        (
            {"a": {"beta": 0.5}},
            {},
            TypeError,
            r"'a' must be a Configuration, a Preset .* got dict \{",
        ),
        ({"a": small()}, {"jobs": 0}, ValueError, "jobs must be 1 or more, got 0"),
        ({"a": small()}, {"jobs": 1.5}, TypeError, "jobs must be an integer, got float"),
    ],
)
def test_refused_arguments(
    configurations: Any, options: Any, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        run_many(configurations, tmp_path / "runs", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("library", ["joblib", "safetensors"])
def test_without_the_libraries_nothing_begins(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=r"pip install 'equilibrium-propagation\[experiments\]'"):
        run_many({"a": small()}, tmp_path / "runs")
    assert list(tmp_path.iterdir()) == []


def test_no_runs_at_all(tmp_path: Path) -> None:
    assert run_many({}, tmp_path / "runs") == {}


def test_control_c_raises_and_the_next_call_continues(tmp_path: Path) -> None:
    """In the process of the caller and in those of its runs, as in a terminal."""
    program = """
import sys, cep
from small_runs import small

configurations = {str(seed): small(seed=seed, **eval(sys.argv[2])) for seed in range(3)}
try:
    cep.run_many(configurations, sys.argv[1], jobs=2, progress=False)
except KeyboardInterrupt:
    print("interrupted")
"""
    here = str(Path(__file__).parent)
    running = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", program, str(tmp_path), repr(LONG)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([here, *sys.path])},
    )  # fmt: skip
    while running.poll() is None and not list(tmp_path.rglob("last.safetensors")):
        time.sleep(0.005)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=120)
    assert (out, err) == ("interrupted\n", "")
    configurations = {str(seed): small(seed=seed, **LONG) for seed in range(3)}
    statuses = [RunDirectory(tmp_path / name).status()[0] for name in configurations]
    assert set(statuses) <= {"unfinished", "interrupted"}
    outcomes = run_many(configurations, tmp_path)
    for name, configuration in configurations.items():
        assert outcomes[name].stop_reason == "finished"
        assert same(kept(tmp_path / name), fitted(configuration)[0])
