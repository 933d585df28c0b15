"""Promises of cep.datasets: what is loaded, where from, and what is refused."""

import gzip
import hashlib
import logging
import os
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from cep import datasets

REAL_MNIST = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist"
CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
PUBLISHED = {
    "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
}

needs_real_mnist = pytest.mark.skipif(
    not REAL_MNIST.is_dir(), reason=f"the MNIST files are not in {REAL_MNIST}"
)


def idx_header(code: int, shape: tuple[int, ...]) -> bytes:
    """Return the header of an IDX file."""
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)


def idx_bytes(array: npt.NDArray[Any]) -> bytes:
    """Return the content of an IDX file that holds `array`."""
    code = CODES[array.dtype.str[1:]]
    return idx_header(code, array.shape) + array.astype(array.dtype.newbyteorder(">")).tobytes()


def compress(content: bytes) -> bytes:
    """Gzip without the time of day."""
    return gzip.compress(content, mtime=0)


def fake_mnist(*, train: int = 10, test: int = 6) -> dict[str, npt.NDArray[Any]]:
    """Return four arrays in the form of MNIST's, under the names of its files."""
    generator = np.random.default_rng(0)
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
    """Compare what mnist() returned with the arrays that were written."""
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
    """Return a file name that the examples of one test may write again and again."""
    return tmp_path_factory.mktemp("idx") / "file.idx"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the user's cache at a folder that does not exist yet, and forbid downloads."""
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
    """Replace the network by a function from URL to content; it may write half, then raise."""
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


def publish(
    arrays: dict[str, npt.NDArray[Any]], monkeypatch: pytest.MonkeyPatch
) -> dict[str, bytes]:
    """Return the files a mirror would serve, and make their checksums the published ones."""
    files = {f"{name}.gz": compress(idx_bytes(array)) for name, array in arrays.items()}
    for file, content in files.items():
        checksum = f"md5:{hashlib.md5(content).hexdigest()}"
        monkeypatch.setitem(datasets._MNIST_CHECKSUMS, file.removesuffix(".gz"), checksum)
    return files


def files_below(folder: Path) -> set[str]:
    """Return the names of all files in `folder` and below."""
    return {path.name for path in folder.rglob("*") if path.is_file()}


# Import


