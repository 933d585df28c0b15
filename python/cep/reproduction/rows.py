"""Rows of the table of the paper: a preset trained with several seeds, and published values."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cep._util import validation
from cep.experiments import RunOutcome, presets
from cep.experiments.presets import Preset
from cep.reproduction.report import Reproduction
from cep.reproduction.series import row
from cep.reproduction.training import train


def reproduce(
    preset: str | Preset,
    seeds: int = 5,
    directory: str | os.PathLike[str] = "runs",
    *,
    epochs: int | None = None,
    jobs: int | None = None,
    data_root: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_run_end: Callable[[RunOutcome], object] | None = None,
) -> Reproduction:
    """Train a published experiment with several seeds.

    Finished runs are not repeated, and interrupted runs are resumed: after Ctrl-C or a crash, call
    it again.

    Parameters
    ----------
    preset : str or Preset
        Such as "C-EP-1h" (see `cep.presets`), or ``cep.presets.get("C-EP-1h").with_bptt()``.
    seeds : int
        The runs have seeds 0 … seeds − 1.
    directory : path
        Each run is stored in ``directory/C-EP-1h/seed-0`` and so on (see `RunDirectory`).
    epochs : int, optional
        Default: the published number.
    jobs, data_root, progress, on_run_end
        As for `cep.run_many`.

    Returns
    -------
    Reproduction
        Every run, means and deviations. Printing it also shows the published values.

    Raises
    ------
    TypeError, ValueError
        For an unknown preset, another invalid argument, or a directory that holds a run of another
        configuration. Nothing is trained then.
    FileNotFoundError, ImportError
        If MNIST or a library is missing.
    KeyboardInterrupt
        On Ctrl-C.

    Examples
    --------
    >>> print(cep.reproduce("EP-1h", seeds=5))  # doctest: +SKIP
    """
    return reproduce_rows(
        [preset],
        seeds,
        directory,
        epochs=epochs,
        jobs=jobs,
        data_root=data_root,
        progress=progress,
        on_run_end=on_run_end,
    )[0]


def reproduce_rows(
    rows: Sequence[str | Preset],
    seeds: int = 5,
    directory: str | os.PathLike[str] = "runs",
    *,
    epochs: int | None = None,
    jobs: int | None = None,
    data_root: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_run_end: Callable[[RunOutcome], object] | None = None,
) -> list[Reproduction]:
    """Run `reproduce` for several presets at once, so that no processor waits between them."""
    seeds = validation.count("seeds", seeds)
    names = [(each, row(each, epochs).runs(seeds)) for each in map(preset_of, rows)]
    outcomes = train(
        {name: configuration for _, runs in names for name, configuration in runs.items()},
        directory,
        jobs=jobs,
        data_root=data_root,
        progress=progress,
        on_run_end=on_run_end,
    )
    return [Reproduction(tuple(outcomes[name] for name in runs), each) for each, runs in names]


def read_rows(directory: str | os.PathLike[str]) -> list[Reproduction]:
    """The results of finished runs below a directory, one row for each preset that has some.

    Raises
    ------
    ValueError
        If a run differs from its preset's configuration, or a file is damaged.
    """
    known = [each for preset in presets.PRESETS.values() for each in (preset, preset.with_bptt())]
    rows = [Reproduction(tuple(row(each).ended(Path(directory))), each) for each in known]
    return [each for each in rows if each.outcomes]


def preset_of(preset: str | Preset) -> Preset:
    """The preset of this name, or the given preset."""
    return preset if isinstance(preset, Preset) else presets.get(preset)
