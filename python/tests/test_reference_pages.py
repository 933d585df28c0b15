"""The reference leaves out no public name, and has no page that cannot be reached."""

import importlib
import pkgutil
import re
from types import ModuleType

import pytest
from places import REPOSITORY

import cep

pytestmark = pytest.mark.once

REFERENCE = REPOSITORY / "docs" / "reference"
PYTHON = "\n".join(page.read_text() for page in sorted(REFERENCE.glob("*.md")))
DOCUMENTED = set(
    re.findall(r"^\.\. (?:auto(?:class|function|exception|data)|data):: (\S+)", PYTHON, re.M)
)
WHOLE_MODULES = set(re.findall(r"^\.\. automodule:: (\S+)\n   :members:", PYTHON, re.M))
PUBLIC_MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.iter_modules(cep.__path__, "cep.")
    if not module.name.startswith("cep._")
]


def documented(name: str, value: object) -> bool:
    """Whether it is on a page, by this name or by that of the package."""
    own = [f"cep.{each}" for each in cep.__all__ if getattr(cep, each) is value]
    return name in DOCUMENTED or any(each in DOCUMENTED for each in own)


@pytest.mark.parametrize("name", cep.__all__)
def test_every_public_name_of_the_package(name: str) -> None:
    value = getattr(cep, name)
    if value in PUBLIC_MODULES:
        assert re.search(rf"^\.\. auto\w+:: cep\.{name}\b", PYTHON, re.M)
    else:
        assert documented(f"cep.{name}", value)


def public_names(module: ModuleType) -> list[str]:
    """What it lists as public; all that it defines, where users meet the module by its name."""
    if module.__name__.removeprefix("cep.") not in cep.__all__ or hasattr(module, "__all__"):
        return list(getattr(module, "__all__", ()))
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


@pytest.mark.parametrize(
    "name",
    [
        f"{module.__name__}.{name}"
        for module in PUBLIC_MODULES
        for name in public_names(module)
        if module.__name__ not in WHOLE_MODULES
    ],
)
def test_every_public_name_of_a_module(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    assert documented(name, getattr(importlib.import_module(module), attribute))


def test_every_page_is_reached() -> None:
    """From the page that lists the reference, or from the front page."""
    lists = (REFERENCE / "index.md").read_text() + (REPOSITORY / "docs" / "index.md").read_text()
    for page in REFERENCE.glob("*.md"):
        assert re.search(rf"^(?:reference/)?{page.stem}$", lists, re.M), page.name
