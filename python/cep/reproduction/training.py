"""Trains series of runs, after everything that can be refused beforehand has been."""

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
    """`cep.run_many`, except that what it would record as a failure of every run is raised.

    Raises
    ------
    ValueError
        A directory holds a run of another configuration or of other data, or a file is damaged.
    FileNotFoundError, ImportError
        The data is not there, or a library is not.
    """
    waiting = []
    fingerprints = Fingerprints(data, data_root)
    for name, configuration in configurations.items():
        place = RunDirectory(Path(directory) / name)
        if place.holds_a_run():
            place.check_same(configuration)
            with contextlib.suppress(OSError, ImportError):  # Without data none are mixed.
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
