"""Imports of the package go in one direction, including those in functions and TYPE_CHECKING."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import REPOSITORY

pytestmark = pytest.mark.once

PACKAGE = REPOSITORY / "python" / "cep"
# Each folder imports only from itself and from those before it.
FOLDERS = [
    "_cep", "_util", "_engine", "io", "datasets", "plotting", "devices", "network", "learning",
    "training", "hardware", "experiments", "reproduction", "cli", "sklearn",
]  # fmt: skip
FILES = [path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE]


def name_of(path: Path) -> str:
    name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


def is_module(name: str) -> bool:
    path = PACKAGE.parent / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").exists() or name == "cep._cep"


def imports(path: Path) -> Iterator[str]:
    """The modules of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if is_module(name) else str(node.module) for name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_imports_from_its_folder_and_those_before_it(path: Path) -> None:
    allowed = FOLDERS[: FOLDERS.index(path.relative_to(PACKAGE).parts[0]) + 1]
    for name in imports(path):
        top, _, rest = name.partition(".")
        assert top != "cep" or rest.split(".")[0] in allowed, f"{name_of(path)} imports {name}"


def test_no_files_import_each_other() -> None:
    graph = {name_of(path): set(imports(path)) for path in FILES}
    graphlib.TopologicalSorter(graph).prepare()
