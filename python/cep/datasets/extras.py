"""Imports of the libraries that only some functions need."""

import importlib
from typing import Any


def import_extra(module: str) -> Any:
    """Import a module of the extra ``datasets``; if it is absent, name the remedy."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"{error}: pip install 'cep[datasets]'") from error
