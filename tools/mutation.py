"""Plant defects one at a time, and report which test catches each.

    python tools/mutation.py [WORD ...]

The defects are those of planted_defects.toml; with words, those whose description or file name
contains one of them. Each is planted in a copy of the checkout in build/mutation, never in the
checkout itself; the copy is built, and tested until a first test fails. results/mutation.md lists
these tests.

It takes about half an hour and can be interrupted: results are kept while the sources, except for
tests, are the same. The interpreter needs the packages of the tests; cep itself is imported from
the copy.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import planted_defects
from planted_defects import Defect

CHECKOUT = Path(__file__).resolve().parents[1]
SCRATCH = CHECKOUT / "build" / "mutation"
COPY = SCRATCH / "cep"
EXTENSION = COPY / "python" / "cep" / "_cep.abi3.so"
OUTCOMES = SCRATCH / "outcomes.json"
REPORT = CHECKOUT / "results" / "mutation.md"

# The Python tests that run if all Swift tests pass.
ENGINE_TESTS = tuple(
    f"python/tests/test_{name}.py"
    for name in (
        "reference", "vector_field", "beta_sign", "gradients", "theorem_reference", "phases",
        "relaxation_options", "training", "threads", "bad_input", "divergence",
    )
)  # fmt: skip
# A test that takes longer, in seconds, counts as hanging.
PATIENCE = 300


class BuildError(Exception):
    """The copy does not compile."""


def main(words: Sequence[str]) -> int:
    defects = planted_defects.load()
    chosen = [d for d in defects if not words or any(w in d.what or w in d.file for w in words)]
    update_copy()
    outcomes = Outcomes()
    check_that_everything_passes(defects, outcomes)
    try:
        for number, defect in enumerate(chosen, start=1):
            if outcomes.catcher(defect) is None:
                start = time.perf_counter()
                verdict = outcomes.record(defect, *try_out(defect))
                seconds = time.perf_counter() - start
                print(
                    f"{number}/{len(chosen)} {defect.what}: {verdict} ({seconds:.0f} s)", flush=True
                )
    finally:
        REPORT.write_text(report(defects, outcomes))
    print(f"{outcomes.score(chosen)}; see {REPORT}")
    return 0 if all(map(outcomes.catcher, chosen)) else 1


# ---- The copy ------------------------------------------------------------------------------------


def update_copy() -> None:
    """Bring the copy up to date; unchanged files keep their time, so that little is rebuilt."""
    listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], CHECKOUT)
    names = {name for name in listed.stdout.split("\0") if (CHECKOUT / name).is_file()}
    COPY.mkdir(parents=True, exist_ok=True)
    for name in names:
        source, target = CHECKOUT / name, COPY / name
        if not target.exists() or source.read_bytes() != target.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for folder in ("Sources", "Tests", "python"):
        for path in (COPY / folder).rglob("*"):
            name = path.relative_to(COPY).as_posix()
            if path.suffix in {".swift", ".c", ".h", ".py"} and name not in names:
                path.unlink()
    # Tests search for recordings and data next to the checkout.
    shared = SCRATCH / "shared"
    if not shared.exists() and (CHECKOUT.parent / "shared").is_dir():
        shared.symlink_to(CHECKOUT.parent / "shared")


@contextmanager
def planted(defect: Defect) -> Iterator[None]:
    path = COPY / defect.file
    text = path.read_text()
    path.write_text(defect.plant(COPY))
    try:
        yield
    finally:
        path.write_text(text)


def check_that_everything_passes(defects: Sequence[Defect], outcomes: "Outcomes") -> None:
    """Check the tests without a defect: a test that always fails would catch every defect."""
    named = {test for defect in defects for test in defect.tests}
    for tests in ["Tests", EXTENSION.name, *sorted(named | set(ENGINE_TESTS))]:
        version = f"{tests} {digest_of(tests)}"
        if version in outcomes.passing:
            continue
        failing = None
        if tests == "Tests":
            run(["swift", "build", "--build-tests"], COPY)
            failing = swift_test_that_fails()
        elif tests == EXTENSION.name:
            build_extension()
            shutil.copyfile(EXTENSION, SCRATCH / EXTENSION.name)
        else:
            shutil.copyfile(SCRATCH / EXTENSION.name, EXTENSION)
            failing = python_test_that_fails([tests])
        if failing:
            sys.exit(f"{failing} fails without a defect")
        print(f"without a defect: {tests}", flush=True)
        outcomes.record_passing(version)


# ---- Tests --------------------------------------------------------------------------------------


def try_out(defect: Defect) -> tuple[str | None, str]:
    """The test that catches a defect, or another outcome."""
    try:
        with planted(defect):
            return failing_test(defect), "**survived**"
    except BuildError as error:
        print(error)
        return None, "**does not compile**"


def failing_test(defect: Defect) -> str | None:
    """The first test that fails with the planted defect."""
    if defect.file.endswith(".py"):
        shutil.copyfile(SCRATCH / EXTENSION.name, EXTENSION)
        return python_test_that_fails(defect.tests)
    if not defect.tests:
        run(["swift", "build", "--build-tests"], COPY)
        # The tests of the module first.
        module = Path(defect.file).parts[1].replace("CVectorKernels", "CEPKernels")
        if (
            failing := swift_test_that_fails("--filter", f"{module}Tests")
            or swift_test_that_fails()
        ):
            return failing
    build_extension()
    return python_test_that_fails(defect.tests or ENGINE_TESTS)


def swift_test_that_fails(*options: str) -> str | None:
    status, failing = first_failure(
        ["swift", "test", "--skip-build", "--disable-xctest", *options],
        r"✘ Test (?P<test>\w+)\(.* recorded an issue .*?at (?P<suite>\w+)\.swift:\d+",
    )
    if failing:
        return f"{failing['suite']}.{failing['test']}"
    return None if status == 0 else "no end, or a crash, of the Swift tests"


def build_extension() -> None:
    run([sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", "--force"], COPY)


def python_test_that_fails(tests: Sequence[str]) -> str | None:
    status, failing = first_failure(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests],
        r"^(?:FAILED|ERROR) python/tests/(?P<test>\w+\.py(?:::\w+)*)",
    )
    if failing:
        return failing["test"]
    return None if status == 0 else f"no end, or a crash, of {' '.join(tests)}"


def first_failure(command: Sequence[str], pattern: str) -> tuple[int, re.Match[str] | None]:
    """Run tests until one fails: the status, and the match in the line that reports it."""
    environment = os.environ | {"PYTHONPATH": str(COPY / "python")}
    process = subprocess.Popen(
        command, cwd=COPY, env=environment, text=True, errors="replace", start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    watchdog = threading.Timer(PATIENCE, stop, [process])
    watchdog.start()
    failure = None
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if failure is None and (failure := re.search(pattern, line)):
                break
    finally:
        watchdog.cancel()
        stop(process)
    return process.wait(), failure


def stop(process: subprocess.Popen[str]) -> None:
    """End the tests and their processes if they are still running."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{' '.join(command)}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done


