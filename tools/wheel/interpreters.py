"""The CPython interpreters of this machine that the wheel supports."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

FIRST = (3, 11)

# Excludes interpreters that the wheel does not support: other Pythons, those without the GIL, which
# lack abi3, and those without virtual environments.
QUESTION = """
import ensurepip, sys, sysconfig, venv
if sys.implementation.name == "cpython" and not sysconfig.get_config_var("Py_GIL_DISABLED"):
    print(*sys.version_info[:3], sys._base_executable)
"""


@dataclass(frozen=True, order=True)
class Interpreter:
    """A CPython interpreter."""

    version: tuple[int, int, int]
    path: Path

    @property
    def minor(self) -> str:
        """The version, such as "3.12"."""
        return f"{self.version[0]}.{self.version[1]}"

    def __str__(self) -> str:
        return f"CPython {'.'.join(map(str, self.version))}"


def find() -> list[Interpreter]:
    """The newest release of each version, the oldest version first."""
    found = {ask(path) for path in candidates()} - {None}
    newest = {each.minor: each for each in sorted(filter(None, found))}
    return sorted(newest.values())


def candidates() -> set[Path]:
    """Possible interpreters: on PATH, and in the folders of pyenv and uv."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    pyenv = Path(os.environ.get("PYENV_ROOT") or "~/.pyenv").expanduser()
    for kept in (pyenv / "versions", Path("~/.local/share/uv/python").expanduser()):
        folders += kept.glob("*/bin")
    return {path for folder in folders for path in folder.glob("python3*") if is_python(path)}


def is_python(path: Path) -> bool:
    """Whether a file has the name of an interpreter, such as "python3" or "python3.12"."""
    return path.name.removeprefix("python3").removeprefix(".").isdecimal() or path.name == "python3"


def ask(path: Path) -> Interpreter | None:
    """The interpreter's own answer; None if the wheel does not support it."""
    done = subprocess.run(
        [path, "-I", "-c", QUESTION], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode != 0 or not done.stdout:
        return None
    *version, executable = done.stdout.rstrip("\n").split(" ", 3)
    major, minor, micro = map(int, version)
    return Interpreter((major, minor, micro), Path(executable)) if (major, minor) >= FIRST else None
