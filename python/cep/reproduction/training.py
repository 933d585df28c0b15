"""Trains series of runs, after checks of all arguments and directories."""

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

from cep.experiments import RunDirectory, RunOutcome, run_many
from cep.experiments.configuration import Configuration
from cep.experiments.data import Fingerprints, RunData


def train(
    configurations: Mapping[str, Configuration],
    directory: str | os.PathLike[str],
    *,
    data: RunData | None = None,
    jobs: int | None,
    data_root: str | os.PathLike[str] | None,
    progress: bool,
    on_run_end: Callable[[RunOutcome], object] | None,
) -> dict[str, RunOutcome]:
    """Call `cep.run_many`, but raise errors that would be the failure of every run.

    Raises
    ------
    ValueError
        If a directory contains a run of another configuration or of other data, or if a file is
        damaged.
    FileNotFoundError, ImportError
        If the data are not found, or a library is not installed.
    """
    waiting = []
    fingerprints = Fingerprints(data, data_root)
    for name, configuration in configurations.items():
        place = RunDirectory(Path(directory) / name)
        if place.holds_a_run():
            place.check_same(configuration)
            with contextlib.suppress(OSError, ImportError):  # Unreadable data.
                place.check_data(fingerprints.of(configuration))
        if place.ending(configuration) is None:
            waiting.append(configuration)
    if waiting:
        fingerprints.of(waiting[0])
    return run_many(
        configurations,
        directory,
        data=data,
        jobs=jobs,
        data_root=data_root,
        progress=progress,
        on_run_end=on_run_end,
    )
