"""Runs: training, files in their directory, and refused arguments."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import files, fitted, small, without_times
from snapshot import parameters, same

import cep
from cep.datasets.splitting import stratified
from cep.experiments import RunDirectory, checkpoints

pytestmark = pytest.mark.once

FILES = {
    "configuration.json",
    "data.json",
    "environment.json",
    "status.json",
    "metrics.jsonl",
    "last.safetensors",
    "best.safetensors",
    "history.png",
    "history.svg",
}


def run(configuration: cep.Configuration, directory: Any = None, **options: Any) -> cep.RunResult:
    return cep.run(configuration, directory, **{"progress": False, **options})


@pytest.mark.parametrize("in_directory", [False, True])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"rule": "ep", "beta_sign": "symmetric", "dtype": "float64"},
        {"feedback": "untied", "feedback_angle": 30, "beta_sign": "random", "batch_size": 50},
        {"rule": "bptt", "setting": "real-time", "activation": "tanh", "seed": 5},
    ],
)
def test_a_run_is_what_fit_makes_of_its_configuration(
    changes: dict[str, Any], in_directory: bool, tmp_path: Path
) -> None:
    configuration = small(**changes)
    expected, history = fitted(configuration)
    result = run(configuration, tmp_path / "run" if in_directory else None)
    assert same(parameters(result.network), expected)
    assert without_times(result.history) == without_times(history)
    assert (result.stop_reason, result.message, result.records) == ("finished", "", [])
    assert result.configuration == configuration
    assert result.test_error == history.test_error[-1]
    assert result.train_error == history.train_error[-1]
    assert result.seconds == sum(result.history.seconds)


def test_data_that_is_there_already(monkeypatch: pytest.MonkeyPatch) -> None:
    data = small().load_data()
    expected = run(small())
    monkeypatch.setattr(cep.datasets, "load", None)
    assert same(parameters(run(small(), data=data).network), parameters(expected.network))


@pytest.mark.usefixtures("pictures")
def test_what_is_in_the_directory(tmp_path: Path) -> None:
    # The last epochs learn nothing more, so the first of them is the best.
    configuration = small(
        epochs=4, learning_rate_schedule=[(3, 0.0)], validation_fraction=0.2, test_every_epoch=False
    )
    result = run(configuration, tmp_path / "deep" / "run")
    assert result.best_epoch == 2
    folder = tmp_path / "deep" / "run"
    assert {path.name for path in folder.iterdir()} == FILES
    text = (folder / "configuration.json").read_text()
    assert cep.Configuration.from_json(text) == configuration
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["cep"] == cep.__version__
    assert environment["numpy"] == np.__version__
    assert environment["instruction_set"] == cep.instruction_set()
    assert environment["threads"] == cep.get_num_threads()
    assert environment["processor"]
    assert environment["python"].startswith("3.")
    assert json.loads((folder / "status.json").read_text())["status"] == "finished"
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4]
    for name, column in (("train_error", "train_error"), ("validation_error", "validation_error")):
        assert [line[name] for line in lines] == getattr(result.history, column)
    assert (folder / "history.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (folder / "history.svg").read_bytes()
    last = checkpoints.load(folder / "last.safetensors")
    assert same(parameters(last.make_network()), parameters(result.network))
    assert last.history == result.history
    best = checkpoints.load(folder / "best.safetensors")
    assert len(best.history) == result.best_epoch
    (x, y), test = configuration.load_data()
    _, held_out = stratified(y, 0.2, configuration.seed)
    held_out_data = (x[held_out], y[held_out])
    error = cep.evaluate(best.make_network(), held_out_data, 8).error
    assert error == result.best_validation_error == min(result.history.validation_error)
    # Test data are evaluated once, at the end.
    assert "test_error" not in lines[0]
    error, loss = cep.evaluate(result.network, test, 8)
    assert (result.test_error, result.test_loss) == (error, loss)
    assert RunDirectory(folder).status() == ("finished", "", error, loss)


def test_without_a_directory_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(small())
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_ended_is_not_repeated(tmp_path: Path) -> None:
    first = run(small(diagnostics_every=50), tmp_path)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    called: list[cep.History] = []
    again = run(small(diagnostics_every=50), tmp_path, resume=True, on_epoch_end=called.append)
    assert called == []
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == times
    assert same(parameters(again.network), parameters(first.network))
    assert (again.history, again.records) == (first.history, first.records)
    assert again.stop_reason == "finished"


def test_a_directory_that_holds_a_run(tmp_path: Path) -> None:
    run(small(), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FileExistsError, match="holds a run of this configuration already"):
        run(small(), tmp_path)
    for resume in (False, True):
        with pytest.raises(ValueError, match="another configuration") as caught:
            run(small(beta=0.25, seed=3), tmp_path, resume=resume)
        assert "beta is 0.5 there, 0.25 here; seed is 0 there, 3 here" in str(caught.value)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_checkpoint_from_another_run(tmp_path: Path) -> None:
    run(small(), tmp_path / "one")
    run(small(seed=1), tmp_path / "two")
    os.replace(tmp_path / "one" / "last.safetensors", tmp_path / "two" / "last.safetensors")
    before = files(tmp_path)
    with pytest.raises(ValueError, match="belongs to a run of another configuration"):
        run(small(seed=1), tmp_path / "two", resume=True)
    assert files(tmp_path) == before
    (tmp_path / "two" / "status.json").unlink()
    with pytest.raises(ValueError, match="belongs to a run of another configuration"):
        run(small(seed=1), tmp_path / "two", resume=True)


def test_an_older_checkpoint_of_a_run_that_ended(tmp_path: Path) -> None:
    """It is not used as the end, and no line of the metrics is removed."""

    def keep(history: cep.History) -> None:
        if len(history) == 2:
            shutil.copy(tmp_path / "run" / "last.safetensors", tmp_path / "older")

    run(small(), tmp_path / "run", on_epoch_end=keep)
    os.replace(tmp_path / "older", tmp_path / "run" / "last.safetensors")
    before = files(tmp_path)
    with pytest.raises(
        ValueError, match=r"contains 'finished', but .*last.safetensors has 2 of 3 epochs"
    ):
        run(small(), tmp_path / "run", resume=True)
    assert files(tmp_path) == before


def test_a_directory_where_another_process_is_at_work(
    tmp_path: Path, run_script: Callable[..., str]
) -> None:
    program = """
