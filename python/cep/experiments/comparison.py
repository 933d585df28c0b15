"""Tables that compare runs."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from cep.experiments.configuration import Configuration
from cep.experiments.result import in_words
from cep.experiments.run_directory import RunDirectory
from cep.training.history import History


class RunSummary(NamedTuple):
    """The properties of a run that are compared."""

    name: str
    configuration: Configuration
    status: str
    history: History
    test_error: float


def find_runs(place: Path) -> list[RunDirectory]:
    """All run directories in a folder, including itself and damaged runs, sorted by name.

    Directories with a configuration.json of another program are ignored.

    Raises
    ------
    FileNotFoundError
        If the folder contains no run.
    """
    folders = sorted(path.parent for path in place.rglob("configuration.json"))
    found = [run for run in map(RunDirectory, folders) if not run.is_foreign()]
    if not found:
        raise FileNotFoundError(f"{place} contains no run")
    return found


def on_disk(directory: RunDirectory) -> RunSummary:
    """Read a run from its directory.

    Raises
    ------
    ValueError
        If a file is damaged.
    """
    configuration = directory.configuration()
    if (ending := directory.ending(configuration)) is not None:
        history, test_error = ending.history, ending.test_error
        status = in_words(ending.stop_reason, test_error)
    else:
        history = directory.history()
        status, test_error = directory.status().status, math.nan
    return RunSummary(str(directory.path), configuration, status, history, test_error)


def read(runs: Iterable[RunDirectory]) -> tuple[list[RunSummary], list[str]]:
    """The runs that can be read, and the error messages of the others."""
    compared, messages = [], []
    for run in runs:
        try:
            compared.append(on_disk(run))
        except (ValueError, OSError) as error:
            messages.append(str(error))
    return compared, messages


def compare(runs: Sequence[RunSummary]) -> tuple[list[str], list[list[str]]]:
    """A table of runs: the fields that differ, the finished epochs and the errors.

    Returns
    -------
    headings : list of str
    rows : list of list of str
        One row per run.
    """
    configurations = [run.configuration.to_dict() for run in runs]
    differing = [
        name
        for name in configurations[0]
        if any(each[name] != configurations[0][name] for each in configurations)
    ]
    headings = ["run", *differing, "status", "epochs", "validation error", "best", "in epoch"]
    headings += ["test error", "train error", "seconds"]
    rows = [
        [
            run.name,
            *(_short(configuration[name]) for name in differing),
            *_progress(run),
        ]
        for run, configuration in zip(runs, configurations, strict=True)
    ]
    return headings, rows


def _progress(run: RunSummary) -> list[str]:
    history = run.history
    done = f"{len(history)}/{run.configuration.epochs}"
    errors = history.validation_error
    return [
        run.status,
        done,
        _percent(errors[-1] if errors else math.nan),
        _percent(min(errors, default=math.nan)),
        str(history.best_epoch or ""),
        _percent(run.test_error),
        _percent(history.train_error[-1] if len(history) else math.nan),
        f"{sum(history.seconds):.1f}" if len(history) else "",
    ]


def _percent(error: float) -> str:
    return "" if math.isnan(error) else f"{error:.2%}"


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_short, value))
    return str(value)
