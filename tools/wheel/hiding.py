"""Run a command without the parts of the system that the wheel must not need."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

HIDE = Path(__file__).with_name("hide.sh")


def places(repository: Path, bundled: Iterable[str]) -> list[Path]:
    """The source tree, Swift, and the system's copies of the libraries in the wheel.

    Parameters
    ----------
    repository : path
        The source tree.
    bundled : iterable of str
        File names of the libraries in the wheel.
    """
    names = set(map(original_name, bundled))
    system = [
        path
        for name, path in system_libraries().items()
        if name in names or "openblas" in name or name.startswith("libswift")
    ]
    return [repository, *swift(), *sorted(system)]


def original_name(bundled: str) -> str:
    """The original name of a file that auditwheel renamed, such as ``libx-0123abcd.so.1.2``."""
    return re.sub(r"-[0-9a-f]{8}(?=\.)", "", bundled, count=1)


def system_libraries() -> dict[str, Path]:
    """The libraries that the system's loader finds, by name."""
    known = subprocess.run(["/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True)
    found = (Path(path).resolve() for path in re.findall(r" => (.+)$", known.stdout, re.M))
    return {path.name: path for path in found}


def swift() -> list[Path]:
    """The compiler and the run time of the Swift toolchain on PATH."""
    found = []
    for name in ("swift", "swiftc"):
        if command := shutil.which(name):
            binary = Path(command).resolve()
            libraries = binary.parents[1] / "lib"
            found += [binary, libraries / "swift", libraries / "swift_static"]
    return sorted({path for path in found if path.exists()})


def why_not() -> str:
    """Why nothing can be hidden here; empty if it is possible."""
    try:
        done = subprocess.run([HIDE, "--", "true"], capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    return done.stderr.strip() if done.returncode else ""


def without(hidden: list[Path], command: list[str | Path]) -> list[str | Path]:
    """The command that runs another one without some files; unchanged if no file is hidden."""
    return [HIDE, *hidden, "--", *command] if hidden else command
