"""Run directories side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cep.runs.directory import RunDirectory


def find_runs(place: Path) -> list[RunDirectory]:
    """The run directories that a folder is, or that are below it, by name.

    Raises
    ------
    FileNotFoundError
        There is none.
    """
    found = sorted(path.parent for path in place.rglob("configuration.json"))
    if not found:
        raise FileNotFoundError(f"there is no run in {place}")
    return [RunDirectory(path) for path in found]


def compare(directories: Sequence[RunDirectory]) -> tuple[list[str], list[list[str]]]:
    """A table of runs: the fields that differ, then how far each has come and its errors.

    Returns
    -------
    headings : list of str
    rows : list of list of str
        One a run.

    Raises
    ------
    ValueError
        A file is damaged.
    """
    configurations = [directory.configuration().to_dict() for directory in directories]
    differing = [
        name
        for name in configurations[0]
        if any(each[name] != configurations[0][name] for each in configurations)
    ]
    headings = ["run", *differing, "status", "epochs", "test error", "best", "in epoch"]
    headings += ["train error", "seconds"]
    rows = [
        [
            str(directory.path),
            *(_short(configuration[name]) for name in differing),
            *_progress(directory, configuration["epochs"]),
        ]
        for directory, configuration in zip(directories, configurations, strict=True)
    ]
    return headings, rows


def _progress(directory: RunDirectory, epochs: int) -> list[str]:
    status, _ = directory.status()
    history = directory.history()
    done = f"{len(history)}/{epochs}"
    if not len(history):
        return [status, done, "", "", "", "", ""]
    return [
        status,
        done,
        f"{history.validation_error[-1]:.2%}",
        f"{min(history.validation_error):.2%}",
        str(history.best_epoch),
        f"{history.train_error[-1]:.2%}",
        f"{sum(history.seconds):.1f}",
    ]


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_short, value))
    return str(value)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same as lines of text, in columns."""
    widths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headings, *rows)
    )
