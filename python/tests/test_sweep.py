"""Sweeps: every combination is a run, and a table has the results."""

import csv
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_runs import files, fitted, kept, small
from snapshot import same

import cep
from cep.experiments import RunDirectory

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("workers")]

BETAS_AND_SEEDS = {"seed": range(2), "beta": [0.3, 0.5]}
NAMES = ["beta=0.3,seed=0", "beta=0.3,seed=1", "beta=0.5,seed=0", "beta=0.5,seed=1"]


def sweep(configuration: Any, parameters: Any, directory: Any, **options: Any) -> cep.SweepResult:
    return cep.sweep(
        configuration, parameters, directory, **{"progress": False, "jobs": 1, **options}
    )


def table_on_disk(folder: Path) -> list[dict[str, str]]:
    with (folder / "results.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep over `BETAS_AND_SEEDS`."""
    folder = tmp_path_factory.mktemp("swept")
    sweep(small(), BETAS_AND_SEEDS, folder)
    return folder


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_combination_is_a_run(jobs: int, tmp_path: Path) -> None:
    result = sweep(small(), BETAS_AND_SEEDS, tmp_path, jobs=jobs)
    assert [outcome.name for outcome in result] == NAMES
    assert len(result) == 4
    assert result.failed == []
    for beta in (0.3, 0.5):
        for seed in (0, 1):
            configuration = small(beta=beta, seed=seed)
            directory = RunDirectory(tmp_path / f"beta={beta},seed={seed}")
            assert directory.configuration() == configuration
            assert same(kept(directory.path), fitted(configuration)[0])


def test_the_last_field_changes_first(tmp_path: Path) -> None:
    result = sweep(small(epochs=1), {"seed": [3, 1], "hidden": [[8], (4, 4)],
                   "learning_rates": [0.01], "tolerance": [0.0]}, tmp_path)  # fmt: skip
    assert [outcome.name for outcome in result] == [
        "hidden=8,tolerance=0,learning_rates=0.01,seed=3",
        "hidden=8,tolerance=0,learning_rates=0.01,seed=1",
        "hidden=4+4,tolerance=0,learning_rates=0.01,seed=3",
        "hidden=4+4,tolerance=0,learning_rates=0.01,seed=1",
    ]
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
        outcome.name for outcome in result
    }


def test_the_table_on_disk_is_what_the_runs_came_to(tmp_path: Path) -> None:
    parameters = {"hidden": [[16], [8, 4]], "learning_rates": [0.02], "beta": [np.float64(0.5)]}
    result = sweep(small(epochs=2, validation_fraction=0.1), parameters, tmp_path)
    lines = table_on_disk(tmp_path)
    assert len(lines) == len(result) == 2
    for line, hidden in zip(lines, ["16", "8+4"], strict=True):
        directory = RunDirectory(tmp_path / f"hidden={hidden},beta=0.5,learning_rates=0.02")
        history = directory.history()
        assert line == {
            "run": directory.path.name,
            "hidden": hidden,
            "beta": "0.5",
            "learning_rates": "+".join(["0.02"] * (2 + hidden.count("+"))),
            "status": "finished",
            "epochs": "2",
            "validation_error": str(history.validation_error[-1]),
            "best_validation_error": str(min(history.validation_error)),
            "best_epoch": str(history.best_epoch),
            "test_error": str(history.test_error[-1]),
            "train_error": str(history.train_error[-1]),
            "seconds": str(sum(history.seconds)),
            "message": "",
        }


def test_the_table_on_disk_grows_as_runs_end(tmp_path: Path) -> None:
    ended: list[str] = []

    def end(outcome: cep.RunOutcome) -> None:
        ended.append(outcome.name)
        assert [line["run"] for line in table_on_disk(tmp_path)] == sorted(ended)

    sweep(small(epochs=1), BETAS_AND_SEEDS, tmp_path, jobs=2, on_run_end=end)
    assert sorted(ended) == NAMES