def test_importing_needs_only_the_standard_library_and_numpy() -> None:
    """Scikit-learn and pooch take a second to import and may be absent."""
    program = (
        "import sys, runpy; before = set(sys.modules); runpy.run_path(sys.argv[1]);"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    command = [sys.executable, "-c", program, str(datasets.__file__)]
    assert subprocess.check_output(command, text=True).strip() == "['numpy']"


@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("sklearn.datasets", datasets.digits),
        (
            "sklearn.model_selection",
            lambda: datasets.split((np.zeros((4, 1), np.float32), np.array([0, 0, 1, 1])), 2),
        ),
        ("pooch", datasets.mnist),
    ],
)
def test_a_missing_package_is_named_with_its_remedy(
    module: str, call: Callable[[], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message must be the command that helps."""
    monkeypatch.delenv("CEP_DATA", raising=False)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r"pip install 'cep\[datasets\]'") as caught:
        call()
    assert module in str(caught.value)


# digits and split


def test_digits() -> None:
    """They are scikit-learn's, in our types."""
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.digits()
    assert (x.shape, x.dtype, x.flags.c_contiguous) == ((1797, 64), np.float32, True)
    assert (y.shape, y.dtype) == ((1797,), np.int64)
    assert (x.min(), x.max()) == (0, 1)
    assert set(y) == set(range(10))
    bunch = sklearn_datasets.load_digits()
    np.testing.assert_array_equal(x * 16, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)


def labelled(samples: int, classes: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return samples whose only features are their row and their class, classes in turn."""
    y = np.arange(samples, dtype=np.int64) % classes
    return np.stack([np.arange(samples), y], axis=1).astype(np.float32), y


@given(
    classes=st.integers(2, 5), per_class=st.integers(2, 12), seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)  # fmt: skip
def test_split_is_a_stratified_partition(
    classes: int, per_class: int, seed: int, data: st.DataObject
) -> None:
    """Every sample is on one side, with its class, and classes keep their proportions."""
    pytest.importorskip("sklearn")
    samples = classes * per_class
    x, y = labelled(samples, classes)
    size = data.draw(st.integers(classes, samples - classes))
    (x_train, y_train), (x_test, y_test) = datasets.split((x, y), size, seed=seed)
    assert (len(x_test), len(y_test)) == (size, size)
    rows = np.concatenate([x_train, x_test])[:, 0]
    np.testing.assert_array_equal(np.sort(rows), np.arange(samples))
    for part_x, part_y in ((x_train, y_train), (x_test, y_test)):
        assert (part_x.dtype, part_y.dtype) == (np.float32, np.int64)
        np.testing.assert_array_equal(part_x[:, 1], part_y)
        assert np.ptp(np.bincount(part_y, minlength=classes)) <= 1


def test_split_keeps_unequal_proportions() -> None:
    """Stratified means the proportions of the data, not equal ones."""
    pytest.importorskip("sklearn")
    y = np.repeat(np.arange(3), [60, 30, 10])
    (_, y_train), (_, y_test) = datasets.split((np.zeros((100, 1), np.float32), y), 20)
    assert np.bincount(y_train).tolist() == [48, 24, 8]
    assert np.bincount(y_test).tolist() == [12, 6, 2]


def test_split_depends_on_the_seed_alone() -> None:
    """Two runs of an experiment see the same sets; seed 0 is the default."""
    pytest.importorskip("sklearn")
    data = labelled(100, 4)
    state: Any = np.random.get_state()
    first, again = datasets.split(data, 20), datasets.split(data, 20, seed=0)
    other = datasets.split(data, 20, seed=1)
    np.testing.assert_array_equal(first[1][0], again[1][0])
    assert not np.array_equal(first[1][0], other[1][0])
    after: Any = np.random.get_state()
    np.testing.assert_array_equal(after[1], state[1])
    assert after[2] == state[2]


def test_split_returns_contiguous_copies() -> None:
    """The engine reads rows; a Fortran-ordered x must not leak its layout."""
    pytest.importorskip("sklearn")
    x, y = labelled(20, 2)
    (x_train, _), (x_test, _) = datasets.split((np.asfortranarray(x), y), 6)
    assert x_train.flags.c_contiguous
    assert x_test.flags.c_contiguous
    assert not np.shares_memory(x, x_train)


SAMPLES, LABELS = labelled(20, 4)


@pytest.mark.parametrize(
    ("data", "size", "seed", "message"),
    [
        ((SAMPLES, LABELS), 0.2, 0, "test_size must be a whole number from 4 to 16; it is 0.2"),
        ((SAMPLES, LABELS), 5.0, 0, "test_size"),
        ((SAMPLES, LABELS), True, 0, "test_size"),
        ((SAMPLES, LABELS), "5", 0, "test_size"),
        ((SAMPLES, LABELS), None, 0, "test_size"),
        ((SAMPLES, LABELS), 0, 0, "test_size"),
        ((SAMPLES, LABELS), -1, 0, "test_size"),
        ((SAMPLES, LABELS), 3, 0, "test_size"),
        ((SAMPLES, LABELS), 17, 0, "test_size"),
        ((SAMPLES, LABELS), 20, 0, "test_size"),
        ((SAMPLES, LABELS), 5, None, "seed must be a whole number from 0 to 4294967295"),
        ((SAMPLES, LABELS), 5, -1, "seed"),
        ((SAMPLES, LABELS), 5, True, r"seed must be a whole number .* it is True"),
        ((SAMPLES, LABELS), 5, 2**32, "seed"),
        ((SAMPLES, LABELS[:-1]), 5, 0, r"\(20, 2\).*\(19,\)"),
        ((SAMPLES, LABELS / 2), 5, 0, "float64"),
        ((SAMPLES, np.eye(4)[LABELS].astype(int)), 5, 0, r"\(20, 4\)"),
        ((np.ones(()), LABELS), 5, 0, "x of shape"),
        ((SAMPLES, np.append(LABELS[:-1], 9)), 6, 0, "class 9 has 1"),
        ((SAMPLES, LABELS, LABELS), 5, 0, "pair"),
        (((SAMPLES, LABELS), (SAMPLES, LABELS)), 5, 0, "pair"),
        (SAMPLES, 5, 0, "pair"),
        ((SAMPLES[:0], LABELS[:0]), 0, 0, "test_size"),
    ],
)
def test_split_refuses(data: Any, size: Any, seed: Any, message: str) -> None:
    """Whatever is wrong is a ValueError that names it."""
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match=message):
        datasets.split(data, size, seed=seed)


def test_split_takes_numpy_integers() -> None:
    """A size computed with NumPy is a size."""
    pytest.importorskip("sklearn")
    size: Any = np.int32(8)
    seed: Any = np.int64(3)
    _, (x_test, _) = datasets.split((SAMPLES, LABELS), size, seed=seed)
    assert len(x_test) == 8


# read_idx


@given(
    array=st.sampled_from(sorted(CODES)).flatmap(
        lambda code: numpy_strategies.arrays(
            np.dtype(code), numpy_strategies.array_shapes(min_dims=1, max_dims=5, min_side=0)
        )
    ),
    gz=st.booleans(),
)
def test_idx_round_trip(scratch: Path, array: npt.NDArray[Any], gz: bool) -> None:
    """Any array comes back bit for bit, in native order, whatever the file is called."""
    scratch.write_bytes(compress(idx_bytes(array)) if gz else idx_bytes(array))
    result = datasets.read_idx(scratch)
    assert (result.shape, result.dtype) == (array.shape, array.dtype)
    assert result.dtype.isnative
    assert result.tobytes() == array.tobytes()
    assert result.flags.c_contiguous
    assert result.flags.writeable


def test_idx_path_may_be_text(scratch: Path) -> None:
    """A str is a path too."""
    scratch.write_bytes(idx_bytes(np.arange(3, dtype=np.uint8)))
    assert datasets.read_idx(str(scratch)).tolist() == [0, 1, 2]


def test_idx_larger_than_a_chunk(scratch: Path) -> None:
    """What is read in several pieces is put together in order."""
    array = np.arange(3 * 2**18 + 5, dtype=np.int32)
    for content in (idx_bytes(array), compress(idx_bytes(array))):
        scratch.write_bytes(content)
        np.testing.assert_array_equal(datasets.read_idx(scratch), array)


def test_a_missing_idx_file_is_an_oserror(tmp_path: Path) -> None:
    """Not there is not damaged."""
    with pytest.raises(FileNotFoundError):
        datasets.read_idx(tmp_path / "nothing")


VALID = idx_bytes(np.arange(12, dtype=np.int16).reshape(3, 4))


@pytest.mark.parametrize("content", [VALID, compress(VALID)], ids=["plain", "gzip"])
def test_every_truncation_is_refused(scratch: Path, content: bytes) -> None:
    """A file cut anywhere is damaged, and the error names it."""
    for length in range(len(content)):
        scratch.write_bytes(content[:length])
        with pytest.raises(ValueError, match=r"file\.idx: expected .*, found "):
            datasets.read_idx(scratch)


@pytest.mark.parametrize("extra", [b"\0", b"rest", bytes(3 << 20)])
def test_trailing_bytes_are_refused(scratch: Path, extra: bytes) -> None:
    """In the data, plain or compressed, and after the compressed stream."""
    for content in (VALID + extra, compress(VALID + extra), compress(VALID) + compress(extra)):
        scratch.write_bytes(content)
        with pytest.raises(ValueError, match=r"expected 24 bytes of data .*, found more"):
            datasets.read_idx(scratch)
    scratch.write_bytes(compress(VALID) + b"rest")
    with pytest.raises(ValueError, match="expected a whole gzip file"):
        datasets.read_idx(scratch)


def test_any_single_byte_edit_of_the_header_is_read_or_refused(scratch: Path) -> None:
    """All 12 x 255 edits are refused, none in another way than with a ValueError."""
    read = []
    for position in range(12):
        for value in set(range(256)) - {VALID[position]}:
            scratch.write_bytes(VALID[:position] + bytes([value]) + VALID[position + 1 :])
            read.append(read_or_refused(scratch))
    # No other type is two bytes wide, no other shape holds 12 values.
    assert read == [None] * 12 * 255


def test_any_flipped_bit_of_a_gzip_file_is_harmless_or_refused(scratch: Path) -> None:
    """Gzip's checksum guards the data; its header has bits that mean nothing to us."""
    content = compress(VALID)
    expected = np.arange(12, dtype=np.int16).reshape(3, 4)
    refused = 0
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        scratch.write_bytes(damaged)
        result = read_or_refused(scratch)
        if result is None:
            refused += 1
        else:
            np.testing.assert_array_equal(result, expected)
    assert refused >= 8 * (len(content) - 10)


@given(content=st.binary(max_size=64), gz=st.booleans())
def test_arbitrary_bytes_are_read_or_refused(scratch: Path, content: bytes, gz: bool) -> None:
    """No content leads to another exception."""
    for prefix in (b"", b"\0\0", b"\0\0\x08\x01", b"\x1f\x8b\x08"):
        scratch.write_bytes(compress(prefix + content) if gz else prefix + content)
        read_or_refused(scratch)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "at least 4 bytes, found 0"),
        (b"\0\0\x08", "at least 4 bytes, found 3"),
        (b"\x89PNG\r\n\x1a\n", "begin with 00 00, found 89 50"),
        (idx_header(0x0A, (1,)) + b"\0", "08 09 0b 0c 0d 0e, found 0a"),
        (b"\0\0\x08\0" + b"\0" * 8, "1 to 32 dimensions, found 0"),
        (idx_header(0x08, (1,) * 33) + b"\0", "1 to 32 dimensions, found 33"),
        (b"\0\0\x08\x03" + b"\0\0\0\1" * 2, "3 sizes in 12 bytes, found 8"),
        (idx_header(0x08, (28, 28)) + bytes(783), r"784 bytes of data for uint8 .*, found 783"),
        (idx_header(0x0E, (2,)) + bytes(15), r"16 bytes of data .*, found 15"),
        (idx_header(0x0E, (2**32 - 1,) * 2), "can be addressed"),
        (idx_header(0x08, (2**32 - 1,) * 32), "can be addressed"),
        (idx_header(0x08, (0, 2**32 - 1, 2**32 - 1, 2**32 - 1)), "can be addressed"),
    ],
)
def test_damage_is_told(scratch: Path, content: bytes, message: str) -> None:
    """The message says what was expected and what was found."""
    for written in (content, compress(content)):
        scratch.write_bytes(written)
        with pytest.raises(ValueError, match=message):
            datasets.read_idx(scratch)


