"""Files of figures."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cep.plotting.plots import DPI

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Drawable(Protocol):
    """The results of `angles`, `gdu` and `correlation`."""

    @property
    def stem(self) -> str:
        """The name of its files."""
        ...

    def plot(self) -> "Figure":
        """Draw the figure."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """The numbers drawn."""
        ...


def save(drawable: Drawable, folder: str | os.PathLike[str]) -> list[Path]:
    """Write a figure as PNG and SVG, and its numbers as JSON.

    Parameters
    ----------
    drawable : AngleSweep, TheoremCurves or Correlation
    folder : path
        Created if it does not exist.

    Returns
    -------
    list of Path
        The files: ``angles-C-VF-1h.png``, for example, ``.svg`` and ``.json``.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    OSError
        If they cannot be written.
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
