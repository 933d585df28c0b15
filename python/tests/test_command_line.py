"""The command trains, prints its results, and reports errors."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cep
from cep.cli import cep as command

pytestmark = pytest.mark.once

OPTIONS = [
    *("--data", "--data-root", "--rule", "--hidden", "--activation", "--dtype", "--free-steps"),
    *("--nudged-steps", "--beta", "--learning-rates", "--epochs", "--batch-size", "--seed"),
    *("--save-plot", "--progress", "--no-progress", "--help", "--preset", "--run-dir", "--resume"),
    *("--checkpoint-every", "--patience", "--diagnostics-every", "--diagnostics", "--tensorboard"),
    *("--learning-rate-decay", "--learning-rate-schedule", "--validation-fraction"),
    *("--test-every-epoch",),
]
ROW = re.compile(r"^ *(\d+) +([\d.]+)% +([\d.]+) +([\d.]+)% +([\d.]+) +([\d.]+)$", re.MULTILINE)
VALIDATION = re.compile(r"^validation +([\d.]+)% after the last epoch, ([\d.]+)%", re.MULTILINE)
FINAL = re.compile(r"^test error +([\d.]+)% after the last epoch ", re.MULTILINE)
QUICK = ("--epochs", "2", "--hidden", "16", "--no-progress")


def train(*options: object) -> Result:
    return CliRunner().invoke(command, ["train", *map(str, options)])


def process(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cep", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_message(result: Result, code: int, *words: str) -> None:
    """Expect this exit code, a message with these words, and no traceback."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Error: " in result.stderr
    assert "Traceback" not in result.output
    for word in words:
        assert word in result.stderr


@pytest.mark.parametrize("rule", ["ep", "c-ep"])
def test_the_table_and_the_test_error_are_those_of_the_training(rule: str) -> None:
    result = train("--rule", rule, "--epochs", 3, "--hidden", "32", "--seed", 4, "--no-progress",
                   "--relaxation", "synchronous", "--beta-sign", "fixed",
                   "--free-steps", 20, "--nudged-steps", 8, "--beta", 0.4,
                   "--learning-rates", "0.06,0.03", "--batch-size", 30,
                   "--validation-fraction", 0.2)  # fmt: skip
    assert result.exit_code == 0, result.output

    data, test = cep.datasets.split(cep.datasets.digits(), 360, seed=4)
    net = cep.Network([64, 32, 10], seed=4)
    learning = {"ep": cep.EP, "c-ep": cep.CEP}[rule](20, 8, 0.4, [0.06, 0.03])
    history = cep.fit(net, data, learning, 3, 30, validation_data=0.2, seed=4, progress=False)

    rows = ROW.findall(result.stdout)
    assert [int(row[0]) for row in rows] == [1, 2, 3]
    columns = (history.train_error, history.train_loss)
    columns += (history.validation_error, history.validation_loss)
    for column, values in enumerate(columns, start=1):
        percent = 100 if column in (1, 3) else 1
        printed = [float(row[column]) for row in rows]
        assert printed == pytest.approx([percent * value for value in values], abs=0.0051)
    final = FINAL.search(result.stdout)
    assert final is not None
    assert float(final[1]) == pytest.approx(100 * cep.evaluate(net, test, 20).error, abs=0.0051)
    validated = VALIDATION.search(result.stdout)
    assert validated is not None
    assert float(validated[1]) == pytest.approx(100 * history.validation_error[-1], abs=0.0051)
    assert float(validated[2]) == pytest.approx(100 * min(history.validation_error), abs=0.0051)


def test_the_same_seed_prints_the_same() -> None:
    def without_times(*options: object) -> list[tuple[str, ...]]:
        return [row[:5] for row in ROW.findall(train(*QUICK, *options).stdout)]

    assert len(without_times()) == 2
    assert without_times("--seed", 3) == without_times("--seed", 3)
    assert without_times("--seed", 3) != without_times("--seed", 5)
    assert without_times() == without_times("--seed", 0)


def test_what_is_trained_is_printed() -> None:
    result = train(*QUICK, "--activation", "tanh", "--dtype", "float64", "--seed", 9, "--beta", 0.3)
    assert result.exit_code == 0, result.output
    for words in ("64-16-10", "tanh", "float64", "seed=9", " EP(", "beta=0.3", "1437", "360"):
        assert words in result.stdout


@pytest.mark.parametrize("rates", [None, "0.05", "0.05,0.04,0.03"])
def test_several_hidden_layers(rates: str | None) -> None:
    given = () if rates is None else ("--learning-rates", rates)
    result = train("--hidden", "32,16", *given, "--epochs", 1, "--no-progress")
    assert result.exit_code == 0, result.output
    assert "64-32-16-10" in result.stdout


def test_a_real_process_in_another_folder(tmp_path: Path) -> None:
    done = process(tmp_path, "train", "--epochs", "3", "--hidden", "32")
    assert done.returncode == 0, done.stderr
    assert len(ROW.findall(done.stdout)) == 3
    assert FINAL.search(done.stdout)
    assert done.stderr == ""  # No progress bar, because stderr is not a terminal.
    assert "samples/s" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_without_a_progress_bar_nothing_goes_to_standard_error(tmp_path: Path) -> None:
    done = process(tmp_path, "train", *QUICK)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["curve.png", "übung kurve.png"])