def test_failures_and_divergence_are_in_the_table(tmp_path: Path) -> None:
    result = sweep(
        small(nudged_steps=50), {"data": ["digits", "mnist"], "beta": [0.01, 10]}, tmp_path,
        data_root=tmp_path,
    )  # fmt: skip
    lines = table_on_disk(tmp_path)
    statuses = ["finished", "diverged", "failed", "failed"]
    assert [line["status"] for line in lines] == statuses
    assert [outcome.stop_reason for outcome in result] == statuses
    assert [outcome.name for outcome in result.failed] == ["data=mnist,beta=0.01",
                                                          "data=mnist,beta=10"]  # fmt: skip
    for line, outcome in zip(lines, result, strict=True):
        assert line["message"] == outcome.message
    assert "layer" in lines[1]["message"]
    assert lines[2]["message"].startswith("FileNotFoundError: MNIST was not found")
    for line in lines[1:]:
        assert line["test_error"] == line["validation_error"] == line["train_error"] == ""


def test_rows_are_of_numbers(tmp_path: Path) -> None:
    result = sweep(small(), {"beta": [0.3, 10.0], "nudged_steps": [50]}, tmp_path)
    first, second = result.rows()
    (_, outcome) = result
    assert (first["run"], first["beta"], first["nudged_steps"]) == (
        "nudged_steps=50,beta=0.3", 0.3, 50,
    )  # fmt: skip
    history = RunDirectory(tmp_path / first["run"]).history()
    assert first["test_error"] == history.test_error[-1]
    assert (first["status"], first["epochs"]) == ("finished", 3)
    assert (second["status"], second["message"]) == ("diverged", outcome.message)
    assert math.isnan(second["test_error"])


def test_the_table_begins_with_the_lowest_error(tmp_path: Path) -> None:
    parameters = {"learning_rates": [0.0, 0.05, 0.01], "beta": [0.5, 10], "nudged_steps": [50]}
    result = sweep(small(validation_fraction=0.1), parameters, tmp_path)
    heading, *lines = result.table().splitlines()
    assert heading.split()[:4] == ["run", "beta", "learning_rates", "status"]
    names = [line.split()[0] for line in lines]
    errors = {outcome.name: outcome.validation_error for outcome in result}
    assert sorted(names) == sorted(errors)
    found = [errors[name] for name in names if not math.isnan(errors[name])]
    assert len(found) > 1
    assert found == sorted(found)
    assert all("diverged" in line for line in lines[len(found) :])
    assert f"{found[0]:.2%}" in lines[0]


def test_a_sweep_continues(tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def stop(outcome: cep.RunOutcome) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        sweep(small(), BETAS_AND_SEEDS, tmp_path, on_run_end=stop)
    assert [line["run"] for line in table_on_disk(tmp_path)] == NAMES[:1]
    before = files(tmp_path / NAMES[0])
    result = sweep(small(), BETAS_AND_SEEDS, tmp_path)
    assert files(tmp_path / NAMES[0]) == before
    assert [outcome.stop_reason for outcome in result] == ["finished"] * 4
    assert [line["run"] for line in table_on_disk(tmp_path)] == NAMES


def test_a_sweep_may_grow(tmp_path: Path) -> None:
    sweep(small(), {"beta": [0.3], "seed": [0]}, tmp_path)
    before = files(tmp_path / NAMES[0])
    # The configuration's value of a swept field is not used in any run.
    result = sweep(small(beta=0.7), {"seed": [1, 0], "beta": [0.5, 0.3]}, tmp_path)
    assert [outcome.name for outcome in result] == NAMES[::-1]
    assert files(tmp_path / NAMES[0]) == before
    assert [line["run"] for line in table_on_disk(tmp_path)] == NAMES[::-1]
    asked = json.loads((tmp_path / "sweep.json").read_text())
    assert asked["parameters"] == {"beta": [0.5, 0.3], "seed": [1, 0]}
    assert cep.Configuration.from_dict(asked["configuration"]) == small(beta=0.7)


@pytest.mark.parametrize(
    ("changes", "parameters", "words"),
    [
        ({"epochs": 2}, BETAS_AND_SEEDS, ["epochs is 3 there, 2 here"]),
        ({}, {"beta": [0.3], "seed": [0, 1]}, ["beta=0.5 is there and not here", "can be added"]),
        ({}, {"beta": [0.3, 0.5]}, ["holds a sweep over beta, seed; this one is over beta"]),
        (
            {"free_steps": 9},
            {"beta": [0.3, 0.5], "seed": [1]},
            ["free_steps is 8 there, 9 here", "seed=0 is there"],
        ),
    ],
)
def test_another_sweep_is_refused(
    changes: Any, parameters: Any, words: list[str], swept: Path
) -> None:
    before = files(swept)
    with pytest.raises(ValueError, match="holds a") as caught:
        sweep(small(**changes), parameters, swept)
    for word in [*words, str(swept)]:
        assert word in str(caught.value)
    assert files(swept) == before


@pytest.mark.parametrize("content", ["{", "[]", '{"configuration": {}}', '{"parameters": {}}'])
def test_a_damaged_description_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "sweep.json").write_text(content)
    with pytest.raises(ValueError, match=r"sweep\.json is damaged"):
        sweep(small(), BETAS_AND_SEEDS, tmp_path)
    assert files(tmp_path).keys() == {"sweep.json"}


