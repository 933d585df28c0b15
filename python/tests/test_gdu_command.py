"""cep gdu prints, draws and saves the results of gdu_check."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import cep
from cep.cli import cep as command

pytestmark = pytest.mark.once

OPTIONS = [
    *("--data", "--data-root", "--hidden", "--setting", "--activation", "--dt", "--clamp"),
    *("--no-clamp", "--feedback", "--feedback-angle", "--dtype", "--free-steps", "--nudged-steps"),
    *("--beta", "--learning-rates", "--batch-size", "--seed", "--save-plot", "--save-json"),
]
QUICK = ("--hidden", "12", "--free-steps", "60", "--nudged-steps", "5")
PUBLISHED = {"prototypical": (150, 10, 0.01), "real-time": (800, 80, 0.005)}


def gdu(*options: object) -> Result:
    return CliRunner().invoke(command, ["gdu", *map(str, options)])


def expected(
    hidden: tuple[int, ...],
    steps: tuple[int, int, float],
    rates: Any = 0,
    rows: int = 1,
    **net: Any,
) -> cep.GDUReport:
    """The report of the same check from Python."""
    seed = net.setdefault("seed", 0)
    _, (x, y) = cep.datasets.split(cep.datasets.digits(), 360, seed=seed)
    network = cep.Network([64, *hidden, 10], **{"activation": "tanh", **net})
    return cep.gdu_check(network, x[:rows], y[:rows], *steps, rates)


def assert_message(result: Result, code: int, *words: str) -> None:
    """Expect this exit code, a message with these words, and no traceback."""
    assert result.exit_code == code, result.output
    assert isinstance(result.exception, SystemExit), result.exception
    assert "Error: " in result.stderr
    assert "Traceback" not in result.output
    for word in words:
        assert word in result.stderr


def test_the_defaults_are_the_conditions_of_the_paper() -> None:
    result = gdu()
    assert result.exit_code == 0, result.output
    report = expected((128,), PUBLISHED["prototypical"])
    assert result.stdout == f"{report}\n"
    assert result.stderr == ""
    assert f"{report.angle:.2f}°" in result.stdout
    assert report.angle < 3


def test_the_defaults_of_the_real_time_setting() -> None:
    result = gdu("--setting", "real-time", "--dt", 0.08, "--no-clamp", "--hidden", 32)
    assert result.exit_code == 0, result.output
    options: dict[str, Any] = {"setting": "real-time", "dt": 0.08, "clamp": False}
    assert result.stdout == f"{expected((32,), PUBLISHED['real-time'], **options)}\n"


def test_every_option_reaches_the_check() -> None:
    result = gdu(
        *("--hidden", "12,8", "--setting", "real-time", "--activation", "shifted_sigmoid"),
        *("--dt", 0.3, "--clamp", "--feedback", "untied", "--feedback-angle", 30),
        *("--dtype", "float64", "--free-steps", 300, "--nudged-steps", 7, "--beta", -0.03),
        *("--learning-rates", "0.001,0.002,0.003", "--batch-size", 4, "--seed", 5),
    )
    assert result.exit_code == 0, result.output
    report = expected(
        (12, 8),
        (300, 7, -0.03),
        [0.001, 0.002, 0.003],
        4,
        setting="real-time",
        activation="shifted_sigmoid",
        dt=0.3,
        feedback="untied",
        feedback_angle=30,
        dtype="float64",
        seed=5,
    )
    assert result.stdout == f"{report}\n"
    for words in ("64-12-8-10", "untied", "feedback 2→1", "η = 0.001, 0.002, 0.003"):
        assert words in result.stdout


@pytest.mark.parametrize(
    "options",
    [
        ("--activation", "shifted_sigmoid"),
        ("--feedback", "untied", "--feedback-angle", "90"),
        ("--seed", "3"),
        ("--beta", "0.1"),
        ("--batch-size", "6"),
        ("--learning-rates", "0.01"),
        ("--setting", "real-time", "--dt", "0.9"),
    ],
    ids=" ".join,
)
def test_an_option_changes_the_table(options: tuple[str, ...]) -> None:
    plain, changed = gdu(*QUICK), gdu(*QUICK, *options)
    assert (plain.exit_code, changed.exit_code) == (0, 0), changed.output
    tables = [result.stdout.split("\n", 2)[2] for result in (plain, changed)]
    assert tables[0] != tables[1]
    assert plain.stdout == gdu(*QUICK).stdout


@pytest.mark.parametrize("feedback", ["tied", "untied"])
@pytest.mark.parametrize("name", ["gdu.png", "übung gdu.png"])
def test_a_picture_is_saved(name: str, feedback: str, tmp_path: Path) -> None:
    from matplotlib.image import imread

    path = tmp_path / name
    result = gdu(*QUICK, "--feedback", feedback, "--save-plot", path)
    assert result.exit_code == 0, result.output
    assert f"picture: {path}" in result.stdout.replace("\n", "")
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    pixels = np.asarray(imread(path))
    rows = 3 if feedback == "untied" else 2
    assert pixels.shape[0] > 150 * rows
    assert pixels.std() > 0.01  # Not an empty page.
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("feedback", ["tied", "untied"])
def test_the_curves_are_saved(feedback: str, tmp_path: Path) -> None:
    path = tmp_path / "gdu.json"
    result = gdu(*QUICK, "--feedback", feedback, "--save-json", path)
    assert result.exit_code == 0, result.output
    assert f"curves: {path}" in result.stdout.replace("\n", "")
    report = expected((12,), (60, 5, 0.01), feedback=feedback)
    loaded = json.loads(path.read_text())
    assert loaded == json.loads(json.dumps(report.to_dict()))
    assert np.shape(loaded["curves"]["weights 0→1"]["updates"]) == (5, 12, 64)
    assert ("feedback 2→1" in loaded["curves"]) == (feedback == "untied")


def test_what_is_saved_is_json_whatever_it_holds(tmp_path: Path) -> None:
    """After one step some layers have not been reached; JSON has no NaN."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is not JSON")

    path = tmp_path / "gdu.json"
    assert gdu(*QUICK, "--nudged-steps", 1, "--save-json", path).exit_code == 0
    json.loads(path.read_text(), parse_constant=refuse)


