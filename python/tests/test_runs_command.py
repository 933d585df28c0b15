"""``cep train`` with runs on disk, ``cep runs`` and ``cep plot``."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from fake_trials import write_run
from small_runs import small
from snapshot import parameters, same

import cep
from cep.cli import cep as command
from cep.experiments import RunDirectory, presets

pytestmark = pytest.mark.once

QUICK = ("--hidden", "16", "--free-steps", 8, "--nudged-steps", 4, "--epochs", 2)


def invoke(*arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


def train(*arguments: object) -> Result:
    return invoke("train", "--no-progress", *arguments)


def test_a_run_in_a_directory(tmp_path: Path) -> None:
    result = train(
        *QUICK, "--learning-rates", "0.05,0.02", "--learning-rate-decay", 0.9,
        "--learning-rate-schedule", "2:0.5,3:0.1", "--patience", 7, "--diagnostics-every", 30,
        "--diagnostics", "residuals,weight_norms", "--checkpoint-every", 20, "--tensorboard",
        "--feedback", "untied", "--beta-sign", "random", "--seed", 3, "--run-dir", tmp_path / "run",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    directory = RunDirectory(tmp_path / "run")
    expected = cep.Configuration(
        hidden=[16], free_steps=8, nudged_steps=4, epochs=2, learning_rates=[0.05, 0.02],
        learning_rate_decay=0.9, learning_rate_schedule=[(2, 0.5), (3, 0.1)], patience=7,
        diagnostics_every=30, diagnostics_kinds=["residuals", "weight_norms"], feedback="untied",
        beta_sign="random", seed=3,
    )  # fmt: skip
    assert directory.configuration() == expected
    network = cep.checkpoints.load(directory.last).make_network()
    assert same(parameters(network), parameters(cep.run(expected, progress=False).network))
    assert len(directory.records()) == 6
    assert (directory.path / "tensorboard").is_dir()
    error = json.loads((directory.path / "status.json").read_text())["test_error"]
    assert f"test error     {error:.2%} after the last epoch" in result.stdout

    again = train("--resume", directory.path)
    assert again.exit_code == 0
    assert f"test error     {error:.2%} after the last epoch" in again.stdout


def test_a_preset_is_where_options_start_from(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[cep.Configuration] = []

    def run(configuration: cep.Configuration, *arguments: Any, **options: Any) -> None:
        asked.append(configuration)
        raise ValueError("enough")

    images = np.zeros((20, 784), np.float32), np.arange(20) % 10
    # The name cep.cli.train is the command, not the module.
    monkeypatch.setattr(importlib.import_module("cep.cli.train"), "run", run)
    monkeypatch.setattr("cep.datasets.mnist", lambda root: (images, images))
    assert "enough" in train("--preset", "C-VF-2h").stderr
    assert "enough" in train("--preset", "EP-1h", "--rule", "bptt", "--seed", 4).stderr
    assert "enough" in train("--preset", "EP-1h", "--hidden", 64, "--learning-rates", 0.1).stderr
    assert "enough" in train("--data", "mnist", "--rule", "ep", "--hidden", "512,512").stderr
    published = presets.get("EP-1h").configuration
    assert asked == [
        presets.get("C-VF-2h").configuration,
        published.replace(rule="bptt", seed=4),
        published.replace(hidden=[64], learning_rates=0.1),
        presets.get("EP-2h").configuration,
    ]


def test_patience_is_reported(tmp_path: Path) -> None:
    result = train(*QUICK[:-1], 60, "--learning-rates", 0.05, "--patience", 2)
    assert result.exit_code == 0, result.output
    assert "stopped        no lower validation error since epoch " in result.stdout


def test_divergence_is_an_error_and_is_kept(tmp_path: Path) -> None:
    result = train("--beta", 10, "--nudged-steps", 1000, "--run-dir", tmp_path / "run")
    assert result.exit_code == 1
    assert "Error: after 0 epochs: " in result.stderr
    assert "layer" in result.stderr
    assert RunDirectory(tmp_path / "run").status()[0] == "diverged"
    assert "diverged" in invoke("runs", tmp_path).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--preset", "cep-1h"), 1, ("cep-1h", "did you mean 'C-EP-1h'", "P-3h")),
        (("--resume", "{run}", "--beta", 0.5), 2, ("--resume", "leave out --beta")),
        (("--resume", "{run}", "--diagnostics", "energy"), 2, ("leave out --diagnostics",)),
        (("--resume", "{run}", "--preset", "EP-1h"), 2, ("leave out --preset",)),
        (("--resume", "{run}", "--run-dir", "x"), 2, ("leave out --run-dir",)),
        (("--resume", "{run}/nowhere"), 1, ("nowhere contains no run",)),
        (("--run-dir", "{run}", *QUICK, "--beta", 0.4), 1, ("beta is 0.5 there, 0.4 here",)),
        (("--run-dir", "{run}", *QUICK), 1, ("holds a run of this configuration already",)),
        (("--run-dir", "{run}/status.json"), 2, ("--run-dir", "is a file")),
        (("--diagnostics", "everything"), 1, ("unknown kind of record 'everything'",)),
        (("--diagnostics-every", 0), 1, ("diagnostics_every must be 1 or more, got 0",)),
        (
            ("--learning-rate-schedule", "5"),
            2,
            ("must be pairs such as 50:0.1 joined by commas, got '5'",),
        ),
        (("--learning-rate-schedule", "5:0.1,2:1"), 1, ("must rise",)),
        (("--tensorboard",), 1, ("need a directory",)),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_refused_arguments(
    arguments: tuple[object, ...], code: int, words: tuple[str, ...], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert train(*QUICK, "--run-dir", run).exit_code == 0
    before = {path: path.read_bytes() for path in run.iterdir()}
    result = train(*(str(argument).format(run=run) for argument in arguments))
    assert result.exit_code == code, result.output
    for word in words:
        assert word in " ".join(result.stderr.split())
    assert {path: path.read_bytes() for path in run.iterdir()} == before


def test_runs_are_compared(tmp_path: Path) -> None:
    for seed in (1, 0):
        for beta in (0.5, 0.25):
            path = tmp_path / f"seed {seed}" / str(beta)
            assert train(*QUICK, "--seed", seed, "--beta", beta, "--run-dir", path).exit_code == 0
    result = invoke("runs", tmp_path)
    assert result.exit_code == 0, result.output
    heading, *rows = result.stdout.splitlines()
    columns = ["run", "beta", "seed", "status", "epochs", "validation error", "best", "in epoch"]
    assert re.split(" {2,}", heading) == [*columns, "test error", "train error", "seconds"]
    places = [(beta, seed) for seed in (0, 1) for beta in ("0.25", "0.5")]
    for (beta, seed), row in zip(places, rows, strict=True):
        path = tmp_path / f"seed {seed}" / beta
        history = RunDirectory(path).history()
        errors = history.validation_error
        test = RunDirectory(path).status().test_error
        assert test is not None
        status = "collapsed" if test > 0.5 else "finished"
        assert re.split(" {2,}", row) == [
            *(str(path), beta, str(seed), status, "2/2"),
            *(f"{errors[-1]:.2%}", f"{min(errors):.2%}", str(errors.index(min(errors)) + 1)),
            *(f"{test:.2%}", f"{history.train_error[-1]:.2%}", f"{sum(history.seconds):.1f}"),
        ]
    (tmp_path / "seed 1" / "0.5" / "metrics.jsonl").write_text("")
    assert "2/2" in invoke("runs", tmp_path / "seed 1" / "0.5").stdout
    (tmp_path / "seed 1" / "0.5" / "status.json").unlink()
    assert "0/2" in invoke("runs", tmp_path / "seed 1" / "0.5").stdout


def test_no_runs_to_compare(tmp_path: Path) -> None:
    result = invoke("runs", tmp_path)
    assert result.exit_code == 1
    assert "contains no run" in result.stderr


def test_a_damaged_run_hides_no_other(tmp_path: Path) -> None:
    damages = {
        "configuration.json": b'{"model": "x"}',
        "status.json": b"[]",
        "metrics.jsonl": b"no JSON\n",
        "last.safetensors": b"",
    }
    for name, content in damages.items():
        write_run(tmp_path / name, small(), [0.3, 0.2, 0.1])
        (tmp_path / name / name).write_bytes(content)
    write_run(tmp_path / "whole", small(), [0.3, 0.2, 0.1])
    result = invoke("runs", tmp_path)
    assert result.exit_code == 1
    _, row = result.stdout.splitlines()
    assert re.split(" {2,}", row)[:4] == [str(tmp_path / "whole"), "finished", "3/3", "10.00%"]
    *messages, last = result.stderr.splitlines()
    assert last == "Error: 4 of 5 runs cannot be read"
    for name, message in zip(sorted(damages), messages, strict=True):
        assert str(tmp_path / name / name) in message

    alone = invoke("runs", tmp_path / "status.json")
    assert (alone.exit_code, alone.stdout) == (1, "")
    assert "Error: 1 of 1 runs cannot be read" in alone.stderr


def test_the_configuration_of_another_program_is_no_run(tmp_path: Path) -> None:
    for name, content in (("model", '{"model": "x"}'), ("binary", "\0")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "configuration.json").write_text(content)
    (tmp_path / "folder" / "configuration.json").mkdir(parents=True)
    assert "contains no run" in invoke("runs", tmp_path).stderr
    write_run(tmp_path / "whole", small(), [0.3, 0.2, 0.1])
    result = invoke("runs", tmp_path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 2


def test_commands_report_how_a_run_ended(tmp_path: Path) -> None:
    """Above one half, as in `cep reproduce`; such a run has not failed."""
    half = [0.5] * 3
    for name, errors in (("half", half), ("more", [0.1, 0.1, 0.51]), ("less", [0.9, 0.9, 0.4])):
        write_run(tmp_path / name, small(), errors)
    patient = small(epochs=9, patience=2, validation_fraction=0.1, test_every_epoch=False)
    write_run(tmp_path / "patience", patient, [0.8, 0.9, 0.9], "patience")
    write_run(tmp_path / "under way", small(), [0.9], "interrupted")
    result = invoke("runs", tmp_path)
    assert result.exit_code == 0
    cells = [re.split(" {2,}", line) for line in result.stdout.splitlines()]
    column = cells[0].index("status")
    assert {Path(row[0]).name: row[column] for row in cells[1:]} == {
        "half": "finished",
        "more": "collapsed",
        "less": "finished",
        "patience": "collapsed",
        "under way": "interrupted",
    }

    collapsed = ("--hidden", 16, "--epochs", 1, "--learning-rates", 0)
    trained = train(*collapsed, "--run-dir", tmp_path / "run")
    assert trained.exit_code == 0
    assert re.search(r"^test error .* s\): collapsed$", trained.stdout, re.MULTILINE)
    assert "collapsed" not in train(*QUICK, "--learning-rates", 0.05).stdout


def test_sweeps_report_how_runs_ended(tmp_path: Path) -> None:
    result = invoke(
        "sweep", "--no-progress", "--jobs", 1, *QUICK, "--param", "learning_rates=0,0.05",
        "--run-dir", tmp_path,
    )  # fmt: skip
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if "learning_rates=0 " in line]
    assert len(lines) == 2
    assert all("collapsed" in line for line in lines)
    assert result.stdout.count("collapsed") == 2


def test_a_run_is_drawn(tmp_path: Path) -> None:
    run = tmp_path / "run"
    train(*QUICK, "--run-dir", run, "--diagnostics-every", 40)
    result = invoke("plot", run)
    assert result.exit_code == 0, result.output
    assert (run / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert invoke("plot", run, "--output", tmp_path / "p.svg").exit_code == 0
    assert (tmp_path / "p.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("{}/nowhere",), "contains no run"),
        (("{}/run", "--output", "{}/p.bmp"), "--output: p.bmp must end in .png"),
        (("{}/run", "--output", "{}/x/p.png"), "x does not exist"),
    ],
)
def test_invalid_plots(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    train(*QUICK, "--run-dir", tmp_path / "run")
    result = invoke("plot", *(argument.format(tmp_path) for argument in arguments))
    assert result.exit_code == 1
    assert words in result.stderr
