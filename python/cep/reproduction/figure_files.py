"""Figures on disk."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cep.plotting.plots import DPI

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Drawable(Protocol):
    """What `angles`, `gdu` and `correlation` return."""

    @property
    def stem(self) -> str:
        """What its files are called."""
        ...

    def plot(self) -> "Figure":
        """Draw it."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """The numbers drawn."""
        ...


def save(drawable: Drawable, folder: str | os.PathLike[str]) -> list[Path]:
    """Write a figure as PNG and SVG, and the numbers drawn as JSON.

    Parameters
    ----------
    drawable : AngleSweep, TheoremCurves or Correlation
    folder : path
        Made where it does not exist.

    Returns
    -------
    list of Path
        The files: ``angles-C-VF-1h.png``, for example, ``.svg`` and ``.json``.

    Raises
    ------
    ImportError
        Where matplotlib is not installed.
    OSError
        Where they cannot be written.
    """
    figure, numbers = drawable.plot(), json.dumps(drawable.to_dict(), indent=1, allow_nan=False)
    Path(folder).mkdir(parents=True, exist_ok=True)
    paths = [Path(folder) / f"{drawable.stem}.{ending}" for ending in ("png", "svg", "json")]
    png, svg, json_file = paths
    figure.savefig(png, dpi=DPI)
    # Without the time of day, the same numbers give the same file.
    figure.savefig(svg, metadata={"Date": None})
    json_file.write_text(f"{numbers}\n", encoding="utf-8")
    return paths
