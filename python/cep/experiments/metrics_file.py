"""Reads and validates metrics and records, the files to which a run appends lines."""

from pathlib import Path
from typing import Any

from cep._util import files, validation
from cep.training.history import COLUMNS, History


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The metrics of each epoch, from the first on.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    lines = _checked(path, ("epoch",), ("train_error", "train_loss", "seconds"))
    for number, line in enumerate(lines, start=1):
        if set(line) != set(lines[0]) or not set(line) <= {"epoch", *COLUMNS}:
            raise ValueError(f"{path}, line {number}: expected the numbers {', '.join(lines[0])}")
        for name in line:
            try:
                validation.real(name, line[name])
            except TypeError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
    return lines


def read_records(path: Path) -> list[dict[str, Any]]:
    """All records, from the first on.

    Raises
    ------
    ValueError
        If the file is damaged.
    """
    return _checked(path, ("epoch", "batch", "batches"), ())


def history_of(metrics: list[dict[str, Any]]) -> History:
    """The history whose `History.rows` these metrics are."""
    names = metrics[0].keys() - {"epoch"} if metrics else ()
    return History(**{name: [line[name] for line in metrics] for name in names})


def _checked(path: Path, counts: tuple[str, ...], numbers: tuple[str, ...]) -> list[dict[str, Any]]:
    """The lines of a file. Each must have these integers and these real numbers."""
    lines = files.read_json_lines(path)
    for number, line in enumerate(lines, start=1):
        try:
            for name in counts:
                validation.count(name, line.get(name), lowest=0)
            for name in numbers:
                validation.real(name, line.get(name))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path}, line {number}: {error}") from None
    return lines