import sys, cep
try:
    cep.run(cep.Configuration(), sys.argv[1], progress=False)
except BlockingIOError as error:
    print(error)
"""
    with RunDirectory(tmp_path).opened(small(), {}, resume=False):
        (tmp_path / "configuration.json").unlink()
        assert "another process is using" in run_script(program, tmp_path)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"hidden": [0]}, ValueError, "0 units"),
        ({"dt": -1}, ValueError, "dt"),
        ({"hidden": [10**9, 10**9], "learning_rates": 0.1}, MemoryError, "memory"),
        ({"data": "mnist"}, FileNotFoundError, "MNIST"),
    ],
)
def test_invalid_runs_leave_no_directory(
    changes: dict[str, Any], error: type[Exception], message: str, tmp_path: Path
) -> None:
    root = tmp_path if "data" in changes else None
    with pytest.raises(error, match=message):
        run(small(**changes), tmp_path / "run", data_root=root)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"resume": True}, "need a directory"),
        ({"tensorboard": True}, "need a directory"),
        ({"checkpoint_every": 5}, "need a directory"),
        ({"checkpoint_every": 0}, "checkpoint_every must be 1 or more, got 0"),
    ],
)
def test_invalid_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(small(), **options)


def test_patience(tmp_path: Path) -> None:
    """It stops after the second epoch without improvement."""
    options = {"validation_fraction": 0.2}
    longer = run(small(epochs=30, **options)).history.validation_error
    stop = next(
        epoch
        for epoch in range(1, 30)
        if epoch >= 3 and min(longer[: epoch - 2]) <= min(longer[epoch - 2 : epoch])
    )
    assert stop < 29, "the test's own premise"
    result = run(small(epochs=30, patience=2, **options), tmp_path)
    assert result.history.validation_error == longer[:stop]
    assert result.stop_reason == "patience"
    assert RunDirectory(tmp_path).status().status == "patience"
    assert (
        run(small(epochs=30, patience=2, **options), tmp_path, resume=True).stop_reason
        == "patience"
    )


def test_learning_rates_change_from_epoch_to_epoch() -> None:
    def after(**changes: Any) -> list[Any]:
        return parameters(run(small(**changes)).network)

    halves = [(1, 1.0), (2, 0.5), (3, 0.25)]
    assert same(after(learning_rate_decay=0.5), after(learning_rate_schedule=halves))
    assert same(after(learning_rate_schedule=[(1, 0.5)]), after(learning_rates=[0.025, 0.01]))
    assert same(after(learning_rate_schedule=[(2, 0.0)]), after(epochs=1))
    assert not same(after(learning_rate_decay=0.5), after())


def test_divergence_ends_the_run_with_the_reason(tmp_path: Path) -> None:
    wild = small(beta=10.0, nudged_steps=1000)
    result = run(wild, tmp_path)
    assert result.stop_reason == "diverged"
    assert "layer" in result.message
    assert np.isnan(result.test_error)
    assert result.best_epoch == 0
    assert all(np.isfinite(array).all() for array in result.network.parameters())
    assert RunDirectory(tmp_path).status() == ("diverged", result.message, None, None)
    in_memory = run(wild)
    assert (in_memory.stop_reason, in_memory.message) == ("diverged", result.message)


def test_the_function_that_is_called_after_every_epoch(tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def after(history: cep.History) -> None:
        if len(history) == 2:
            raise EnoughError

    with pytest.raises(EnoughError):
        run(small(), tmp_path, on_epoch_end=after)
    assert len(checkpoints.load(tmp_path / "last.safetensors").history) == 2
    seen: list[int] = []
    result = run(
        small(), tmp_path, resume=True, on_epoch_end=lambda history: seen.append(len(history))
    )
    assert seen == [3]
    assert same(parameters(result.network), fitted(small())[0])


@pytest.mark.parametrize("torn", ['{"epoch": 3, "train', "", "{}garbage", "\0\0\0\0"])
def test_a_torn_line_is_repaired(torn: str, tmp_path: Path) -> None:
    def stop(history: cep.History) -> None:
        if len(history) == 2:
            raise InterruptedError

    configuration = small(diagnostics_every=40)
    with pytest.raises(InterruptedError):
        run(configuration, tmp_path, on_epoch_end=stop)
    metrics, records = tmp_path / "metrics.jsonl", tmp_path / "records.jsonl"
    whole = metrics.read_text(), records.read_text()
    for path in (metrics, records):
        with path.open("a") as file:
            file.write(torn)
    directory = RunDirectory(tmp_path)
    assert [line["epoch"] for line in directory.metrics()] == [1, 2]
    assert len(directory.records()) == 4
    result = run(configuration, tmp_path, resume=True)
    assert metrics.read_text().startswith(whole[0])
    assert records.read_text().startswith(whole[1])
    assert [line["epoch"] for line in directory.metrics()] == [1, 2, 3]
    assert directory.history() == result.history
    assert [(line["epoch"], line["batch"]) for line in directory.records()] == [
        (epoch, batch) for epoch in (1, 2, 3) for batch in (0, 40)
    ]


def test_lines_written_after_the_last_checkpoint_are_written_again(tmp_path: Path) -> None:
    """As by a process killed between the line of an epoch and its checkpoint."""

    def stop(history: cep.History) -> None:
        if len(history) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        run(small(), tmp_path, on_epoch_end=stop)
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({"epoch": 3, "train_error": 0.77}) + "\n")
    result = run(small(), tmp_path, resume=True)
    lines = RunDirectory(tmp_path).metrics()
    assert [line["epoch"] for line in lines] == [1, 2, 3]
    assert lines[2]["train_error"] == result.history.train_error[2] != 0.77


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("configuration.json", b"{", r"configuration\.json.* not JSON"),
        ("status.json", b"[]", r"status\.json is damaged"),
        ("last.safetensors", b"", r"last\.safetensors is not a complete"),
    ],
)
def test_damaged_files(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    run(small(epochs=1), tmp_path)
    (tmp_path / name).write_bytes(content)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ValueError, match=message):
        run(small(epochs=1), tmp_path, resume=True)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_damaged_metrics(tmp_path: Path) -> None:
    run(small(), tmp_path)
    path = tmp_path / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + "nonsense\n" + lines[2])
    with pytest.raises(ValueError, match=r"metrics\.jsonl, line 2: expected a JSON object"):
        RunDirectory(tmp_path).metrics()


def test_another_instruction_set_is_warned_of(tmp_path: Path) -> None:
    def stop(history: cep.History) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        run(small(), tmp_path, on_epoch_end=stop)
    path = tmp_path / "environment.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"instruction_set": "abacus"}))
    with pytest.warns(UserWarning, match=r"began with the instruction set abacus.* rounding"):
        run(small(), tmp_path, resume=True)


@pytest.mark.usefixtures("pictures")
def test_without_matplotlib_there_is_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert run(small(validation_fraction=0.1), tmp_path).stop_reason == "finished"
    assert {path.name for path in tmp_path.iterdir()} == FILES - {"history.png", "history.svg"}


def test_without_safetensors_nothing_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    assert run(small()).stop_reason == "finished"
    with pytest.raises(ImportError, match=r"pip install 'equilibrium-propagation\[experiments\]'"):
        run(small(), tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_progress_is_a_line_an_epoch(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    result = run(small(), tmp_path, progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert len(err.splitlines()) == len(result.history)
    run(small())
    assert capfd.readouterr() == ("", "")


def test_without_tensorboard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("tensorboardX", "torch.utils.tensorboard"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install 'equilibrium-propagation\[tensorboard\]'"):
        run(small(), tmp_path / "run", tensorboard=True)
    assert list(tmp_path.iterdir()) == []


def test_importing_the_package_imports_none_of_the_extras() -> None:
    program = """
import sys, cep
extras = {"safetensors", "joblib", "matplotlib", "sklearn", "pooch", "tensorboard"}
print(sorted(extras & {name.split(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_a_result_prints_shortly() -> None:
    assert len(repr(run(small(epochs=1)))) < 1300
