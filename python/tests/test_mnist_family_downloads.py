"""MNIST and its family are downloaded once, completely, and with the published checksums."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dataset_files import (
    FILES,
    IMAGES,
    MEMBERS,
    Answer,
    Member,
    assert_holds,
    each_member,
    fake_mnist,
    files_below,
    publish,
    write_mnist,
)

from cep import datasets

pytestmark = pytest.mark.once


@each_member
def test_downloads_once(
    cache: Path,
    serve: Callable[[Answer], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    member: Member,
) -> None:
    """Four files from the first mirror into the cache; the second call is local."""
    arrays = fake_mnist()
    files = publish(arrays, monkeypatch, member)
    requested = serve(lambda url: files[url.split("/")[-1]])
    assert_holds(member.load(), arrays)
    assert requested == [member.mirrors[0] + file for file in FILES]
    assert [path.relative_to(cache).as_posix() for path in cache.iterdir()] == [member.folders[0]]
    assert {path.name for path in (cache / member.folders[0]).iterdir()} == set(FILES)
    assert_holds(member.load(), arrays)
    assert len(requested) == 4


def test_downloads_of_all_three_stay_apart(
    cache: Path, serve: Callable[[Answer], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One cache holds all of them, under the same names."""
    every = {each.mirrors[0]: fake_mnist(seed=seed) for seed, each in enumerate(MEMBERS)}
    served: dict[str, bytes] = {}
    for member in MEMBERS:
        files = publish(every[member.mirrors[0]], monkeypatch, member)
        served |= {member.mirrors[0] + file: content for file, content in files.items()}
    requested = serve(served.__getitem__)
    for _ in range(2):
        for member in MEMBERS:
            assert_holds(member.load(), every[member.mirrors[0]])
    assert len(requested) == 12


@pytest.mark.parametrize("failure", ["refused", "other content"])
@pytest.mark.parametrize("member", MEMBERS[:2], ids=lambda member: member.name)
def test_the_next_mirror_is_tried(
    cache: Path,
    serve: Callable[[Answer], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    member: Member,
    failure: str,
) -> None:
    """If the first does not answer or sends other content."""
    import requests

    arrays = fake_mnist()
    files = publish(arrays, monkeypatch, member)

    def answer(url: str) -> bytes:
        content = files[url.split("/")[-1]]
        if not url.startswith(member.mirrors[0]):
            return content
        if failure == "refused":
            raise requests.ConnectionError("refused")
        return content[:-1]

    requested = serve(answer)
    assert_holds(member.load(), arrays)
    assert requested == [mirror + file for file in FILES for mirror in member.mirrors]
    assert files_below(cache) == set(FILES)


@each_member
def test_offline(
    tmp_path: Path,
    cache: Path,
    serve: Callable[[Answer], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    member: Member,
) -> None:
    """The error has the places searched, the files needed and the reason of each failure."""
    import requests

    def answer(url: str) -> bytes:
        raise requests.ConnectionError(f"no route to {url}")

    monkeypatch.setenv("CEP_DATA", str(tmp_path / "environment"))
    requested = serve(answer)
    with pytest.raises(FileNotFoundError) as caught:
        member.load()
    message = str(caught.value)
    for base in (tmp_path / "environment", cache):
        for place in (base, *(base / below for below in member.folders)):
            assert f"\n  {place}\n" in message
    for expected in (f"{member.title} was not found", "root", "CEP_DATA", *FILES):
        assert expected in message
    assert requested == [mirror + FILES[0] for mirror in member.mirrors]
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
    """Complete files stay, a partial one is removed, and the next call completes the set."""
    arrays = fake_mnist()
    files = publish(arrays, monkeypatch)

    def answer(url: str) -> bytes:
        if "t10k-images" in url:
            raise error
        return files[url.split("/")[-1]]

    serve(answer)
    with pytest.raises(KeyboardInterrupt if error is KeyboardInterrupt else FileNotFoundError):
        datasets.mnist()
    assert files_below(cache) == {file for file in FILES if file.startswith("train")}
    requested = serve(lambda url: files[url.split("/")[-1]])
    assert_holds(datasets.mnist(), arrays)
    assert len(requested) == 2


def test_mnist_completes_what_the_user_put_in_the_cache(
    cache: Path, serve: Callable[[Answer], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An existing file is neither checked nor replaced."""
    arrays = fake_mnist()
    files = publish(arrays, monkeypatch)
    own = {IMAGES: np.full((10, 28, 28), 7, np.uint8)}
    write_mnist(cache / "mnist", own)
    before = (cache / "mnist" / f"{IMAGES}.gz").read_bytes()
    requested = serve(lambda url: files[url.split("/")[-1]])
    assert_holds(datasets.mnist(), arrays | own)
    assert len(requested) == 3
    assert (cache / "mnist" / f"{IMAGES}.gz").read_bytes() == before


@each_member
def test_the_published_checksums_are_asked_for(
    cache: Path, monkeypatch: pytest.MonkeyPatch, member: Member
) -> None:
    """The checksum that pooch compares with."""
    import pooch

    asked = {}

    def retrieve(url: str, known_hash: str, *, fname: str, path: Path) -> str:
        asked[fname] = known_hash
        write_mnist(path, {fname.removesuffix(".gz"): fake_mnist()[fname.removesuffix(".gz")]})
        return str(path / fname)

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    member.load()
    assert asked == dict(zip(FILES, (f"md5:{each}" for each in member.md5), strict=True))


def test_mnist_silences_pooch_for_the_time_of_a_download(
    cache: Path, serve: Callable[[Answer], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is logged, and the user's level is restored, also after a failure."""
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
    """A cache that is not a folder is reported in the same message."""
    cache.parent.mkdir(parents=True)
    cache.write_text("a file in place of a folder")
    serve(lambda _: b"")
    with pytest.raises(FileNotFoundError, match="Downloads failed"):
        datasets.mnist()
