"""Imports of the libraries that only some functions need."""

import importlib
from typing import Any


def import_extra(module: str, what: str, extra: str) -> Any:
    """Import a library; if it is absent, say what needs it and how to install it.

    Parameters
    ----------
    module : str
        To import.
    what : str
        What needs it, as a subject: "drawing".
    extra : str
        The extra of the distribution that brings it.

    Raises
    ------
    ImportError
        It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(needs(what, error, extra)) from error


def needs(what: str, error: ImportError, extra: str) -> str:
    """The message that something needs what could not be imported."""
    library = (error.name or str(error)).partition(".")[0]
    return f"{what} needs {library}: pip install 'equilibrium-propagation[{extra}]'"
