"""Sweeps: one run for every combination of some values of configuration fields."""

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from cep._util import validation
from cep._util.parallel import checked_jobs
from cep.experiments.configuration import Configuration
from cep.experiments.data import RunData, check_root, splits_of
from cep.experiments.overrides import plain, spelled
from cep.experiments.presets import Preset, configuration_of
from cep.experiments.result import RunOutcome
from cep.experiments.run_many import run_many
from cep.experiments.sweep_directory import SweepDirectory
from cep.experiments.sweep_result import SweepResult
from cep.io import tensor_files

# Largest number of bytes in the name of a directory, in the file systems of Linux.
_LONGEST_NAME = 255


def sweep(
    configuration: Configuration | Preset | str,
    parameters: Mapping[str, Iterable[Any]],
    directory: str | os.PathLike[str],
    *,
    data: RunData | None = None,
    jobs: int | None = None,
    data_root: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_run_end: Callable[[RunOutcome], object] | None = None,
) -> SweepResult:
    """Train a configuration with every combination of some values of its fields.

    Each run is stored in a subdirectory named after its values, such as ``beta=0.1,seed=3``, in the
    order of the fields. The directory also contains ``sweep.json``, the specification of the sweep,
    and ``results.csv``, with one row per run, which is written again when a run ends.

    A second call continues the sweep. Runs that have ended are not repeated. Runs that failed are
    repeated. Values may be added to the sweep.

    Parameters
    ----------
    configuration : Configuration, Preset or str
        The values of all fields that are not swept. A preset, or the name of one, stands for its
        configuration.
    parameters : mapping of str to iterable
        The values of each swept field. A single value may be a sequence, for example of ``hidden``.
    directory : path
        The directory of the sweep. It need not exist.
    data, jobs, data_root, progress, on_run_end
        As for `run_many`.

    Returns
    -------
    SweepResult
        The outcome of each run.

    Raises
    ------
    TypeError, ValueError, MemoryError
        If a field is unknown or has no effect, if a value is given twice, or if a value or a
        combination is invalid. Also if the directory contains a run, or a sweep with another
        configuration, other data, or values that this one lacks. No run is started in this case.
    BlockingIOError
        If another process uses the directory.
    OSError, ImportError, KeyboardInterrupt
        As for `run_many`. OSError also if ``results.csv`` cannot be written.

    Examples
    --------
    >>> import cep, tempfile
    >>> configuration = cep.Configuration(hidden=[16], epochs=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = cep.sweep(
    ...         configuration, {"seed": range(2)}, folder, jobs=1, progress=False
    ...     )
    >>> [outcome.name for outcome in result]
    ['seed=0', 'seed=1']
    """
    # The checks of run_many, before anything is written.
    tensor_files.check_available()
    checked_jobs(jobs)
    configuration = configuration_of("configuration", configuration)
    values = _checked(parameters)
    if "data" not in values:
        check_root(configuration, data, data_root)
    splits = None if "data" in values else splits_of(configuration, data, data_root)
    if splits is not None:
        configuration = configuration.of_data(splits.inputs, splits.classes)
    configurations = _combinations(configuration, values)
    for name in values:
        reasons = [each.without_effect(name) for each in configurations.values()]
        if all(reasons):
            raise ValueError(f"{name} has no effect, as {reasons[0]}")
    place = SweepDirectory(Path(directory).expanduser().absolute())
    ended: dict[str, RunOutcome] = {}

    def end(outcome: RunOutcome) -> None:
        ended[outcome.name] = outcome
        in_order = [ended[name] for name in configurations if name in ended]
        place.write_results(in_order, list(values))
        if on_run_end is not None:
            on_run_end(outcome)

    # Some data are split by the seed. If seeds are swept, the fingerprint is that of seed 0.
    if splits is not None and "seed" in values and configuration.seed != 0:
        splits = splits_of(configuration.replace(seed=0), data, data_root)
    fingerprint = {} if splits is None else splits.fingerprint(configuration.data)
    with place.opened(configuration, values, fingerprint):
        outcomes = run_many(
            configurations,
            place.path,
            data=data,
            jobs=jobs,
            data_root=data_root,
            progress=progress,
            on_run_end=end,
        )
    return SweepResult(tuple(values), place.path, tuple(outcomes.values()))


def _checked(parameters: Mapping[str, Iterable[Any]]) -> dict[str, list[Any]]:
    """The values as plain values, in the order of the fields."""
    if not isinstance(parameters, Mapping):
        raise TypeError(f"parameters must be a mapping of fields to values, got {parameters!r}")
    if not parameters:
        raise ValueError("parameters is empty; expected one field or more, with values")
    fields = [field.name for field in dataclasses.fields(Configuration)]
    for name, values in parameters.items():
        if name not in fields:
            raise ValueError(validation.unknown("parameter", name, fields))
        if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
            raise TypeError(f"the values of {name} must be a sequence, got {values!r}")
    checked = {name: plain(parameters[name]) for name in fields if name in parameters}
    for name, values in checked.items():
        if not values:
            raise ValueError(f"{name} has no values")
        words = [spelled(value) for value in values]
        if twice := {word for word in words if words.count(word) > 1}:
            raise ValueError(f"{name} has the value {min(twice)} twice")
    return checked


def _combinations(
    configuration: Configuration, parameters: Mapping[str, list[Any]]
) -> dict[str, Configuration]:
    """Every combination by name; the value of the last parameter changes fastest."""
    named: dict[str, Configuration] = {}
    names: dict[Configuration, str] = {}
    for values in itertools.product(*parameters.values()):
        changes = dict(zip(parameters, values, strict=True))
        name = ",".join(f"{field}={spelled(value)}" for field, value in changes.items())
        try:
            each = configuration.replace(**changes)
            each.make_network()
        except (TypeError, ValueError, MemoryError) as error:
            raise type(error)(f"{name}: {error}") from error
        if (other := names.setdefault(each, name)) != name:
            raise ValueError(f"{other} and {name} are the same configuration")
        if len(os.fsencode(name)) > _LONGEST_NAME:
            raise ValueError(f"too long for the name of a directory: {name}")
        named[name] = each
    return named