def test_as_many_dimensions_as_numpy_has(scratch: Path) -> None:
    """The limit itself is allowed."""
    scratch.write_bytes(idx_header(0x08, (1,) * 32) + b"\7")
    assert datasets.read_idx(scratch).shape == (1,) * 32


@pytest.mark.parametrize(
    "content",
    [
        idx_header(0x0E, (2**31, 2**20)) + bytes(100),
        idx_header(0x08, (10,)) + bytes(64 << 20),
        idx_header(0x08, (2**32 - 1,)) + bytes(100),
    ],
    ids=["declares terabytes", "bomb", "declares gigabytes"],
)
def test_memory_follows_neither_declaration_nor_compression(scratch: Path, content: bytes) -> None:
    """Few bytes are taken to find out that a file lies."""
    for written in (content, compress(content)):
        scratch.write_bytes(written)
        del written
        tracemalloc.start()
        with pytest.raises(ValueError, match="bytes of data"):
            datasets.read_idx(scratch)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4 << 20


# mnist: files that are there


@pytest.mark.parametrize("below", ["", "mnist", "MNIST/raw"])
@pytest.mark.parametrize("gz", [True, False])
@pytest.mark.parametrize("dotted", [True, False])
def test_mnist_in_every_layout(tmp_path: Path, below: str, gz: bool, dotted: bool) -> None:
    """Published and torchvision's folders, both spellings, gzipped or not; no checksum."""
    arrays = fake_mnist()
    write_mnist(tmp_path / below, arrays, gz=gz, dotted=dotted)
    assert_holds(datasets.mnist(tmp_path), arrays)
    assert_holds(datasets.mnist(str(tmp_path)), arrays)


