"""Types: the extension's stub matches it, and the sample client uses every name and runs."""

import ast
from pathlib import Path

import pytest
import typed_client

import cep
from cep import _cep

pytestmark = pytest.mark.once

STUB = Path(cep.__file__).with_name("_cep.pyi")


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(cep.__file__).with_name("py.typed").is_file()


def test_the_client_uses_every_public_name() -> None:
    used = {
        node.attr
        for node in ast.walk(ast.parse(Path(typed_client.__file__).read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "cep"
    }
    assert set(cep.__all__) - used == set()


@pytest.mark.filterwarnings("ignore::cep.LearningWarning")
def test_the_client_runs(tmp_path: Path) -> None:
    for library in ("matplotlib", "optuna"):
        pytest.importorskip(library)
    typed_client.main(tmp_path)


def public(names: list[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def test_the_stub_names_what_the_extension_has() -> None:
    classes, functions = {}, set()
    for node in ast.parse(STUB.read_text()).body:
        if isinstance(node, ast.ClassDef):
            classes[node.name] = node
        elif isinstance(node, ast.FunctionDef):
            functions.add(node.name)
    assert public(dir(_cep)) == functions | set(classes)
    assert issubclass(_cep.DivergenceError, ArithmeticError)
    for name in ("Array", "Gradient", "Theorem", "Network"):
        methods = {node.name for node in classes[name].body if isinstance(node, ast.FunctionDef)}
        assert public(dir(getattr(_cep, name))) == public(list(methods))
