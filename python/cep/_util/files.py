"""Files that are whole whatever happens while they are written, and folders of one process."""

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
    """Replace a file in one step: whoever looks sees the old content or the new one, whole.

    A symbolic link stays, and what it leads to is replaced. A file keeps its permissions. What is
    no file, such as a pipe, is written to.

    Raises
    ------
    OSError
        It cannot be written, as on a full disk; what was there before is there still.
    """
    given, path = path, Path(os.path.realpath(path))
    # In the same folder, and so on the same file system, or the renaming would be a copying.
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
        left = "it is as it was before" if path.exists() else "it does not exist"
        message = f"could not be written ({error.strerror}); {left}"
        raise OSError(error.errno, message, str(given)) from error


def remove_parts(folder: Path) -> None:
    """Remove what processes left that were killed within `write_whole`."""
    for part in folder.glob(f".*{_PART}"):
        part.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes out; the system lets go of the lock however this one ends.

    Raises
    ------
    BlockingIOError
        Another process keeps this one out.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BlockingIOError(f"another process is at work in {folder}") from None
        yield
    finally:
        os.close(descriptor)


def parse_json(text: str) -> Any:
    """The value that a JSON text stands for; all numbers are finite, as JSON's are.

    Raises
    ------
    ValueError
        The text is no JSON, or nested too deeply, or has a number that no float can hold.
    """
    try:
        return json.loads(text, parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits} is no finite number")
    return number


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of one JSON object a line; none where there is no file.

    A last line that was torn, by a process killed while it wrote, is left out.

    Raises
    ------
    ValueError
        Another line is no JSON object.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    objects = []
    # What follows the last line end is torn, or empty.
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
    """What `read_json_lines` reads."""
    return "".join(json.dumps(each, allow_nan=False) + "\n" for each in objects).encode()


def append_json_line(path: Path, value: dict[str, Any]) -> None:
    """Add a line to a file that `read_json_lines` reads; it survives a power failure."""
    with path.open("ab") as file:
        file.write(json_lines([value]))
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the renaming itself survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
