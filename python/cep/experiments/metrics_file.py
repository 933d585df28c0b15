"""Lines of the files that grow with a run: metrics and records, checked as they are read."""

from pathlib import Path
from typing import Any

from cep._util import files, validation
from cep.training.history import History

# What a line of the metrics file calls the columns of a history, in their order.
_METRICS = ("train_error", "train_loss", "test_error", "test_loss", "seconds")


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The metrics of each epoch, the first first.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    return _checked(path, ("epoch",), _METRICS)


def read_records(path: Path) -> list[dict[str, Any]]:
    """All records made, the first first.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    return _checked(path, ("epoch", "batch", "batches"), ())


def metrics_of(history: History, epoch: int) -> dict[str, Any]:
    """The line of an epoch (the first is 1) in the metrics file."""
    values = vars(history).values()
    return {"epoch": epoch} | {
        name: column[epoch - 1] for name, column in zip(_METRICS, values, strict=True)
    }


def history_of(metrics: list[dict[str, Any]]) -> History:
    """What `metrics_of` made the lines of."""
    return History(*([line[name] for line in metrics] for name in _METRICS))


def _checked(path: Path, counts: tuple[str, ...], numbers: tuple[str, ...]) -> list[dict[str, Any]]:
    """The lines of a file, each with these whole numbers and these real ones in it."""
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
