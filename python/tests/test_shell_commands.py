"""Every shell command that README, docs, results and notebooks show runs, on few data."""

import contextlib
import json
import os
import re
import runpy
import shlex
import subprocess
import tomllib
from pathlib import Path

import click
import numpy as np
import pytest
from cifar_files import FOLDER, batch_bytes, fake_cifar
from click.testing import CliRunner
from dataset_files import fake_mnist, write_mnist
from listings import blocks_of
from places import REPOSITORY
from sklearn.datasets import load_digits

from cep.cli import cep as command

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("workers")]

PAGES = [
    *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
    *sorted((REPOSITORY / "results").rglob("*.md")),
    *sorted((REPOSITORY / "notebooks").glob("*.ipynb")),
]


def name(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def text_of(page: Path) -> str:
    text = page.read_text()
    if page.suffix == ".ipynb":
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    return text


def commands(page: Path) -> list[str]:
    """The commands of a page, in their order; a backslash joins lines."""
    lines = "".join(blocks_of(text_of(page), "sh")).replace("\\\n", " ").splitlines()
    return [each.strip() for line in lines for each in line.split("&&") if each.strip()]


def inline(page: Path) -> list[str]:
    """The commands within sentences, whole ones only."""
    found = re.findall(r"`(cep [a-z]+(?: [^`]*)?)`", text_of(page).replace("\n", " "))
    return [each for each in found if "…" not in each]


@pytest.fixture
def few_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to write into. MNIST is a few images of noise, and there are 600 digits."""
    x, y = load_digits(return_X_y=True)
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda return_X_y: (x[:600], y[:600]))
    write_mnist(tmp_path / "data", fake_mnist(train=40, test=20))
    (tmp_path / "data" / FOLDER).mkdir()
    for file, batch in fake_cifar(1, monkeypatch).items():
        (tmp_path / "data" / FOLDER / file).write_bytes(batch_bytes(*batch))
    np.savez(tmp_path / "clothes.npz", x=x[:100].reshape(-1, 8, 8).astype("u1"), y=y[:100])
    np.savez(tmp_path / "mine.npz", x=x[:100] / 16, y=y[:100])
    monkeypatch.setenv("CEP_DATA", os.fspath(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def short(words: list[str]) -> list[str]:
    """The same command with fewer epochs, steps and seeds, and with values for placeholders."""
    words = [{"N": "1", "DIR": "runs/dir"}.get(word, word) for word in words]
    if words[0] not in SHOWING or "--help" in words or "gdu" in words:
        return words
    if words[0] == "tune":
        return [*words, "--epochs", "1", "--trials", "2"]
    if words[0] == "train" and "--resume" in words:
        return words
    if words[0] == "train":
        nudged = [] if "bptt" in words else ["--nudged-steps", "2"]
        return [*words, "--epochs", "1", "--free-steps", "3", *nudged]
    return [*words, "--epochs", "1", "--jobs", "1", *(["--seeds", "1"] * (words[0] != "sweep"))]


def check(line: str) -> None:
    words = shlex.split(line, comments=True)
    if not words:
        return
    if words[0] == "cep":
        words = [*short(words[1:]), *(["--no-progress"] if words[1] in SHOWING else [])]
        result = CliRunner().invoke(command, words)
        assert result.exit_code == 0, result.output
    elif words[0].startswith("./"):
        program = REPOSITORY / words[0]
        assert os.access(program, os.X_OK)
        subprocess.run(["bash", "-n", program], check=True)
    elif words[:2] == ["python", "-m"]:
        runpy._get_module_details(words[2])  # type: ignore[attr-defined]
    elif words[0] in ("python", ".venv/bin/python") and words[1] == "-c":
        compile(words[2], line, "exec")
    elif words[0] in ("python", ".venv/bin/python"):
        compile((REPOSITORY / words[1]).read_text(), words[1], "exec")
    elif words[:2] == ["pip", "install"]:
        project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
        extras = re.findall(r"\[(.*)\]", words[2])
        assert extras or words[2].startswith(f"dist/{project['name'].replace('-', '_')}-")
        assert set(extras) <= project["optional-dependencies"].keys()
    else:
        assert words[:2] == ["apt-get", "install"], f"no test knows how to run {line!r}"


SHOWING = ("train", "sweep", "reproduce", "tune")
# Presets of 512 units, with all of their steps.
SLOW = {"docs/experiments.md", "results/README.md"}


@pytest.mark.usefixtures("few_data")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=name(page), marks=[pytest.mark.slow] * (name(page) in SLOW))
        for page in PAGES
        if commands(page)
    ],
)
def test_the_commands_of_a_page_run(page: Path) -> None:
    """In their order, in one folder that has a run of before."""
    earlier = ["train", "--hidden", "8", "--epochs", "1", "--no-progress", "--run-dir", "runs/a"]
    assert CliRunner().invoke(command, earlier).exit_code == 0
    for line in commands(page):
        # The study of hardware trains for minutes; test_hardware_study.py. Databases are not here.
        if "--figure hardware" not in line and "://" not in line:
            check(line)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, id=f"{name(page)}: {line}")
        for page in PAGES
        for line in [*inline(page), *commands(page)]
        if line.startswith("cep ") and "--help" not in line
    ],
)
def test_commands_are_understood(line: str) -> None:
    """Those within sentences too: their options exist and take such values."""
    words = shlex.split(line.partition("|")[0], comments=True)[1:]
    words = [{"N": "1", "NAME": "EP-1h"}.get(word, word) for word in words]
    group = click.Context(command, info_name="cep")
    found, subcommand, arguments = command.resolve_command(group, words)
    assert subcommand is not None
    if any(arguments):
        # A sentence may name a part of a command.
        with contextlib.suppress(click.MissingParameter, click.BadOptionUsage):
            subcommand.make_context(found, arguments, parent=group)
