"""Find the files of a data set in the user's folders or the cache, or download them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cep._util.extras import import_extra
from cep.datasets.types import FilePath


@dataclass(frozen=True)
class Source:
    """The published files of a data set.

    Parameters
    ----------
    title : str
        The name in messages.
    folders : tuple of str
        Subfolders of the user's folder to search ("" is the folder itself).
    download_folder : str
        The folder for downloads, below the cache.
    checksums : dict of str to str
        MD5 of each published file, by its name.
    mirrors : tuple of str
        Prefixes of the files' URLs, in the order in which they are tried.
    """

    title: str
    folders: tuple[str, ...]
    download_folder: str
    checksums: dict[str, str]
    mirrors: tuple[str, ...]


@dataclass(frozen=True)
class Contents:
    """The files of a data set in a folder.

    Parameters
    ----------
    files : dict of str to pathlib.Path
        The files found, by their published names.
    missing : tuple of str
        The missing files.
    other : str
        Title of the data set that the files belong to, if it is another one.
    """

    files: dict[str, Path]
    missing: tuple[str, ...]
    other: str = ""

    @property
    def complete(self) -> bool:
        """Whether the folder holds the complete data set."""
        return not self.missing and not self.other

    @property
    def remark(self) -> str:
        """Why an incomplete folder does not count, for messages."""
        if self.other:
            return f" (holds {self.other})"
        return f" (lacks {', '.join(self.missing)})" if self.files else ""


Inspect = Callable[[Path], Contents]


def locate(source: Source, inspect: Inspect, root: FilePath | None) -> dict[str, Path]:
    """Return the files of a data set. If they are not found, download them.

    Parameters
    ----------
    source : Source
        The data set.
    inspect : callable
        Returns the contents of a folder.
    root : path or None
        The only folder to search. None: ``CEP_DATA``, then the cache, then a download.

    Returns
    -------
    dict of str to pathlib.Path
        The `files` of the first complete folder.

    Raises
    ------
    FileNotFoundError
        If the files are not found and every mirror failed.
    ImportError
        If the cache is needed and pooch is not installed.
    """
    given = root if root is not None else os.environ.get("CEP_DATA") or None
    places = [] if given is None else _folders(source, given)
    if found := _first_complete(inspect, places):
        return found
    if root is not None:
        raise FileNotFoundError(_not_found(source, inspect, places))
    pooch = import_extra("pooch", "the cache", "datasets")
    cache = Path(pooch.os_cache("cep"))
    cached = _folders(source, cache)
    if found := _first_complete(inspect, cached):
        return found
    return _download(pooch, source, inspect, cache / source.download_folder, places + cached)


def unexpected(place: object, expected: str, found: object) -> ValueError:
    """Return the error for a file with unexpected contents."""
    return ValueError(f"{place}: expected {expected}, found {found}")


def _folders(source: Source, base: FilePath) -> list[Path]:
    folder = Path(os.path.expanduser(base))
    return [folder / below for below in source.folders]


def _first_complete(inspect: Inspect, places: list[Path]) -> dict[str, Path]:
    return next((each.files for each in map(inspect, places) if each.complete), {})


def _download(
    pooch: Any, source: Source, inspect: Inspect, folder: Path, places: list[Path]
) -> dict[str, Path]:
    """Download the files missing in `folder`; existing files are kept."""
    contents = inspect(folder)
    if contents.other:
        raise FileNotFoundError(
            f"{_not_found(source, inspect, places)}\n"
            f"Nothing was downloaded, because {folder} holds {contents.other}."
        )
    logger = pooch.get_logger()
    level = logger.level
    logger.setLevel("WARNING")
    try:
        for file in source.checksums:
            if file not in contents.files and (failures := _retrieve(pooch, source, file, folder)):
                message = _not_found(source, inspect, places)
                raise FileNotFoundError(f"{message}\nDownloads failed:{failures}")
    finally:
        logger.setLevel(level)
    return inspect(folder).files


def _retrieve(pooch: Any, source: Source, file: str, folder: Path) -> str:
    """Download a file from the first working mirror; return why all failed, or ""."""
    failures = ""
    for mirror in source.mirrors:
        try:
            # Pooch renames a temporary file after checking its checksum, so no partial file
            # remains.
            pooch.retrieve(mirror + file, f"md5:{source.checksums[file]}", fname=file, path=folder)
            return ""
        except (OSError, ValueError) as error:  # ValueError: the checksum is wrong.
            failures += f"\n  {mirror}{file}: {error}"
    return failures


def _not_found(source: Source, inspect: Inspect, places: list[Path]) -> str:
    looked_at = "".join(f"\n  {place}{inspect(place).remark}" for place in places)
    return (
        f"{source.title} was not found. Searched:{looked_at}\n"
        f"Put {', '.join(source.checksums)}, or the unpacked files, in one folder; "
        "pass it as root or set the environment variable CEP_DATA."
    )
