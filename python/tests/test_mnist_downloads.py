"""MNIST is downloaded once, whole, and with the published checksums."""

import hashlib
import logging
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dataset_files import (
    IMAGES,
    PUBLISHED,
    Answer,
    assert_holds,
    fake_mnist,
    files_below,
    needs_real_mnist,
    publish,
    write_mnist,
)
from places import MNIST

from cep import datasets

pytestmark = pytest.mark.once

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
    # The mean pixel of the published training set, 0.1307, as every normalisation quotes it.
    assert x.mean(dtype=np.float64) == pytest.approx(0.1307, abs=5e-5)


@needs_real_mnist
@pytest.mark.parametrize("file", [file for file in PUBLISHED if IMAGES not in file])
def test_published_checksums_are_those_of_the_real_files(file: str) -> None:
    """Three of the four files are the published ones bit for bit; the training images are not."""
    assert f"md5:{hashlib.md5((MNIST / file).read_bytes()).hexdigest()}" == PUBLISHED[file]
