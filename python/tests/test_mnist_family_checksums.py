"""A folder that holds another data set of MNIST's family is recognised by checksums."""

import gzip
import hashlib
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_files import (
    FILES,
    IMAGES,
    MEMBERS,
    MNIST_MEMBER,
    Member,
    assert_holds,
    compress,
    each_member,
    fake_mnist,
    idx_bytes,
    md5,
    needs_real_mnist,
    publish,
    write_mnist,
)
from places import MNIST

from cep import datasets
from cep.datasets import mnist_family

pytestmark = pytest.mark.once

each_pair = pytest.mark.parametrize(
    ("asked", "held"),
    [
        pytest.param(asked, held, id=f"{asked.name} finds {held.name}")
        for asked in MEMBERS
        for held in MEMBERS
        if asked is not held
    ],
)


@each_pair
def test_a_folder_of_another_data_set_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Member, held: Member
) -> None:
    """The message names the data set in the folder; that data set is loaded."""
    arrays = fake_mnist()
    publish(arrays, monkeypatch, held)
    write_mnist(tmp_path, arrays)
    with pytest.raises(FileNotFoundError) as caught:
        asked.load(tmp_path)
    assert str(caught.value).startswith(
        f"{asked.title} was not found. Searched:\n  {tmp_path} (holds {held.title})\n"
    )
    assert_holds(held.load(tmp_path), arrays)


def test_the_next_folder_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MNIST in the root does not hide Fashion-MNIST below it."""
    mnist, fashion = fake_mnist(seed=1), fake_mnist(seed=2)
    publish(mnist, monkeypatch)
    write_mnist(tmp_path, mnist)
    write_mnist(tmp_path / "FashionMNIST" / "raw", fashion)
    assert_holds(datasets.fashion_mnist(tmp_path), fashion)


@pytest.mark.parametrize("file", FILES)
def test_one_known_file_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """Labels or images, in a folder that may even be incomplete."""
    array = fake_mnist()[file.removesuffix(".gz")]
    monkeypatch.setitem(MNIST_MEMBER.source.checksums, file, md5(compress(idx_bytes(array))))
    write_mnist(tmp_path, fake_mnist(seed=1) | {file.removesuffix(".gz"): array})
    with pytest.raises(FileNotFoundError, match=r"\(holds MNIST\)"):
        datasets.kmnist(tmp_path)
    for path in tmp_path.iterdir():
        if path.name != file:
            path.unlink()
    with pytest.raises(FileNotFoundError, match=r"\(holds MNIST\)"):
        datasets.kmnist(tmp_path)


def test_unpacked_files_are_known_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the checksums of the contents of published files."""
    arrays = fake_mnist()
    content = idx_bytes(arrays["t10k-labels-idx1-ubyte"])
    monkeypatch.setitem(mnist_family._UNPACKED, md5(content), mnist_family.MNIST)
    write_mnist(tmp_path, arrays, gz=False, dotted=True)
    with pytest.raises(FileNotFoundError, match=r"\(holds MNIST\)"):
        datasets.fashion_mnist(tmp_path)
    assert_holds(datasets.mnist(tmp_path), arrays)


@each_member
def test_published_files_cost_one_small_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, member: Member
) -> None:
    """If the labels of the test set are known, no other checksum is computed."""
    arrays = fake_mnist(train=200, test=50)
    publish(arrays, monkeypatch, member)
    write_mnist(tmp_path, arrays)
    read = []
    digest = hashlib.file_digest

    def spy(file: Any, kind: Any) -> Any:
        read.append(Path(file.name).name)
        return digest(file, kind)

    monkeypatch.setattr(hashlib, "file_digest", spy)
    assert_holds(member.load(tmp_path), arrays)
    assert read == ["t10k-labels-idx1-ubyte.gz"]


def test_nothing_is_downloaded_into_a_folder_of_another_data_set(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user put these files there, and a download would replace them."""
    arrays = fake_mnist()
    publish(arrays, monkeypatch)
    folder = cache / "fashion-mnist"
    write_mnist(folder, arrays)
    (folder / FILES[0]).unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(FileNotFoundError) as caught:
        datasets.fashion_mnist()
    message = str(caught.value)
    assert f"\n  {folder} (holds MNIST)\n" in message
    assert message.endswith(f"Nothing was downloaded, because {folder} holds MNIST.")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


# The real files


@needs_real_mnist
@pytest.mark.parametrize("member", MEMBERS[1:], ids=lambda member: member.name)
def test_real_mnist_is_nothing_else(member: Member) -> None:
    """With the real files."""
    with pytest.raises(FileNotFoundError) as caught:
        member.load(MNIST)
    assert f"\n  {MNIST} (holds MNIST)\n" in str(caught.value)


@needs_real_mnist
@pytest.mark.parametrize("file", FILES[1:])
def test_real_mnist_unpacked_is_nothing_else(tmp_path: Path, file: str) -> None:
    """One of its files among unknown ones."""
    write_mnist(tmp_path, fake_mnist())
    (tmp_path / file).unlink()
    unpacked = gzip.decompress((MNIST / file).read_bytes())
    (tmp_path / file.removesuffix(".gz")).write_bytes(unpacked)
    with pytest.raises(FileNotFoundError, match=r"\(holds MNIST\)"):
        datasets.fashion_mnist(tmp_path)


@needs_real_mnist
def test_real_mnist() -> None:
    """Counts, ranges and known numbers of each label, below 400 MB."""
    tracemalloc.start()
    (x, y), (x_test, y_test) = datasets.mnist(MNIST.parent)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 400e6
    assert (x.shape, x_test.shape) == ((60000, 784), (10000, 784))
    assert (x.dtype, y.dtype) == (np.float32, np.int64)
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(y).tolist() == counts
    assert np.bincount(y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert y[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert (x.min(), x.max(), x_test.min(), x_test.max()) == (0, 1, 0, 1)
    # The mean pixel of the published training set, 0.1307, as in common normalisations.
    assert x.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)


@needs_real_mnist
@pytest.mark.parametrize(
    ("file", "checksum"),
    [(file, md5) for file, md5 in zip(FILES, MNIST_MEMBER.md5, strict=True) if IMAGES not in file],
)
def test_published_checksums_are_those_of_the_real_files(file: str, checksum: str) -> None:
    """Three of the four files are the published ones bit for bit; the training images are not."""
    assert md5((MNIST / file).read_bytes()) == checksum
