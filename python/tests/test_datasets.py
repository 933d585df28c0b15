"""Imports of cep.datasets, and data sets by name."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cifar_files import fake_cifar, write_cifar
from dataset_files import MEMBERS, fake_mnist, write_mnist

import cep
from cep import datasets

NAMES = ["digits", "mnist", "fashion_mnist", "kmnist", "cifar10", "wine", "breast_cancer"]


def test_importing_needs_only_the_standard_library_and_numpy() -> None:
    """Scikit-learn and pooch take a second to import and may be absent."""
    program = """
import sys, types
sys.modules["cep"] = package = types.ModuleType("cep")
package.__path__ = [sys.argv[1]]  # Without cep/__init__.py, which imports everything else.
before = set(sys.modules)
import cep.datasets
new = {name.split(".")[0] for name in set(sys.modules) - before}
print(sorted(new - set(sys.stdlib_module_names)), "cep._cep" in sys.modules)
"""
    command = [sys.executable, "-c", program, str(Path(str(cep.__file__)).parent)]
    assert subprocess.check_output(command, text=True).strip() == "['cep', 'numpy'] False"


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("sklearn.datasets", datasets.digits),
        (
            "sklearn.model_selection",
            lambda: datasets.split((np.zeros((4, 1), np.float32), np.array([0, 0, 1, 1])), 2),
        ),
        ("pooch", datasets.mnist),
        ("pooch", datasets.fashion_mnist),
        ("pooch", datasets.kmnist),
        ("pooch", datasets.cifar10),
    ],
)
def test_missing_packages_are_named(
    module: str, call: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message must have the command that installs it."""
    monkeypatch.delenv("CEP_DATA", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        ImportError, match=r"pip install 'equilibrium-propagation\[datasets\]'"
    ) as caught:
        call()
    assert f"needs {module.partition('.')[0]}:" in str(caught.value)


def test_shapes_and_features() -> None:
    """Channels, height and width of each, and their product."""
    assert datasets.SHAPES == {
        "digits": (1, 8, 8), "mnist": (1, 28, 28), "fashion_mnist": (1, 28, 28),
        "kmnist": (1, 28, 28), "cifar10": (3, 32, 32), "wine": (13,), "breast_cancer": (30,),
    }  # fmt: skip
    assert datasets.FEATURES == {
        "digits": 64, "mnist": 784, "fashion_mnist": 784, "kmnist": 784, "cifar10": 3072,
        "wine": 13, "breast_cancer": 30,
    }  # fmt: skip


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a few samples of all data sets in files, each with a different number."""
    for train, member in enumerate(MEMBERS, start=20):
        write_mnist(tmp_path / member.folders[0], fake_mnist(train=train, test=6))
    write_cifar(tmp_path, fake_cifar(5, monkeypatch))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "train", "test"),
    [
        ("digits", 1437, 360), ("mnist", 20, 6), ("fashion_mnist", 21, 6), ("kmnist", 22, 6),
        ("cifar10", 25, 5),
    ],
)  # fmt: skip
def test_load_by_name(root: Path, name: str, train: int, test: int) -> None:
    """Flat, the right data set, and equal to the result of its function."""
    (x, y), (x_test, y_test) = datasets.load(name, root)
    features = datasets.FEATURES[name]
    assert (x.shape, x_test.shape) == ((train, features), (test, features))
    assert (y.shape, y_test.shape) == ((train,), (test,))
    for part in (x, x_test):
        assert part.dtype == np.float32
        assert part.flags.c_contiguous
    assert y.dtype == y_test.dtype == np.int64
    if name != "digits":
        expected = getattr(datasets, name)(root)
        for (ours_x, ours_y), (theirs_x, theirs_y) in zip(
            ((x, y), (x_test, y_test)), expected, strict=True
        ):
            np.testing.assert_array_equal(ours_x, theirs_x.reshape(len(theirs_x), -1))
            np.testing.assert_array_equal(ours_y, theirs_y)


def test_load_reads_the_folder_that_the_environment_names(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the functions do."""
    monkeypatch.setenv("CEP_DATA", str(root))
    assert [len(datasets.load(name)[0][0]) for name in NAMES[1:5]] == [20, 21, 22, 25]


def test_load_splits_the_digits_by_the_seed() -> None:
    """360 of them are held out."""
    expected = datasets.split(datasets.digits(), 360, seed=4)
    for ours, theirs in zip(datasets.load("digits", seed=4), expected, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])
    assert not np.array_equal(datasets.load("digits")[0][1], expected[0][1])


def test_load_takes_an_empty_data_set(tmp_path: Path) -> None:
    """Flat images of no samples also have features."""
    write_mnist(tmp_path, fake_mnist(train=0, test=2))
    assert datasets.load("mnist", tmp_path)[0][0].shape == (0, 784)


@pytest.mark.parametrize("name", ["cifar", "MNIST", "", None, 3, ["mnist"]])
def test_load_refuses_other_names(name: Any) -> None:
    """The message lists the known names."""
    words = " or ".join(map(repr, NAMES))
    message = f"name must be {words}, got {name!r}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        datasets.load(name)
