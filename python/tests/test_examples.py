"""Examples run: docstrings, README.md and docs."""

import doctest
import importlib
import os
import pkgutil
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from dataset_files import fake_mnist, write_mnist
from listings import listings
from places import REPOSITORY
from sklearn.datasets import load_digits
from sybil.document import Document
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

import cep

pytestmark = pytest.mark.once

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.walk_packages(cep.__path__, "cep.")
    if module.name != "cep.__main__"
]

SLOW = {"docs/sklearn.md", "docs/how_to/cluster.md"}


def name(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("module", [cep, *MODULES], ids=lambda module: module.__name__)
def test_examples_in_docstrings(module: ModuleType) -> None:
    assert doctest.testmod(module, extraglobs={"cep": cep, "np": np}).failed == 0


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for output. MNIST is a few images of noise, and there are 600 digits.

    Examples must run. Their accuracy is tested elsewhere.
    """
    x, y = load_digits(return_X_y=True)
    monkeypatch.setattr("sklearn.datasets.load_digits", lambda return_X_y: (x[:600], y[:600]))
    write_mnist(tmp_path / "mnist", fake_mnist(train=40, test=20))
    monkeypatch.setenv("CEP_DATA", os.fspath(tmp_path / "mnist"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.filterwarnings("default::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=name(page), marks=[pytest.mark.slow] * (name(page) in SLOW))
        for page in PAGES
        if listings(page, "python")
    ],
)
def test_python_blocks_of_a_page(page: Path) -> None:
    """In order, in one namespace; ``<!-- skip: next -->`` skips one visibly."""
    document = Document.parse(os.fspath(page), PythonCodeBlockParser(), SkipParser())
    for example in document.examples():
        example.evaluate()


def test_few_blocks_are_left_out() -> None:
    left_out = {name(page): page.read_text().count("<!-- skip:") for page in PAGES}
    assert {page: count for page, count in left_out.items() if count} == {
        "docs/experiments.md": 2,
        "docs/how_to/callbacks.md": 2,  # Nor are Weights & Biases and MLflow installed.
        "docs/networks.md": 1,  # PyTorch is not installed by tests.
    }


@pytest.mark.filterwarnings("ignore")
def test_the_callback_for_mlflow_logs_to_its_file_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    page = REPOSITORY / "docs" / "how_to" / "callbacks.md"
    names: dict[str, Any] = {"cep": cep}
    exec(listings(page, "python")[-1], names)
    x, y = np.random.default_rng(0).random((20, 4)), np.arange(20) % 3
    net, rule = cep.Network([4, 5, 3], seed=0), cep.EP(5, 4, 0.5, 0.1)
    history = cep.fit(net, (x, y), rule, 2, progress=False, callbacks=[names["MLflow"]()])
    (run,) = mlflow.search_runs(output_format="list")
    found = mlflow.MlflowClient().get_metric_history(run.info.run_id, "train_loss")
    assert [each.value for each in found] == history.train_loss
