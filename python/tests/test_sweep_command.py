"""``cep sweep``: training, output and exit status."""

import csv
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from dataset_files import fake_mnist, write_mnist
from small_runs import files, fitted, kept
from snapshot import same

import cep
from cep.cli import cep as command
from cep.experiments import RunDirectory, presets

pytestmark = [
    pytest.mark.once,
    pytest.mark.usefixtures("workers"),
    # Two epochs are few.
    pytest.mark.filterwarnings("ignore::cep.LearningWarning"),
]

QUICK = ("--hidden", "16", "--free-steps", 8, "--nudged-steps", 4, "--epochs", 2)
HEADING = re.compile(r"^epochs +validation error +test error +seconds +run$", re.MULTILINE)
ROW = re.compile(r"^ *(\d+) +([\d.]+)% +([\d.]+)% +([\d.]+)  (\S+)(?:  collapsed)?$", re.MULTILINE)


def invoke(*arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    return result


def sweep(*arguments: object, jobs: int = 1) -> Result:
    return invoke("sweep", "--no-progress", "--jobs", jobs, *arguments)


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_every_combination_is_trained_and_printed(jobs: int, tmp_path: Path) -> None:
    result = sweep(*QUICK, "--param", "beta=0.3,0.5", "--param",
                   "seed=0:2", "--run-dir", tmp_path, jobs=jobs)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert HEADING.search(result.stdout)
    rows = {name: figures for *figures, name in ROW.findall(result.stdout)}
    names = [f"beta={beta},seed={seed}" for beta in (0.3, 0.5) for seed in (0, 1)]
    assert sorted(rows) == names
    for name in names:
        directory = RunDirectory(tmp_path / name)
        beta, seed = name.removeprefix("beta=").split(",seed=")
        expected = cep.Configuration(
            hidden=[16], free_steps=8, nudged_steps=4, epochs=2, beta=float(beta), seed=int(seed)
        )  # fmt: skip
        assert directory.configuration() == expected
        history = directory.history()
        assert same(kept(directory.path), [*cep.run(expected, progress=False).network.parameters()])
        error, test = history.validation_error[-1], directory.status().test_error
        assert rows[name] == ["2", f"{100 * error:.2f}", f"{100 * test:.2f}",
                              f"{sum(history.seconds):.1f}"]  # fmt: skip
    best_first = [
        line.split()[0] for line in result.stdout.splitlines() if line.startswith("beta=")
    ]
    errors = [RunDirectory(tmp_path / name).history().validation_error[-1] for name in best_first]
    assert len(errors) == 4
    assert errors == sorted(errors)
    assert f"results        {tmp_path / 'results.csv'}" in result.stdout
    with (tmp_path / "results.csv").open(newline="") as file:
        assert [line["run"] for line in csv.DictReader(file)] == names


def test_options_say_what_the_runs_have_in_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def stop(configuration: cep.Configuration, parameters: Any, *_: Any, **__: Any) -> None:
        asked.append((configuration, parameters))
        raise ValueError("enough")

    monkeypatch.setattr("cep.experiments.sweep", stop)
    place = ("--run-dir", tmp_path / "sweep")
    for arguments in (
        ("--preset", "C-VF-2h", "--param", "seed=0:5"),
        ("--data", "mnist", "--rule", "ep", "--param", "hidden=64,128+64", "--epochs", 3),
        ("--param", "learning_rates=0.1,0.05+0.02", "--param", "patience=none,3"),
    ):
        assert "enough" in sweep(*arguments, *place).stderr
    assert asked == [
        (presets.get("C-VF-2h").configuration, {"seed": [0, 1, 2, 3, 4]}),
        (presets.get("EP-1h").configuration.replace(epochs=3), {"hidden": [[64], [128, 64]]}),
        (
            cep.Configuration(),
            {"learning_rates": [0.1, [0.05, 0.02]], "patience": [None, 3]},
        ),
    ]


def test_a_run_that_fails_is_printed_and_tried_again(tmp_path: Path) -> None:
    mnist, place = tmp_path / "mnist", tmp_path / "sweep"
    arguments = (*QUICK, "--param", "data=mnist,digits", "--data-root", mnist, "--run-dir", place)
    result = sweep(*arguments)
    assert result.exit_code == 1
    assert "data=mnist  failed: FileNotFoundError: MNIST was not found." in result.stdout
    assert "Error: 1 of 2 runs failed; the same command repeats them" in result.stderr
    assert RunDirectory(place / "data=digits").status()[0] == "finished"
    write_mnist(mnist, fake_mnist(train=60))
    digits = files(place / "data=digits")
    again = sweep(*arguments)
    assert again.exit_code == 0, again.output
    assert RunDirectory(place / "data=mnist").status()[0] == "finished"
    assert files(place / "data=digits") == digits


def test_divergence_is_a_result(tmp_path: Path) -> None:
    result = sweep("--hidden", 16, "--nudged-steps", 1000, "--epochs", 1, "--param", "beta=10",
                   "--run-dir", tmp_path)  # fmt: skip
    assert result.exit_code == 0, result.output
    assert re.search(r"^ +0 +beta=10  diverged: .* layer", result.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, ("Missing option '--param'",)),
        (("--param", "beta"), 2, ("a name and values, such as beta=0.1,0.2, got 'beta'",)),
        (("--param", "betta=1"), 1, ("unknown parameter 'betta'; did you mean 'beta'",)),
        (("--param", "learning-rates=1"), 1, ("did you mean 'learning_rates'",)),
        (("--param", "seed=0:x"), 1, ("seed must be an integer or a range", "got '0:x'")),
        (("--param", "seed=5:5"), 1, ("seed has no values",)),
        (("--param", "seed=0,0"), 1, ("seed has the value 0 twice",)),
        (("--param", "seed=0", "--param", "seed=1"), 2, ("--param seed is given twice",)),
        (("--param", "beta=0.1", "--beta", 0.2), 2, ("swept by --param: leave out --beta",)),
        (
            ("--param", "diagnostics_kinds=energy", "--diagnostics", "energy"),
            2,
            ("leave out --diagnostics",),
        ),
        (("--param", "beta=0.1", "--preset", "cep-1h"), 1, ("did you mean 'C-EP-1h'",)),
        (("--param", "beta=0.1", "--jobs", 0), 1, ("jobs must be 1 or more, got 0",)),
        (("--param", "dt=-1"), 1, ("dt=-1: dt must be in",)),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else None,
)
def test_refused_arguments(
    arguments: tuple[object, ...], code: int, words: tuple[str, ...], tmp_path: Path
) -> None:
    result = sweep(*arguments, "--run-dir", tmp_path / "sweep")
    assert result.exit_code == code, result.output
    for word in words:
        assert word in " ".join(result.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_another_sweep_is_refused(tmp_path: Path) -> None:
    assert sweep(*QUICK, "--param", "seed=0", "--run-dir", tmp_path).exit_code == 0
    before = files(tmp_path)
    result = sweep(*QUICK, "--param", "seed=0", "--beta", 0.4, "--run-dir", tmp_path)
    assert result.exit_code == 1
    assert "beta is 0.5 there, 0.4 here" in " ".join(result.stderr.split())
    assert files(tmp_path) == before


def start(*arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "cep", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("no_pictures_in_children")
@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_control_c_shows_how_to_continue(jobs: str, tmp_path: Path) -> None:
    folder = tmp_path / "a sweep"
    running = start(
        *("sweep", "--hidden", "128", "--free-steps", "60", "--epochs", "4"),
        *("--validation-fraction", "0", "--param", "beta=0.3,0.5", "--jobs", jobs),
        *("--run-dir", str(folder)),
    )
    while running.poll() is None and not list(folder.rglob("last.safetensors")):
        time.sleep(0.005)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    said = re.search(r"^Error: stopped by Ctrl-C; continue with: cep (.*)$", err, re.MULTILINE)
    assert said is not None, err
    statuses = [RunDirectory(path).status()[0] for path in folder.iterdir() if path.is_dir()]
    assert set(statuses) <= {"unfinished", "interrupted"}

    resumed = start(*shlex.split(said[1]))
    _, err = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, err
    for beta in (0.3, 0.5):
        expected = cep.Configuration(free_steps=60, epochs=4, beta=beta, validation_fraction=0)
        directory = RunDirectory(folder / f"beta={beta}")
        assert directory.status().status == "finished"
        assert directory.configuration() == expected
        assert same(kept(directory.path), fitted(expected)[0])


@pytest.mark.usefixtures("no_pictures_in_children")
def test_a_line_a_run(tmp_path: Path) -> None:
    arguments = (*QUICK, "--param", "seed=0:3", "--jobs", 1, "--run-dir", tmp_path)
    running = start("sweep", *map(str, arguments))
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert len(ROW.findall(out)) == 3
    # No bar, because stderr is not a terminal.
    assert all(line.startswith("LearningWarning: run 'seed=") for line in err.splitlines())


def test_the_help_explains_values() -> None:
    words = " ".join(invoke("sweep", "--help").stdout.split())
    for promised in ("seed=0:5", "hidden=64,128+64", "--preset", "--jobs", "results.csv"):
        assert promised in words
    assert "sweep" in invoke("--help").stdout
