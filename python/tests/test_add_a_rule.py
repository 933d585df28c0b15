"""docs/how_to/add_a_rule.md holds to the letter: its listings, applied to a copy, are a rule."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from listings import listings
from places import REPOSITORY
from swift_toolchain import needs_swift, run

pytestmark = [pytest.mark.slow, pytest.mark.once, needs_swift]

PAGE = REPOSITORY / "docs" / "how_to" / "add_a_rule.md"
COPIED = (
    "Package.swift", "Sources", "Tests", "Examples",
    "setup.py", "setup.cfg", "pyproject.toml", "README.md", "python",
)  # fmt: skip


def copy_package(place: Path) -> None:
    built = shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__")
    for name in COPIED:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, place / name, ignore=built)
        else:
            place.mkdir(exist_ok=True)
            shutil.copy(REPOSITORY / name, place / name)


def named(pattern: str) -> str:
    """The file that the page names."""
    (name,) = set(re.findall(rf"`({pattern})`", PAGE.read_text()))
    return name


def test_the_page_makes_a_rule(tmp_path: Path) -> None:
    copy = tmp_path / "cep"
    copy_package(copy)
    (rule,) = listings(PAGE, "swift")
    estimates, test = listings(PAGE, "python")
    test_file = named(r"python/tests/test_\w+\.py")
    (copy / named(r"Sources/\S+\.swift")).write_text(rule)
    (copy / test_file).write_text(f"{estimates}\n\n{test}")
    for number, change in enumerate(listings(PAGE, "diff")):
        (tmp_path / f"{number}.diff").write_text(change)
        run("git", "apply", tmp_path / f"{number}.diff", folder=copy)

    run(sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", folder=copy)
    run(sys.executable, "-m", "pytest", "-q", copy / test_file, folder=copy / "python")
