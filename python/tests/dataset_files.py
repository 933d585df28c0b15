"""Files of images and labels, and servers of them, made up for the tests of cep.datasets."""

import gzip
import hashlib
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from places import MNIST

from cep import datasets
from cep.datasets import mnist_family
from cep.datasets.files import Source

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
FILES = [
    "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz",
]  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A published data set of MNIST's family."""

    name: str
    title: str
    folders: tuple[str, ...]  # Below the user's folder.
    md5: tuple[str, ...]  # For FILES.
    mirrors: tuple[str, ...]

    def load(self, root: Any = None) -> Any:
        """Call the function of cep.datasets."""
        return getattr(datasets, self.name)(root)

    @property
    def source(self) -> Source:
        """The package's description of it."""
        source: Source = getattr(mnist_family, self.name.upper())
        return source


MEMBERS = [
    Member(
        "mnist", "MNIST", ("mnist", "MNIST/raw"),
        ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
         "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c"),
        ("https://ossci-datasets.s3.amazonaws.com/mnist/",
         "https://storage.googleapis.com/cvdf-datasets/mnist/"),
    ),
    Member(
        "fashion_mnist", "Fashion-MNIST", ("fashion-mnist", "fashion_mnist", "FashionMNIST/raw"),
        ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
         "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310"),
        ("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
         "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"),
    ),
    Member(
        "kmnist", "KMNIST", ("kmnist", "KMNIST/raw"),
        ("bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344",
         "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134"),
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    ),
]  # fmt: skip
MNIST_MEMBER = MEMBERS[0]
each_member = pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)

needs_real_mnist = pytest.mark.skipif(
    not MNIST.is_dir(), reason=f"the MNIST files are not in {MNIST}"
)


def idx_header(code: int, shape: tuple[int, ...]) -> bytes:
    """Return the header of an IDX file."""
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)


def idx_bytes(array: npt.NDArray[Any]) -> bytes:
    """Return the content of an IDX file that holds `array`."""
    code = CODES[array.dtype.str[1:]]
    return idx_header(code, array.shape) + array.astype(array.dtype.newbyteorder(">")).tobytes()


def compress(content: bytes) -> bytes:
    """Compress without a time stamp."""
    return gzip.compress(content, mtime=0)


def fake_mnist(*, train: int = 10, test: int = 6, seed: int = 0) -> dict[str, npt.NDArray[Any]]:
    """Return four arrays in MNIST's format, by the names of its files."""
    generator = np.random.default_rng(seed)
    return {
        "train-images-idx3-ubyte": generator.integers(0, 256, (train, 28, 28), dtype=np.uint8),
        "train-labels-idx1-ubyte": generator.integers(0, 10, train, dtype=np.uint8),
        "t10k-images-idx3-ubyte": generator.integers(0, 256, (test, 28, 28), dtype=np.uint8),
        "t10k-labels-idx1-ubyte": generator.integers(0, 10, test, dtype=np.uint8),
    }


def write_mnist(
    folder: Path, arrays: dict[str, npt.NDArray[Any]], *, dotted: bool = False, gz: bool = True
) -> None:
    """Write IDX files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        stem = name.replace("-idx", ".idx") if dotted else name
        content = idx_bytes(array)
        (folder / (f"{stem}.gz" if gz else stem)).write_bytes(compress(content) if gz else content)


def assert_holds(loaded: Any, arrays: dict[str, npt.NDArray[Any]]) -> None:
    """Compare the result of mnist() or a related function with the arrays that were written."""
    (x, y), (x_test, y_test) = loaded
    images, labels, test_images, test_labels = arrays.values()
    for given_x, expected in ((x, images), (x_test, test_images)):
        assert given_x.dtype == np.float32
        assert given_x.shape == (len(expected), 784)
        assert given_x.flags.c_contiguous
        np.testing.assert_array_equal(np.round(given_x.reshape(-1, 28, 28) * 255), expected)
        np.testing.assert_allclose(given_x.reshape(-1, 28, 28), expected / 255, rtol=1e-7)
    for given_y, expected in ((y, labels), (y_test, test_labels)):
        assert given_y.dtype == np.int64
        np.testing.assert_array_equal(given_y, expected)


def read_or_refused(path: Path) -> npt.NDArray[Any] | None:
    """Return the array, or None for a ValueError that names the file."""
    try:
        return datasets.read_idx(path)
    except ValueError as error:
        message = str(error)
    assert str(path) in message
    return None


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file name that the examples of one test use repeatedly."""
    return tmp_path_factory.mktemp("idx") / "file.idx"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the user's cache to a folder that does not exist, and forbid downloads."""
    pooch = pytest.importorskip("pooch")
    folder = tmp_path / "cache"

    def no_network(*_: Any, **__: Any) -> None:
        pytest.fail("a download was started")

    monkeypatch.delenv("CEP_DATA", raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda project: folder / project)
    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", no_network)
    return folder / "cep"


Answer = Callable[[str], bytes]


@pytest.fixture
def serve(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], list[str]]:
    """Replace the network by a function from URL to content; it may write a part, then raise."""
    import pooch

    def start(answer: Answer) -> list[str]:
        requested: list[str] = []

        def download(_: Any, url: str, output_file: str, *__: Any, **___: Any) -> None:
            requested.append(url)
            with open(output_file, "wb") as output:
                output.write(b"\x1f\x8b half of a file")
                output.flush()
                content = answer(url)
                output.seek(0)
                output.truncate()
                output.write(content)

        monkeypatch.setattr(pooch.HTTPDownloader, "__call__", download)
        return requested

    return start


def md5(content: bytes) -> str:
    """Return the checksum in hexadecimal digits."""
    return hashlib.md5(content).hexdigest()


def publish(
    arrays: dict[str, npt.NDArray[Any]],
    monkeypatch: pytest.MonkeyPatch,
    member: Member = MNIST_MEMBER,
) -> dict[str, bytes]:
    """Return the files a mirror would serve, and set the published checksums to theirs."""
    files = {f"{name}.gz": compress(idx_bytes(array)) for name, array in arrays.items()}
    for file, content in files.items():
        monkeypatch.setitem(member.source.checksums, file, md5(content))
    return files


def files_below(folder: Path) -> set[str]:
    """Return the names of all files below `folder`."""
    return {path.name for path in folder.rglob("*") if path.is_file()}