def test_mnist_pixels_are_exact(tmp_path: Path) -> None:
    """Each of the 256 values is the float32 nearest to value / 255."""
    arrays = fake_mnist()
    arrays["train-images-idx3-ubyte"].reshape(-1)[:256] = np.arange(256)
    write_mnist(tmp_path, arrays)
    (x, _), _ = datasets.mnist(tmp_path)
    np.testing.assert_array_equal(x.reshape(-1)[:256], (np.arange(256) / 255).astype(np.float32))
    assert (x.min(), x.max()) == (0, 1)


def test_mnist_spellings_may_be_mixed(tmp_path: Path) -> None:
    """Each file is looked for by itself; a folder of the same name is not a file."""
    arrays = fake_mnist()
    for index, (name, array) in enumerate(arrays.items()):
        write_mnist(tmp_path, {name: array}, dotted=index % 2 == 0, gz=index < 2)
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    assert_holds(datasets.mnist(tmp_path), arrays)


def test_mnist_places_have_an_order(tmp_path: Path, cache: Path, monkeypatch: Any) -> None:
    """First root alone, then CEP_DATA, then the cache."""
    sets = [fake_mnist(train=count) for count in (11, 12, 13)]
    write_mnist(tmp_path / "root", sets[0])
    write_mnist(tmp_path / "environment" / "mnist", sets[1])
    write_mnist(cache / "MNIST" / "raw", sets[2])
    assert_holds(datasets.mnist(), sets[2])
    monkeypatch.setenv("CEP_DATA", "")
    assert_holds(datasets.mnist(), sets[2])
    monkeypatch.setenv("CEP_DATA", str(tmp_path / "environment"))
    assert_holds(datasets.mnist(), sets[1])
    assert_holds(datasets.mnist(tmp_path / "root"), sets[0])
    (tmp_path / "environment" / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    assert_holds(datasets.mnist(), sets[2])


def test_mnist_expands_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde in root or CEP_DATA is the user's home."""
    monkeypatch.setenv("HOME" if os.name != "nt" else "USERPROFILE", str(tmp_path))
    monkeypatch.setenv("CEP_DATA", "~/data")
    arrays = fake_mnist()
    write_mnist(tmp_path / "data", arrays)
    assert_holds(datasets.mnist(), arrays)
    assert_holds(datasets.mnist("~/data"), arrays)


def test_mnist_there_needs_no_pooch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Users with files need no extra."""
    monkeypatch.setitem(sys.modules, "pooch", None)
    monkeypatch.setenv("CEP_DATA", str(tmp_path))
    arrays = fake_mnist()
    write_mnist(tmp_path, arrays)
    assert_holds(datasets.mnist(), arrays)
    assert_holds(datasets.mnist(tmp_path), arrays)


def test_mnist_root_without_files(tmp_path: Path, cache: Path, monkeypatch: Any) -> None:
    """Only root is looked at: neither CEP_DATA, nor the cache, nor the network."""
    arrays = fake_mnist()
    write_mnist(cache / "mnist", arrays)
    write_mnist(tmp_path / "environment", arrays)
    monkeypatch.setenv("CEP_DATA", str(tmp_path / "environment"))
    root = tmp_path / "root"
    write_mnist(root / "mnist", {"t10k-images-idx3-ubyte": arrays["t10k-images-idx3-ubyte"]})
    with pytest.raises(FileNotFoundError) as caught:
        datasets.mnist(root)
    message = str(caught.value)
    for expected in (str(root / "mnist"), str(root / "MNIST" / "raw"), "CEP_DATA", *PUBLISHED):
        assert expected in message
    lacks = message.split(f"{root / 'mnist'} (lacks ")[1].split(")")[0]
    assert lacks.split(", ") == [
        "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte",
    ]  # fmt: skip
    assert str(cache) not in message
    assert "Downloads failed" not in message


IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


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
    """Sound IDX files that are not MNIST's are named."""
    write_mnist(tmp_path, fake_mnist() | {name: array})
    with pytest.raises(ValueError, match=f"{name}.*{message}"):
        datasets.mnist(tmp_path)


def test_mnist_names_the_damaged_file(tmp_path: Path) -> None:
    """A broken file is an error, not a reason to look elsewhere."""
    write_mnist(tmp_path, fake_mnist())
    file = tmp_path / "t10k-images-idx3-ubyte.gz"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=file.name):
        datasets.mnist(tmp_path)


