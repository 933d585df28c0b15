"""``cep reproduce``: rows, the table, figures, and refused arguments."""

import importlib
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from dataset_files import fake_mnist, write_mnist
from fake_trials import quick_presets  # noqa: F401 (fixture)

import cep
from cep.cli import cep as command
from cep.experiments import RunDirectory, presets
from cep.plotting.plots import new_figure
from cep.reproduction.theorem_figure import RuleCurves, TheoremCurves

pytestmark = pytest.mark.once


def reproduce(*arguments: object) -> Result:
    result = CliRunner().invoke(command, ["reproduce", "--no-progress", *map(str, arguments)])
    assert "Traceback" not in result.output
    return result


@pytest.mark.usefixtures("quick_presets")
def test_rows_print_their_runs_and_what_was_published(tmp_path: Path) -> None:
    result = reproduce(
        "EP-1h", "C-VF-1h", "EP-1h", "--seeds", 2, "--jobs", 1, "--run-dir", tmp_path
    )
    assert result.exit_code == 0, result.output
    runs = re.findall(r"^(\S+)  finished after 3/3 epochs", result.stdout, re.MULTILINE)
    assert sorted(runs) == [
        f"{name}/seed-{seed}" for name in ("C-VF-1h", "EP-1h") for seed in (0, 1)
    ]
    for name in ("EP-1h", "C-VF-1h"):
        assert str(cep.reproduce(name, 2, tmp_path, jobs=1, progress=False)) in result.stdout
    assert result.stdout.count("published  2.00 ± 0.10 %") == 2
    summary = result.stdout.split("\n\n")[-1].splitlines()
    assert [line.split()[:2] for line in summary] == [
        ["run", "seeds"],
        ["EP-1h", "2"],
        ["C-VF-1h", "2"],
    ]


@pytest.mark.usefixtures("quick_presets")
def test_with_bptt_each_row_is_trained_twice(tmp_path: Path) -> None:
    result = reproduce(
        "EP-1h", "--with-bptt", "--seeds", 1, "--epochs", 2, "--jobs", 1, "--run-dir", tmp_path
    )
    assert result.exit_code == 0, result.output
    rules = {
        path.parent.name: RunDirectory(path).configuration().rule for path in tmp_path.glob("*/*")
    }
    assert rules == {"EP-1h": "ep", "EP-1h-with-BPTT": "bptt"}
    assert result.stdout.count("2 of 3 epochs") == 2