def test_a_run_is_no_place_for_a_sweep(tmp_path: Path) -> None:
    cep.run(small(epochs=1), tmp_path, progress=False)
    before = files(tmp_path)
    with pytest.raises(ValueError, match="contains a run; give the sweep a separate directory"):
        sweep(small(), BETAS_AND_SEEDS, tmp_path)
    assert files(tmp_path) == before


def test_one_process_at_a_time(tmp_path: Path) -> None:
    def again(outcome: cep.RunOutcome) -> None:
        with pytest.raises(BlockingIOError, match="another process is using"):
            sweep(small(epochs=1), BETAS_AND_SEEDS, tmp_path)

    sweep(small(epochs=1), BETAS_AND_SEEDS, tmp_path, on_run_end=again)


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"betta": [0.1]}, ValueError, "unknown parameter 'betta'; did you mean 'beta'"),
        ({"learning_rate": [1]}, ValueError, "did you mean 'learning_rates'"),
        ({3: [0.1]}, ValueError, "unknown parameter 3; known: data, hidden"),
        ({"seed": []}, ValueError, "seed has no values"),
        ({}, ValueError, "parameters is empty"),
        ([("seed", [1])], TypeError, "must be a mapping of fields to values"),
        ({"seed": "0:5"}, TypeError, "the values of seed must be a sequence, got '0:5'"),
        ({"seed": 3}, TypeError, "the values of seed must be a sequence, got 3"),
        ({"seed": [0, 1, 0]}, ValueError, "seed has the value 0 twice"),
        ({"beta": [0.1, 1, 1.0]}, ValueError, "beta has the value 1 twice"),
        ({"hidden": [[8], (8,)]}, ValueError, "hidden has the value 8 twice"),
        ({"learning_rates": [0.1, [0.1, 0.1]]}, ValueError,
         r"learning_rates=0.1 and learning_rates=0.1\+0.1 are the same configuration"),
        ({"seed": [0, 1.5]}, TypeError, "seed=1.5: seed must be an integer"),
        ({"beta": [0.1, "x"]}, TypeError, "beta=x: beta must be a real number"),
        ({"rule": ["ep", "sgd"]}, ValueError, "rule=sgd: rule must be 'ep' or"),
        ({"hidden": [16]}, TypeError, "hidden=16: hidden must be a sequence of layers"),
        ({"hidden": [[16], [16, 8]]}, ValueError, r"hidden=16\+8: learning_rates has 2 values"),
        # Only the engine can detect this.
        ({"seed": [0, 1], "dt": [0.1, -1]}, ValueError, "dt=-1,seed=0: dt must be in"),
        ({"hidden": [[10**9, 10**9]], "learning_rates": [0.1]}, MemoryError, "hidden=1000000000"),
        ({"learning_rate_schedule": [[[k, 0.125] for k in range(1, 50)]]}, ValueError,
         "too long for the name of a directory: learning_rate_schedule=1:0.125"),
    ],
)  # fmt: skip
def test_invalid_sweeps(
    parameters: Any, error: type[Exception], message: str, tmp_path: Path
) -> None:
    """It is refused before the first run; nothing is written."""
    with pytest.raises(error, match=message):
        sweep(small(), parameters, tmp_path / "sweep")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("library", ["joblib", "safetensors"])
def test_without_the_libraries_nothing_begins(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=r"pip install 'equilibrium-propagation\[experiments\]'"):
        sweep(small(), BETAS_AND_SEEDS, tmp_path / "sweep")
    assert list(tmp_path.iterdir()) == []