def test_a_picture_is_saved(name: str, tmp_path: Path) -> None:
    from matplotlib.image import imread

    path = tmp_path / name
    result = train(*QUICK, "--save-plot", path)
    assert result.exit_code == 0, result.output
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    pixels = np.asarray(imread(path))
    assert min(pixels.shape[:2]) > 200
    assert pixels.std() > 0.01  # Not an empty page.
    assert str(path) in result.stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("name", "start"), [("curve.svg", b"<?xml"), ("curve.pdf", b"%PDF"), ("CURVE.PNG", b"\x89PNG")]
)
def test_pictures_of_other_kinds(name: str, start: bytes, tmp_path: Path) -> None:
    result = train(*QUICK, "--save-plot", tmp_path / name)
    assert result.exit_code == 0, result.output
    assert (tmp_path / name).read_bytes().startswith(start)


def test_help_names_every_option() -> None:
    result = train("--help")
    assert result.exit_code == 0
    for option in OPTIONS:
        assert re.search(rf"(^|[\s/]){option}\b", result.stdout, re.MULTILINE), option
    for words in ("digits", "mnist", "ep", "c-ep", "shifted_sigmoid", "float64", "[default: 20]"):
        assert words in result.stdout
    described = re.split(r"^  -", result.stdout, flags=re.MULTILINE)[1:]
    assert len(described) >= len(OPTIONS) - 1
    assert all(len(text.split()) > 3 for text in described)


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["train", "-h"]], ids=str)
def test_help_of_the_command(arguments: list[str]) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0
    assert "train" in result.stdout
    assert "Usage: " in result.stdout


def test_version() -> None:
    result = CliRunner().invoke(command, ["--version"])
    assert result.exit_code == 0
    assert cep.__version__ in result.stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--hidden", "many"), ("--hidden", "many")),
        (("--hidden", "32,,16"), ("--hidden", "32,,16")),
        (("--hidden", ""), ("--hidden",)),
        (("--hidden", "3.5"), ("--hidden", "3.5")),
        (("--learning-rates", "fast"), ("--learning-rates", "fast")),
        (("--epochs", "few"), ("--epochs", "few")),
        (("--epochs", "1.5"), ("--epochs", "1.5")),
        (("--beta", "strong"), ("--beta", "strong")),
        (("--speed", "0.9"), ("--speed",)),
        (("--save-plot", "."), ("--save-plot",)),
    ],
    ids=lambda value: " ".join(value),
)
def test_misused_options(options: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_message(train(*options), 2, *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--rule", "backprop"), ("rule", "backprop", "c-ep")),
        (("--data", "cifar"), ("data", "cifar", "digits")),
        (("--activation", "relu"), ("activation", "relu", "tanh")),
        (("--dtype", "float16"), ("dtype", "float16", "float32")),
        (("--epochs", 0), ("epochs", "1 or more", "0")),
        (("--epochs", -1), ("epochs", "1 or more", "-1")),
        (("--batch-size", 0), ("batch_size", "1 or more", "0")),
        (("--free-steps", 0), ("free_steps", "1 or more", "0")),
        (("--nudged-steps", -2), ("nudged_steps", "1 or more", "-2")),
        (("--beta", 0), ("beta", "not 0")),
        (("--beta", "nan"), ("beta", "finite", "nan")),
        (("--beta", 10, "--nudged-steps", 1000), ("diverged", "in layer")),
        (("--hidden", 0), ("layer 1", "0 units")),
        (("--hidden", 10**30), ("64 bits", str(10**30))),
        (("--hidden", "1000000000,1000000000", "--learning-rates", 0.1), ("memory",)),
        (("--learning-rates", "0.1,0.1,0.1"), ("3 values", "2 connections")),
        (("--learning-rates", "-1"), ("learning_rates", "0 or more", "-1")),
        (("--seed", -1), ("seed", "-1")),
        (("--save-plot", "nowhere/curve.png"), ("--save-plot", "nowhere")),
        (("--save-plot", "curve.bmpp"), ("--save-plot", "curve.bmpp", ".png")),
    ],
    ids=lambda value: " ".join(map(str, value)),
)
def test_invalid_values(
    options: tuple[object, ...],
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_message(train("--no-progress", *options), 1, *words)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_mnist(tmp_path: Path) -> None:
    result = train("--data", "mnist", "--data-root", tmp_path)
    assert_message(result, 1, "MNIST", str(tmp_path), "train-images-idx3-ubyte.gz")


def test_a_damaged_file(tmp_path: Path) -> None:
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte").write_bytes(b"\0\0\x08\x01")
    result = train("--data", "mnist", "--data-root", tmp_path)
    assert_message(result, 1, str(tmp_path / "train-images-idx3-ubyte"))


def test_a_picture_without_matplotlib(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert_message(train(*QUICK, "--save-plot", tmp_path / "curve.png"), 1, "matplotlib")


def test_control_c_ends_with_a_message(tmp_path: Path) -> None:
    running = subprocess.Popen(
        [sys.executable, "-u", "-m", "cep", "train", "--epochs", "100000", "--no-progress"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    try:
        while not ROW.match(line := running.stdout.readline()):
            assert line, "it ended before the first epoch"
        running.send_signal(signal.SIGINT)
        err = running.communicate(timeout=30)[1]
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 130
    assert "stopped by Ctrl-C" in err
    assert "Traceback" not in err