def asked_for(
    monkeypatch: pytest.MonkeyPatch, function: str, *arguments: object
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with which the command calls a function of cep.reproduction."""
    calls: list[Any] = []

    def call(*positional: Any, **named: Any) -> None:
        calls.append((positional, named))
        raise ValueError("enough")

    monkeypatch.setattr(f"cep.reproduction.{function}", call)
    result = reproduce(*arguments)
    assert (result.exit_code, result.stderr) == (1, "Error: enough\n")
    return calls[0]  # type: ignore[no-any-return]


def test_the_table_has_each_row_as_published_and_alternating(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (rows,), options = asked_for(monkeypatch, "reproduce_rows", "--table")
    names = ["EP-1h", "EP-2h", "C-EP-1h", "C-EP-2h", "C-VF-1h", "C-VF-2h"]
    both = [each for name in names for each in (name, f"{name}-alternating")]
    assert list(rows) == [presets.get(name) for name in both]
    assert not options.keys() & {"seeds", "epochs", "jobs"}, "the defaults: five seeds, all epochs"
    assert options["directory"] == Path("runs")


@pytest.mark.parametrize(
    ("figure", "function", "names", "given"),
    [
        ("angles", "angles", (), "C-VF-1h"),
        ("angles", "angles", ("C-VF-2h",), presets.get("C-VF-2h")),
        ("correlation", "correlation", (), ("EP-1h", "C-EP-1h", "C-VF-1h")),
        ("correlation", "correlation", ("EP-2h",), [presets.get("EP-2h")]),
    ],
)
def test_arguments_of_figures(
    figure: str, function: str, names: tuple[str, ...], given: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--seeds", 3, "--epochs", 7, "--jobs", 2, "--data-root", "x", "--run-dir", "y")
    (first,), named = asked_for(monkeypatch, function, "--figure", figure, *names, *options)
    assert first == given
    assert named.pop("on_run_end") is not None
    assert named == {
        "seeds": 3, "epochs": 7, "jobs": 2, "data_root": Path("x"), "directory": Path("y"),
        "progress": False,
    }  # fmt: skip


@pytest.mark.usefixtures("quick_presets")
def test_a_figure_is_drawn_and_printed(tmp_path: Path) -> None:
    options = ("--fixed-feedback", "--epochs", 1, "--jobs", 1, "--run-dir", tmp_path)
    result = reproduce("--figure", "angles", *options)
    assert result.exit_code == 0, result.output
    for name in ("C-VF-1h", "C-VF-1h-with-fixed-feedback"):
        runs = re.findall(rf"^angles/{name}/angle-\S+/seed-0  ", result.stdout, re.MULTILINE)
        assert len(runs) == 9
    assert str(cep.reproduction.read_angles("C-VF-1h", tmp_path)) in result.stdout
    for ending in ("png", "svg", "json"):
        path = tmp_path / "figures" / f"angles-C-VF-1h.{ending}"
        assert path.stat().st_size > 500
        assert f"figure         {path}" in result.stdout


@pytest.mark.usefixtures("quick_presets")
def test_the_correlation_figure_is_drawn_and_printed(tmp_path: Path) -> None:
    options = ("--seeds", 1, "--epochs", 1, "--jobs", 1, "--run-dir", tmp_path)
    result = reproduce("--figure", "correlation", "EP-1h", *options)
    assert result.exit_code == 0, result.output
    assert str(cep.reproduction.correlation(["EP-1h"], 1, tmp_path, progress=False)) in (
        result.stdout
    )
    for ending in ("png", "svg", "json"):
        path = tmp_path / "figures" / f"correlation.{ending}"
        assert path.stat().st_size > 500
        assert f"figure         {path}" in result.stdout


def test_the_theorem_figure_is_of_both_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = cep.Network([4, 3, 2], feedback="untied", dtype="float64", seed=0)
    rule = RuleCurves.of(cep.gdu_check(net, [[0.5] * 4], [1], 100, 5, 0.01))
    asked = []

    def gdu(setting: str, *, data_root: Path) -> TheoremCurves:
        asked.append((setting, data_root))
        return TheoremCurves(setting, {"EP": rule, "VF": rule})

    monkeypatch.setattr("cep.reproduction.gdu", gdu)
    monkeypatch.setattr(TheoremCurves, "plot", lambda curves: new_figure())
    result = reproduce("--figure", "gdu", "--data-root", "x", "--run-dir", tmp_path)
    assert result.exit_code == 0, result.output
    assert asked == [("prototypical", Path("x")), ("real-time", Path("x"))]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == [
        f"gdu-{setting}.{ending}"
        for setting in ("prototypical", "real-time")
        for ending in ("json", "png", "svg")
    ]
    assert result.stdout.count(f"{rule.angle:.2f}°") == 4


@pytest.mark.usefixtures("quick_presets")
def test_runs_that_failed_are_shown_and_the_status_is_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(configuration: cep.Configuration, *arguments: Any, **options: Any) -> Any:
        if configuration.seed == 1:
            raise OSError("the disk is full")
        return original(configuration, *arguments, **options)

    original = cep.run
    monkeypatch.setattr(importlib.import_module("cep.experiments.run_many"), "run", run)
    command_line = ("EP-1h", "--seeds", 2, "--jobs", 1, "--run-dir", tmp_path)
    result = reproduce(*command_line)
    assert result.exit_code == 1
    assert "EP-1h/seed-1  failed after 0/3 epochs: OSError: the disk is full" in result.stdout
    assert "over the 1 of 2 seeds that finished; 1 failed" in result.stdout
    assert "runs that failed: 1; the same command repeats them" in result.stderr


def test_without_matplotlib_nothing_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = reproduce("--figure", "angles", "--run-dir", tmp_path)
    assert result.exit_code == 1
    assert "drawing needs matplotlib: pip install 'equilibrium-propagation[plot]'" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ("C-EP-1",),
            1,
            ("unknown preset 'C-EP-1'; did you mean 'C-EP-1h'?", *presets.PRESETS),
        ),
        (("EP-1h", "nonsense"), 1, ("unknown preset 'nonsense'; known: EP-1h",)),
        ((), 2, ("give NAMEs of published experiments, --table, or --figure",)),
        (("--table", "EP-1h"), 2, ("give NAMEs",)),
        (("--table", "--figure", "gdu"), 2, ("give NAMEs",)),
        (("--figure", "angels"), 2, ("'angels' is not one of 'angles', 'gdu', 'correlation'",)),
        (("--figure", "angles", "--with-bptt"), 2, ("--with-bptt needs NAMEs or --table",)),
        (("--figure", "gdu", "--fixed-feedback"), 2, ("--fixed-feedback needs --figure angles",)),
        (("--figure", "angles", "EP-1h", "C-VF-1h"), 2, ("takes one NAME, got 2",)),
        (("--figure", "angles", "EP-1h"), 1, ("EP-1h has tied feedback",)),
        (("--figure", "gdu", "EP-1h", "--seeds", 3), 2, ("leave out EP-1h, --seeds",)),
        (("EP-1h", "--seeds", 0), 1, ("seeds must be 1 or more, got 0",)),
        (("EP-1h", "--epochs", 0), 1, ("epochs must be 1 or more, got 0",)),
        (("EP-1h", "--jobs", 0), 1, ("jobs must be 1 or more, got 0",)),
        (("P-3h", "--data-root", "{}"), 1, ("MNIST was not found",)),
        (("EP-1h", "--run-dir", "{}/file"), 2, ("--run-dir", "is a file")),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else None,
)
@pytest.mark.usefixtures("quick_presets")
def test_refused_arguments(
    arguments: tuple[object, ...],
    code: int,
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    result = reproduce(*(str(argument).format(tmp_path) for argument in arguments))
    assert result.exit_code == code, result.output
    for word in words:
        assert word in " ".join(result.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.usefixtures("no_pictures_in_children")
def test_ctrl_c_ends_with_130_and_the_same_command_continues(tmp_path: Path) -> None:
    write_mnist(tmp_path / "mnist", fake_mnist(train=2000, test=100))
    arguments = ["reproduce", "C-EP-1h", "--seeds", "2", "--epochs", "4", "--jobs", "1",
                 "--no-progress", "--data-root", "mnist"]  # fmt: skip

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "cep", *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    runs = [RunDirectory(tmp_path / "runs" / "C-EP-1h" / f"seed-{seed}") for seed in (0, 1)]
    running = start()
    deadline = time.monotonic() + 120
    while not runs[1].metrics() and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=120)
    assert running.returncode == 130
    assert f"stopped by Ctrl-C; continue with: cep {' '.join(arguments)}" in err
    assert "Traceback" not in err
    assert [run.status()[0] for run in runs] == ["finished", "interrupted"]
    first, second = runs[0].metrics(), runs[1].metrics()

    again = start()
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0
    assert all(line.startswith("LearningWarning: run 'C-EP-1h/seed-") for line in err.splitlines())
    assert "over the 2 of 2 seeds that finished" in out
    assert runs[0].metrics() == first
    assert runs[1].metrics()[: len(second)] == second
    assert len(runs[1].metrics()) == 4
