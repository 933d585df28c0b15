"""Atomic file writing, JSON lines, and locks on folders."""

import fcntl
import json
import math
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PART = ".part"


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file atomically: readers see either the old or the new content, complete.

    A symbolic link is kept and its target replaced. A file keeps its permissions. Pipes and other
    special files are written to.

    Raises
    ------
    OSError
        If it cannot be written, as on a full disk. The old file is then unchanged.
    """
    given, path = path, Path(os.path.realpath(path))
    # In the same folder, because renaming is atomic only within a file system.
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}{_PART}")
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_bytes(content)
            return
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if path.is_file():
                shutil.copymode(path, part)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        left = "the old file is unchanged" if path.exists() else "the file does not exist"
        message = f"could not be written ({error.strerror}); {left}"
        raise OSError(error.errno, message, str(given)) from error


def remove_parts(folder: Path) -> None:
    """Remove files left by processes that were killed within `write_whole`."""
    for part in folder.glob(f".*{_PART}"):
        part.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock a folder against other processes. The system releases the lock if this one ends.

    Raises
    ------
    BlockingIOError
        If another process holds the lock.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(f"another process is using {folder}") from None
        yield
    finally:
        os.close(descriptor)


def parse_json(text: str) -> Any:
    """Parse a JSON text; all numbers must be finite.

    Raises
    ------
    ValueError
        If the text is not JSON, is nested too deeply, or has a number outside the range of floats.
    """
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is not a finite number")
    return number


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file with one JSON object per line; an empty list if the file is missing.

    An incomplete last line, of a process that was killed while writing, is ignored.

    Raises
    ------
    ValueError
        If another line is not a JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    objects = []
    # The text after the last line end is incomplete or empty.
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        try:
            value = parse_json(line)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: expected a JSON object, {error}") from None
        if not isinstance(value, dict):
            raise ValueError(f"{path}, line {number}: expected a JSON object, found {line!r}")
        objects.append(value)
    return objects


def json_lines(objects: list[dict[str, Any]]) -> bytes:
    """The file content that `read_json_lines` reads."""
    return "".join(json.dumps(each, allow_nan=False) + "\n" for each in objects).encode()


def append_json_line(path: Path, value: dict[str, Any]) -> None:
    """Append a line to a file for `read_json_lines`, synced to the disk."""
    with path.open("ab") as file:
        file.write(json_lines([value]))
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Sync the folder, so that a renaming survives a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