# ---- Outcomes -----------------------------------------------------------------------------------


class Outcomes:
    """The test that caught each defect, kept while the sources are the same."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = {
            "sources": digest_of("Sources", "python/cep", "python/src"),
            "passing": [],
            "caught": {},
        }
        self._uncaught: dict[Defect, str] = {}
        if OUTCOMES.exists():
            kept = json.loads(OUTCOMES.read_text())
            if kept["sources"] == self._kept["sources"]:
                self._kept = kept

    @property
    def passing(self) -> list[str]:
        """The tests that passed without a defect, and a digest of them."""
        return self._kept["passing"]

    def record_passing(self, tests: str) -> None:
        self.passing.append(tests)
        self._write()

    def catcher(self, defect: Defect) -> str | None:
        """The test that caught the defect."""
        return self._kept["caught"].get(repr(defect))

    def record(self, defect: Defect, test: str | None, otherwise: str) -> str:
        if test:
            self._kept["caught"][repr(defect)] = test
            self._write()
        else:
            self._uncaught[defect] = otherwise
        return self.verdict(defect)

    def verdict(self, defect: Defect) -> str:
        return self.catcher(defect) or self._uncaught.get(defect, "(not tried yet)")

    def score(self, defects: Sequence[Defect]) -> str:
        caught = sum(self.catcher(defect) is not None for defect in defects)
        untried = sum(self.verdict(defect) == "(not tried yet)" for defect in defects)
        return f"{caught} of {len(defects)} caught" + (f", {untried} not tried yet" * bool(untried))

    def _write(self) -> None:
        OUTCOMES.write_text(json.dumps(self._kept, indent=1))


def digest_of(*names: str) -> str:
    """A digest of files or folders of the copy, without build products."""
    digest = hashlib.sha256()
    for name in names:
        for path in [COPY / name, *sorted((COPY / name).rglob("*"))]:
            if path.is_file() and path.suffix not in {".so", ".pyc"}:
                digest.update(path.relative_to(COPY).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def report(defects: Sequence[Defect], outcomes: Outcomes) -> str:
    lines = [
        "# Mutation tests",
        "",
        "Written by `make mutation` (tools/mutation.py). Each defect of tools/planted_defects.toml",
        "was planted in a copy of the sources, which was built and tested until a test failed. The",
        "table names this test. Others may fail too.",
        "",
        f"**{outcomes.score(defects)}.**",
        "",
        "| file | defect | caught by |",
        "| --- | --- | --- |",
    ]
    for defect in defects:
        file = defect.file.removeprefix("Sources/")
        what = defect.what.replace("|", "\\|")
        lines.append(f"| {file} | {what} | {outcomes.verdict(defect)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("interrupted: run the command again to continue")
