"""MNIST and its family are found in all supported places, and other data are refused."""

import os
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from dataset_files import (
    FILES,
    IMAGES,
    MEMBERS,
    TRAIN_LABELS,
    Member,
    assert_holds,
    each_member,
    fake_mnist,
    write_mnist,
)

from cep import datasets

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("member", "below"),
    [
        pytest.param(member, below, id=f"{member.name} {below}")
        for member in MEMBERS
        for below in ("", *member.folders)
    ],
)
@pytest.mark.parametrize("gz", [True, False])
@pytest.mark.parametrize("dotted", [True, False])
def test_every_layout(tmp_path: Path, member: Member, below: str, gz: bool, dotted: bool) -> None:
    """Published and torchvision's folders, both spellings, gzipped or not; no checksum."""
    arrays = fake_mnist()
    write_mnist(tmp_path / below, arrays, gz=gz, dotted=dotted)
    assert_holds(member.load(tmp_path), arrays)
    assert_holds(member.load(str(tmp_path)), arrays)


@each_member
def test_folders_of_other_data_sets_are_not_searched(tmp_path: Path, member: Member) -> None:
    """One root can hold all three."""
    every = {each.name: fake_mnist(train=20 + index) for index, each in enumerate(MEMBERS)}
    for other in MEMBERS:
        if other is not member:
            write_mnist(tmp_path / other.folders[-1], every[other.name])
    with pytest.raises(FileNotFoundError, match=f"{member.title} was not found"):
        member.load(tmp_path)
    write_mnist(tmp_path / member.folders[-1], every[member.name])
    assert_holds(member.load(tmp_path), every[member.name])


def test_mnist_pixels_are_exact(tmp_path: Path) -> None:
    """Each of the 256 values is the float32 nearest to value / 255."""
    arrays = fake_mnist()
    arrays["train-images-idx3-ubyte"].reshape(-1)[:256] = np.arange(256)
    write_mnist(tmp_path, arrays)
    (x, _), _ = datasets.mnist(tmp_path)
    np.testing.assert_array_equal(x.reshape(-1)[:256], (np.arange(256) / 255).astype(np.float32))
    assert (x.min(), x.max()) == (0, 1)


def test_mnist_spellings_may_be_mixed(tmp_path: Path) -> None:
    """Each file is searched separately; a folder of the same name is ignored."""
    arrays = fake_mnist()
    for index, (name, array) in enumerate(arrays.items()):
        write_mnist(tmp_path, {name: array}, dotted=index % 2 == 0, gz=index < 2)
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    assert_holds(datasets.mnist(tmp_path), arrays)


@each_member
def test_places_have_an_order(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, member: Member
) -> None:
    """First root alone, then CEP_DATA, then the cache."""
    sets = [fake_mnist(train=count) for count in (11, 12, 13)]
    write_mnist(tmp_path / "root", sets[0])
    write_mnist(tmp_path / "environment" / member.folders[0], sets[1])
    write_mnist(cache / member.folders[-1], sets[2])
    assert_holds(member.load(), sets[2])
    monkeypatch.chdir(tmp_path / "root")  # An empty variable does not name the current folder.
    monkeypatch.setenv("CEP_DATA", "")
    assert_holds(member.load(), sets[2])
    monkeypatch.setenv("CEP_DATA", str(tmp_path / "environment"))
    assert_holds(member.load(), sets[1])
    assert_holds(member.load(tmp_path / "root"), sets[0])
    (tmp_path / "environment" / member.folders[0] / "t10k-labels-idx1-ubyte.gz").unlink()
    assert_holds(member.load(), sets[2])


def test_mnist_expands_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde in root or CEP_DATA is the user's home."""
    monkeypatch.setenv("HOME" if os.name != "nt" else "USERPROFILE", str(tmp_path))
    monkeypatch.setenv("CEP_DATA", "~/data")
    arrays = fake_mnist()
    write_mnist(tmp_path / "data", arrays)
    assert_holds(datasets.mnist(), arrays)
    assert_holds(datasets.mnist("~/data"), arrays)


