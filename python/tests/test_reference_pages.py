"""The reference has all public names, and all pages can be reached."""

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
PUBLIC_MODULES = {
    name: value
    for name in [*cep.__all__, "sklearn"]
    if isinstance(value := getattr(cep, name), ModuleType)
}


def documented(name: str, value: object) -> bool:
    """Whether it is on a page, by this name or by that of the package."""
    own = [f"cep.{each}" for each in cep.__all__ if getattr(cep, each) is value]
    return name in DOCUMENTED or any(each in DOCUMENTED for each in own)


@pytest.mark.parametrize("name", cep.__all__)
def test_every_public_name_of_the_package(name: str) -> None:
    value = getattr(cep, name)
    if isinstance(value, ModuleType):
        assert re.search(rf"^\.\. automodule:: {value.__name__}$", PYTHON, re.M)
    else:
        assert documented(f"cep.{name}", value)


def public_names(module: ModuleType) -> list[str]:
    """The public names of a module: its list, or else all that it defines."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


@pytest.mark.parametrize(
    "name",
    [
        f"{short}.{name}"
        for short, module in PUBLIC_MODULES.items()
        for name in public_names(module)
        if module.__name__ not in WHOLE_MODULES
    ],
)
def test_every_public_name_of_a_module(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    assert documented(f"cep.{name}", getattr(PUBLIC_MODULES[module], attribute))


def test_every_page_is_reached() -> None:
    """From the page that lists the reference, or from the front page."""
    lists = (REFERENCE / "index.md").read_text() + (REPOSITORY / "docs" / "index.md").read_text()
    for page in REFERENCE.glob("*.md"):
        assert re.search(rf"^(?:reference/)?{page.stem}$", lists, re.M), page.name