def test_mnist_takes_little_more_memory_than_it_returns(tmp_path: Path) -> None:
    """Per pixel 4 bytes of float32, 1 of the file and its slack; float64 would add 8."""
    write_mnist(tmp_path, fake_mnist(train=4000, test=10), gz=False)
    tracemalloc.start()
    loaded = datasets.mnist(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * loaded[0][0].size + (3 << 20)


# mnist: downloads


def test_mnist_downloads_once(
    cache: Path, serve: Callable[[Answer], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four files from the first mirror into the cache; the second call is local."""
    arrays = fake_mnist()
    files = publish(arrays, monkeypatch)
    requested = serve(lambda url: files[url.split("/")[-1]])
    assert_holds(datasets.mnist(), arrays)
    assert requested == [
        f"https://ossci-datasets.s3.amazonaws.com/mnist/{file}" for file in PUBLISHED
    ]
    assert {path.name for path in (cache / "mnist").iterdir()} == set(PUBLISHED)
    assert_holds(datasets.mnist(), arrays)
    assert len(requested) == 4


@pytest.mark.parametrize("failure", ["refused", "other content"])
def test_mnist_tries_the_next_mirror(
    cache: Path,
    serve: Callable[[Answer], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    failure: str,
) -> None:
    """Whether the first does not answer or answers with something else."""
    import requests

    arrays = fake_mnist()
    files = publish(arrays, monkeypatch)

    def answer(url: str) -> bytes:
        content = files[url.split("/")[-1]]
        if "ossci" not in url:
            return content
        if failure == "refused":
            raise requests.ConnectionError("refused")
        return content[:-1]

    requested = serve(answer)
    assert_holds(datasets.mnist(), arrays)
    assert len(requested) == 8
    assert files_below(cache) == set(PUBLISHED)


def test_mnist_offline(
    tmp_path: Path,
    cache: Path,
    serve: Callable[[Answer], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error tells where it looked, what to put there and why no download worked."""
    import requests

    def answer(url: str) -> bytes:
        raise requests.ConnectionError(f"no route to {url}")

    monkeypatch.setenv("CEP_DATA", str(tmp_path / "environment"))
    requested = serve(answer)
    with pytest.raises(FileNotFoundError) as caught:
        datasets.mnist()
    message = str(caught.value)
    for base in (tmp_path / "environment", cache):
        for place in (base, base / "mnist", base / "MNIST" / "raw"):
            assert f"\n  {place}" in message
    for expected in ("root", "CEP_DATA", *PUBLISHED):
        assert expected in message
    assert len(requested) == 2
    for url in requested:
        assert f"no route to {url}" in message
    assert files_below(cache) == set()


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, TimeoutError])
def test_mnist_leaves_no_half_file(
    cache: Path,
    serve: Callable[[Answer], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
) -> None:
    """Files that arrived stay, the interrupted one goes, and the next call completes the set."""
    arrays = fake_mnist()
    files = publish(arrays, monkeypatch)

    def answer(url: str) -> bytes:
        if "t10k-images" in url:
            raise error
        return files[url.split("/")[-1]]

    serve(answer)
    with pytest.raises(KeyboardInterrupt if error is KeyboardInterrupt else FileNotFoundError):
        datasets.mnist()
    assert files_below(cache) == {file for file in PUBLISHED if file.startswith("train")}
    requested = serve(lambda url: files[url.split("/")[-1]])
    assert_holds(datasets.mnist(), arrays)
    assert len(requested) == 2


def test_mnist_completes_what_the_user_put_in_the_cache(
    cache: Path, serve: Callable[[Answer], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is there is neither checked nor replaced."""
    arrays = fake_mnist()
    files = publish(arrays, monkeypatch)
    own = {IMAGES: np.full((10, 28, 28), 7, np.uint8)}
    write_mnist(cache / "mnist", own)
    before = (cache / "mnist" / f"{IMAGES}.gz").read_bytes()
    requested = serve(lambda url: files[url.split("/")[-1]])
    assert_holds(datasets.mnist(), arrays | own)
    assert len(requested) == 3
    assert (cache / "mnist" / f"{IMAGES}.gz").read_bytes() == before


def test_mnist_asks_for_the_published_checksums(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What pooch is told to compare with."""
    import pooch

    asked = {}

    def retrieve(url: str, known_hash: str, *, fname: str, path: Path) -> str:
        asked[fname] = known_hash
        write_mnist(path, {fname.removesuffix(".gz"): fake_mnist()[fname.removesuffix(".gz")]})
        return str(path / fname)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    datasets.mnist()
    assert asked == PUBLISHED


def test_mnist_silences_pooch_for_the_time_of_a_download(
    cache: Path, serve: Callable[[Answer], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is logged, and the user's level is put back, after a failure too."""
    import pooch

    logger = pooch.get_logger()
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    monkeypatch.setattr(handler, "emit", records.append)
    monkeypatch.setattr(logger, "handlers", [handler])
    monkeypatch.setattr(logger, "level", logging.DEBUG)
    files = publish(fake_mnist(), monkeypatch)
    serve(lambda url: files[url.split("/")[-1]] if "train" in url else b"")
    with pytest.raises(FileNotFoundError):
        datasets.mnist()
    assert records == []
    assert logger.level == logging.DEBUG


def test_mnist_cache_that_cannot_be_written(
    cache: Path, serve: Callable[[Answer], list[str]]
) -> None:
    """A cache that is no folder is told with the rest, not as pooch's own error."""
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where a folder should be")
    serve(lambda _: b"")
    with pytest.raises(FileNotFoundError, match="Downloads failed"):
        datasets.mnist()


# mnist: the real files


@needs_real_mnist
def test_real_mnist() -> None:
    """Counts, ranges and the known numbers of each label, below 400 MB."""
    tracemalloc.start()
    (x, y), (x_test, y_test) = datasets.mnist(REAL_MNIST.parent)
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
    # The mean pixel of the published training set, 0.1307, as every normalisation quotes it.
    assert x.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)


@needs_real_mnist
@pytest.mark.parametrize("file", [file for file in PUBLISHED if IMAGES not in file])
def test_published_checksums_are_those_of_the_real_files(file: str) -> None:
    """Three of the four files are the published ones bit for bit; the training images are not."""
    assert f"md5:{hashlib.md5((REAL_MNIST / file).read_bytes()).hexdigest()}" == PUBLISHED[file]