def test_mnist_there_needs_no_pooch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users with local files need no extra."""
    monkeypatch.setitem(sys.modules, "pooch", None)
    monkeypatch.setenv("CEP_DATA", str(tmp_path))
    arrays = fake_mnist()
    write_mnist(tmp_path, arrays)
    assert_holds(datasets.mnist(), arrays)
    assert_holds(datasets.mnist(tmp_path), arrays)


@each_member
def test_root_without_files(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, member: Member
) -> None:
    """Only root is searched, not CEP_DATA, the cache or the network."""
    arrays = fake_mnist()
    named = member.folders[0]
    write_mnist(cache / named, arrays)
    write_mnist(tmp_path / "environment", arrays)
    monkeypatch.setenv("CEP_DATA", str(tmp_path / "environment"))
    root = tmp_path / "root"
    write_mnist(root / named, {"t10k-images-idx3-ubyte": arrays["t10k-images-idx3-ubyte"]})
    with pytest.raises(FileNotFoundError) as caught:
        member.load(root)
    message = str(caught.value)
    places = [root, *(root / each for each in member.folders)]
    assert message.startswith(f"{member.title} was not found. Searched:\n  {root}\n")
    for expected in (*map(str, places), "CEP_DATA", *FILES):
        assert expected in message
    lacks = message.split(f"{root / named} (lacks ")[1].split(")")[0]
    assert lacks.split(", ") == [
        "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte",
    ]  # fmt: skip
    assert str(cache) not in message
    assert "Downloads failed" not in message


@pytest.mark.parametrize(
    ("name", "array", "message"),
    [
        (IMAGES, np.zeros((10, 784), np.uint8), r"28x28 uint8 images, found uint8 \(10, 784\)"),
        (IMAGES, np.zeros((10, 28, 27), np.uint8), r"\(10, 28, 27\)"),
        (IMAGES, np.zeros((10, 28, 28), np.int8), "found int8"),
        (IMAGES, np.zeros((10, 28, 28), np.float32), "found float32"),
        (IMAGES, np.zeros(10, np.uint8), r"found uint8 \(10,\)"),
        (TRAIN_LABELS, np.zeros((10, 1), np.uint8), r"10 uint8 labels, found uint8 \(10, 1\)"),
        (TRAIN_LABELS, np.zeros(10, np.int32), "found int32"),
        (TRAIN_LABELS, np.zeros(9, np.uint8), r"10 uint8 labels, found uint8 \(9,\)"),
        (TRAIN_LABELS, np.zeros(11, np.uint8), r"10 uint8 labels, found uint8 \(11,\)"),
        (TRAIN_LABELS, np.arange(10, dtype=np.uint8) + 1, "labels from 0 to 9, found 10"),
    ],
)
def test_mnist_refuses_other_data(
    tmp_path: Path, name: str, array: npt.NDArray[Any], message: str
) -> None:
    """Valid IDX files that are not MNIST's are named."""
    write_mnist(tmp_path, fake_mnist() | {name: array})
    with pytest.raises(ValueError, match=f"{name}.*{message}"):
        datasets.mnist(tmp_path)


def test_mnist_names_the_damaged_file(tmp_path: Path) -> None:
    """A damaged file is an error; no other place is searched."""
    write_mnist(tmp_path, fake_mnist())
    file = tmp_path / "t10k-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=file.name):
        datasets.mnist(tmp_path)


def test_mnist_takes_little_more_memory_than_it_returns(tmp_path: Path) -> None:
    """Per pixel 4 bytes of float32, 1 of the file and its margin; float64 would add 8."""
    write_mnist(tmp_path, fake_mnist(train=4000, test=10), gz=False)
    tracemalloc.start()
    loaded = datasets.mnist(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * loaded[0][0].size + (3 << 20)
