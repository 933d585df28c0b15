"""Imports of the libraries that only some functions need."""

import importlib
from typing import Any


def import_extra(module: str, what: str, extra: str) -> Any:
    """Import an optional library; the error names the extra that installs it.

    Parameters
    ----------
    module : str
        The module to import.
    what : str
        The feature that needs it, as a subject: "drawing".
    extra : str
        The extra of the distribution that installs it.

    Raises
    ------
    ImportError
        If the library is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(needs(what, error, extra)) from error


def needs(what: str, error: ImportError, extra: str) -> str:
    """The message that a feature needs a library that could not be imported."""
    library = (error.name or str(error)).partition(".")[0]
    return f"{what} needs {library}: pip install 'equilibrium-propagation[{extra}]'"
