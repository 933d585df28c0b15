"""Imports of `import cep`, and imports that are delayed."""

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.once

# Slow to import, and missing if their extra is not installed.
OPTIONAL = [
    "dask", "distributed", "jax", "joblib", "matplotlib", "optuna", "pandas", "pooch",
    "safetensors", "scipy", "sklearn", "tensorboard", "torch",
]  # fmt: skip


def test_optional_libraries_wait_until_they_are_used(run_script: Callable[..., str]) -> None:
    program = f"import sys, cep; print([each for each in {OPTIONAL} if each in sys.modules])"
    assert run_script(program).strip() == "[]"


def test_the_estimator_is_imported_on_use(
    run_script: Callable[..., str],
) -> None:
    program = """
import sys, cep
print(cep.sklearn.EPClassifier())
print("sklearn" in sys.modules, hasattr(cep, "scikit"))
"""
    assert run_script(program).splitlines() == ["EPClassifier()", "True False"]


@pytest.mark.parametrize("absent", ["sklearn", "sklearn.base"])
def test_a_missing_scikit_learn_is_named(run_script: Callable[..., str], absent: str) -> None:
    program = """
import sys, cep
sys.modules[sys.argv[1]] = None
try:
    cep.sklearn
except ImportError as error:
    print(error)
"""
    message = run_script(program, absent)
    assert (
        message.strip()
        == "cep.sklearn needs sklearn: pip install 'equilibrium-propagation[sklearn]'"
    )
