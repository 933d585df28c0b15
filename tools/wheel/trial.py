"""One interpreter, an environment of its own, and what runs there without the source tree."""

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
# Of the repository, what the tests read; none of it is the package, or could be built to be it.
COPIED = (
    "python/tests", "fuzzing/found", "docs", "notebooks", "results", "benchmarks",
    "tools/notebooks.py", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md",
    "LICENSE", "pyproject.toml", "setup.cfg", "Sources/CCEP/include/cep.h",
)  # fmt: skip
# Of the source tree, not of what is installed.
LEFT_OUT = (
    "test_development_pages.py", "test_planted_defects.py", "test_swift_users.py",
    "test_c_program.py",
)  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """Of a wheel, by an interpreter, in an empty folder, without some places."""

    interpreter: Interpreter
    wheel: Path
    folder: Path
    hidden: list[Path]

    @property
    def bin(self) -> Path:
        """Of the environment."""
        return self.folder / "venv" / "bin"

    @property
    def copy(self) -> Path:
        """Of the tests, and what they read; the recordings are beside it, as they should be."""
        return self.folder / "copy" / "cep"

    def install(self, extra: str = "") -> None:
        """Install the wheel, and what it needs, from the index: nothing is compiled."""
        if not self.bin.exists():
            run([self.interpreter.path, "-m", "venv", self.bin.parent])
        words = ["-I", "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
        run([self.bin / "python", *words, f"{self.wheel}{extra}"])

    def copy_tests(self) -> None:
        """Copy them, away from the source tree."""
        source_tree.copy(self.copy, *COPIED)
        shared = source_tree.REPOSITORY.parent / "shared"
        if shared.is_dir():
            (self.copy.parent / "shared").symlink_to(shared)
        shutil.copy2(PROOF, self.folder)

    def prove(self) -> None:
        """See what is loaded, and that what should be hidden is."""
        self.python(self.folder / PROOF.name, *self.hidden)

    def measure_import(self) -> None:
        """Print how long the import takes."""
        self.python(self.copy / "benchmarks" / "import_time.py")

    def test(self, *arguments: str) -> str:
        """Run tests; how many passed, and how long it took."""
        report = self.folder / "report.xml"
        start = time.monotonic()
        left_out = [f"--ignore=python/tests/{name}" for name in LEFT_OUT]
        self.python("-m", "pytest", "-q", f"--junitxml={report}", *left_out, *arguments)
        (suite,) = ElementTree.parse(report).getroot()
        skipped = int(suite.attrib["skipped"])
        passed = int(suite.attrib["tests"]) - skipped
        return f"{passed} passed, {skipped} skipped in {time.monotonic() - start:.0f} s"

    def python(self, *words: str | Path) -> None:
        """Run the environment's interpreter on the copy, knowing nothing of this one.

        Only CEP_INSTRUCTION_SET is passed on, so that the wheel is tried with each.
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
    """Run a command; its failure is ours."""
    done = subprocess.run(command, cwd=folder, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
