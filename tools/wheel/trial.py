"""Test a wheel with one interpreter, in an environment without the source tree."""

import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import hiding
import source_tree
from interpreters import Interpreter

PROOF = Path(__file__).with_name("proof.py")
# The parts of the repository that the tests read. None of them is the package.
COPIED = (
    "python/tests", "fuzzing/found", "docs", "notebooks", "results", "benchmarks",
    "tools/notebooks.py", "demo", "test", "README.md", "CHANGELOG.md", "CONTRIBUTING.md",
    "SECURITY.md", "LICENSE", "pyproject.toml", "setup.cfg", "Sources/CCEP/include/cep.h",
)  # fmt: skip
# Tests of the source tree, not of an installed package.
LEFT_OUT = (
    "test_development_pages.py", "test_planted_defects.py", "test_swift_users.py",
    "test_c_program.py",
)  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """A trial of a wheel with an interpreter, in an empty folder, with some files hidden."""

    interpreter: Interpreter
    wheel: Path
    folder: Path
    hidden: list[Path]

    @property
    def bin(self) -> Path:
        """The folder of the environment's programs."""
        return self.folder / "venv" / "bin"

    @property
    def copy(self) -> Path:
        """The folder of the copied tests, next to the recordings."""
        return self.folder / "copy" / "cep"

    def install(self, extra: str = "") -> None:
        """Install the wheel and its dependencies from the index, without compiling."""
        if not self.bin.exists():
            run([self.interpreter.path, "-m", "venv", self.bin.parent])
        words = ["-I", "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
        run([self.bin / "python", *words, f"{self.wheel}{extra}"])

    def copy_tests(self) -> None:
        """Copy the tests to a place outside the source tree."""
        source_tree.copy(self.copy, *COPIED)
        shared = source_tree.REPOSITORY.parent / "shared"
        if shared.is_dir():
            (self.copy.parent / "shared").symlink_to(shared)
        shutil.copy2(PROOF, self.folder)

    def prove(self) -> None:
        """Check what is loaded, and that hidden files are hidden."""
        self.python(self.folder / PROOF.name, *self.hidden)

    def measure_import(self) -> None:
        """Print the duration of the import."""
        self.python(self.copy / "benchmarks" / "import_time.py")

    def test(self, *arguments: str) -> str:
        """Run tests; returns the number of passed tests and the duration."""
        report = self.folder / "report.xml"
        start = time.monotonic()
        left_out = [f"--ignore=python/tests/{name}" for name in LEFT_OUT]
        self.python("-m", "pytest", "-q", f"--junitxml={report}", *left_out, *arguments)
        (suite,) = ElementTree.parse(report).getroot()
        skipped = int(suite.attrib["skipped"])
        passed = int(suite.attrib["tests"]) - skipped
        return f"{passed} passed, {skipped} skipped in {time.monotonic() - start:.0f} s"

    def python(self, *words: str | Path) -> None:
        """Run the environment's interpreter on the copy, independent of this one.

        Only CEP_INSTRUCTION_SET is passed on, so that each set can be tested.
        """
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        environment = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "HOME": str(home),
            "LANG": "C.UTF-8",
        }
        if instruction_set := os.environ.get("CEP_INSTRUCTION_SET"):
            environment["CEP_INSTRUCTION_SET"] = instruction_set
        command = hiding.without(self.hidden, [self.bin / "python", *words])
        run(command, self.copy, environment)


def run(
    command: list[str | Path],
    folder: Path | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    """Run a command; exit if it fails."""
    done = subprocess.run(command, cwd=folder, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
