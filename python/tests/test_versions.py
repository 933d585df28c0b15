"""All places have the same version."""

import importlib.metadata
import re
import tomllib

import pytest
from click.testing import CliRunner
from places import REPOSITORY

import cep
from cep.cli import cep as command

pytestmark = pytest.mark.once


def of_project() -> str:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return str(project["project"]["version"])


def of_header() -> str:
    header = (REPOSITORY / "Sources" / "CCEP" / "include" / "cep.h").read_text()
    (version,) = re.findall(r'^#define CEP_VERSION "(.+)"$', header, re.M)
    return str(version)


def of_changelog() -> str:
    """The version of the newest entry, released or not."""
    heading = re.search(r"^## (.+)$", (REPOSITORY / "CHANGELOG.md").read_text(), re.M)
    assert heading
    entry = re.fullmatch(r"(\d+\.\d+\.\d+) \((?:unreleased|\d{4}-\d\d-\d\d)\)", heading[1])
    assert entry, f"expected '## 1.2.3 (unreleased)', or a date there, found {heading[0]!r}"
    return entry[1]


def test_all_say_the_same() -> None:
    printed = CliRunner().invoke(command, ["--version"]).output
    found = {
        "pyproject.toml": of_project(),
        "the package that is installed": importlib.metadata.version("equilibrium-propagation"),
        "cep.h": of_header(),
        "cep_version() of the engine": cep.__version__,
        "cep --version": printed.split()[-1],
        "the newest entry of CHANGELOG.md": of_changelog(),
    }
    assert len(set(found.values())) == 1, "\n".join(f"{found[place]} {place}" for place in found)
