"""Test the wheel in dist with every CPython from 3.11 on that this machine has.

Each gets its own environment, first with NumPy, tqdm and click alone, then with the packages of the
tests: cep from the wheel, everything else from the package index. The source tree, Swift and the
system's OpenBLAS are hidden. Tests, documents and notebooks are copies.

    python tools/wheel/try_wheel.py [--quick] [--python VERSION ...]

Quick: only the newest one, and only the tests of examples and notebooks and a few others.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import hiding
from contents import libraries
from interpreters import Interpreter, find
from source_tree import DIST, REPOSITORY
from trial import Trial

QUICK = ("examples", "notebooks", "import", "versions", "typing", "reference")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="only the newest one, few tests")
    parser.add_argument(
        "--python", action="append", metavar="VERSION", help="such as 3.12; default: all"
    )
    arguments = parser.parse_args()
    wheels = list(DIST.glob("*.whl"))
    if len(wheels) != 1:
        sys.exit(f"expected one wheel in {DIST}, found {len(wheels)}: run build_wheel.py first")
    interpreters = chosen(arguments.python)[-1 if arguments.quick else 0 :]
    reason = hiding.why_not()
    hidden = [] if reason else hiding.places(REPOSITORY, libraries(wheels[0]))
    lines = [trial(each, wheels[0], hidden, arguments.quick) for each in interpreters]
    print(f"\n{wheels[0].name}, {wheels[0].stat().st_size / 1e6:.1f} MB", *lines, sep="\n  ")
    if reason:
        print(f"NOTHING WAS HIDDEN except through PATH and other folders: {reason}")
    if len(find()) < 2:
        print("ONLY ONE VERSION OF CPYTHON: this machine has no other")


def chosen(versions: list[str] | None) -> list[Interpreter]:
    """The interpreters of some versions, or all."""
    there = find()
    found = [each for each in there if versions is None or each.minor in versions]
    if not found or (versions and len(found) < len(set(versions))):
        wanted = ", ".join(versions or ["3.11 or newer"])
        sys.exit(f"expected CPython {wanted}, found {', '.join(map(str, there)) or 'none'}")
    return found


def trial(interpreter: Interpreter, wheel: Path, hidden: list[Path], quick: bool) -> str:
    """Test a wheel with an interpreter; returns a line of the summary."""
    print(f"\n== {interpreter}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cep-wheel-") as folder:
        one = Trial(interpreter, wheel, Path(folder), hidden)
        one.copy_tests()
        one.install()
        one.prove()
        one.python("-m", "cep", "--version")
        one.measure_import()
        one.install("[test]")
        one.prove()
        tests = [f"python/tests/test_{name}.py" for name in QUICK] if quick else []
        return f"{interpreter}: {one.test(*tests, *([] if quick else ['-m', '']))}"


if __name__ == "__main__":
    main()
