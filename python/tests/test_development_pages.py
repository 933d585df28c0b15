"""The listings of docs/development work, in a copy of the package."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from listings import listings
from places import REPOSITORY
from swift_toolchain import needs_swift, run

pytestmark = [pytest.mark.slow, needs_swift]

FOLDER = REPOSITORY / "docs" / "development"
PAGES = [page for page in sorted(FOLDER.glob("add_*.md")) if listings(page, "swift")]
COPIED = (
    "Package.swift", "Sources", "Tests", "Examples",
    "setup.py", "setup.cfg", "pyproject.toml", "README.md", "LICENSE", "python",
)  # fmt: skip


def copy_package(place: Path) -> None:
    built = shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__")
    for name in COPIED:
        if (REPOSITORY / name).is_dir():
            shutil.copytree(REPOSITORY / name, place / name, ignore=built)
        else:
            place.mkdir(exist_ok=True)
            shutil.copy(REPOSITORY / name, place / name)


def add(page: Path, copy: Path) -> None:
    """Add what a page lists: one Swift file, and one line that registers it."""
    (source,) = listings(page, "swift")
    (name,) = set(re.findall(r"`(Sources/\S+\.swift)`", page.read_text()))
    assert not (copy / name).exists()
    (copy / name).write_text(source)
    (change,) = listings(page, "diff")
    lines = change.splitlines()[2:]
    assert sum(line.startswith("+") for line in lines) == 1
    assert not any(line.startswith("-") for line in lines)
    listing = copy.parent / f"{page.stem}.diff"
    listing.write_text(change)
    run("git", "apply", listing, folder=copy)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with the additions of all pages, built."""
    copy = tmp_path_factory.mktemp("development") / "cep"
    copy_package(copy)
    for page in PAGES:
        add(page, copy)
    run(sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", folder=copy)
    return copy


def test_there_is_a_page_for_each_concept() -> None:
    names = ["add_a_connection", "add_a_rule", "add_an_objective", "add_an_optimizer"]
    assert [page.stem for page in PAGES] == names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_adds_passes_its_tests(page: Path, copy: Path) -> None:
    tests = copy / "python" / "tests" / f"test_page_{page.stem}.py"
    tests.write_text("\n\n".join(listings(page, "python")))
    run(sys.executable, "-m", "pytest", "-q", tests, folder=copy / "python")