def test_a_free_phase_that_is_too_short_is_warned_of() -> None:
    result = gdu("--hidden", 12, "--free-steps", 4, "--nudged-steps", 3)
    assert result.exit_code == 0, result.output
    assert re.search(
        r"^warning: the free phase has not converged: after 4 steps", result.stderr, re.M
    )
    residual = re.search(r"still move by ([\d.e+-]+) a step", result.stderr)
    assert residual is not None
    assert f"residual of the free phase {residual[1]}" in result.stdout


def test_help_names_every_option() -> None:
    result = CliRunner().invoke(command, ["gdu", "--help"])
    assert result.exit_code == 0
    for option in OPTIONS:
        assert re.search(rf"(^|[\s/]){option}\b", result.stdout, re.MULTILINE), option
    for words in ("Theorem 1", "T = 150, K = 10", "T = 800, K = 80", "tanh", "0 to 180"):
        assert words in " ".join(result.stdout.split())
    described = re.split(r"^  -", result.stdout, flags=re.MULTILINE)[1:]
    assert len(described) >= len(OPTIONS) - 1
    assert all(len(text.split()) > 3 for text in described)
    assert "gdu" in CliRunner().invoke(command, ["--help"]).stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--feedback-angle", "wide"), ("--feedback-angle", "wide")),
        (("--hidden", "many"), ("--hidden", "many")),
        (("--nudged-steps", "2.5"), ("--nudged-steps", "2.5")),
        (("--learning-rates", "slow"), ("--learning-rates", "slow")),
        (("--epochs", "3"), ("--epochs",)),
        (("--save-json", "."), ("--save-json",)),
        (("--save-plot", "."), ("--save-plot",)),
    ],
    ids=lambda value: " ".join(value),
)
def test_misused_options(options: tuple[str, ...], words: tuple[str, ...]) -> None:
    assert_message(gdu(*options), 2, *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--setting", "discrete"), ("setting", "discrete", "real-time")),
        (("--feedback", "random"), ("feedback", "random", "untied")),
        (("--data", "cifar"), ("data", "cifar", "digits")),
        (("--nudged-steps", 151), ("nudged_steps is 151", "150 free_steps")),
        (("--free-steps", 0), ("free_steps", "1 or more", "0")),
        (("--nudged-steps", -2), ("nudged_steps", "1 or more", "-2")),
        (("--beta", 0), ("beta", "not 0")),
        (("--beta", "nan"), ("beta", "finite", "nan")),
        (("--feedback", "untied", "--feedback-angle", 181), ("angle", "0 to 180", "181")),
        (("--setting", "real-time", "--dt", 1.5), ("dt", "(0, 1]", "1.5")),
        (("--learning-rates", "1,1,1"), ("3 values", "2 connections")),
        (("--learning-rates", "-1"), ("learning_rates", "0 or more", "-1")),
        (("--hidden", 0), ("layer 1", "0 units")),
        (("--batch-size", 0), ("batch", "1 or more", "0")),
        (("--batch-size", -5), ("batch", "1 or more", "-5")),
        (("--seed", -1), ("seed", "-1")),
        (("--beta", 10, "--free-steps", 999, "--nudged-steps", 999), ("diverged", "layer 2")),
        (("--save-plot", "nowhere/gdu.png"), ("--save-plot", "nowhere")),
        (("--save-plot", "gdu.bmp"), ("--save-plot", "gdu.bmp", ".png")),
        (("--save-json", "nowhere/gdu.json"), ("nowhere",)),
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
    assert_message(gdu("--hidden", 12, *options), 1, *words)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_mnist(tmp_path: Path) -> None:
    result = gdu("--data", "mnist", "--data-root", tmp_path)
    assert_message(result, 1, "MNIST", str(tmp_path), "train-images-idx3-ubyte.gz")
