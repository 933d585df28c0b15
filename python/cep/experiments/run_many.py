"""Trains many configurations side by side, each in a directory of its own."""

import contextlib
import itertools
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath

from cep._engine.processor import get_num_threads, set_num_threads
from cep._util.parallel import checked_jobs, spread
from cep.experiments.configuration import Configuration
from cep.experiments.data import Fingerprints, RunData, reads_files
from cep.experiments.presets import Preset, configuration_of
from cep.experiments.result import RunOutcome
from cep.experiments.run_directory import RunDirectory
from cep.experiments.running import run
from cep.io import tensor_files
from cep.training.checks import LearningWarning, warn
from cep.training.progress import shows_bars


def run_many(
    configurations: Mapping[str, Configuration | Preset | str],
    directory: str | os.PathLike[str],
    *,
    data: RunData | None = None,
    jobs: int | None = None,
    data_root: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_run_end: Callable[[RunOutcome], object] | None = None,
) -> dict[str, RunOutcome]:
    """Train many configurations, several at a time, each on one thread of the engine.

    Runs that have ended are not repeated, and those that were cut short go on where they were: to
    go on after Ctrl-C, a crash or a failure, call it again. An error in one run is recorded and
    ends no other run.

    The runs are spread by joblib. ``joblib.parallel_config(backend="dask")`` around the call sends
    them to a cluster whose machines share the directory.

    Parameters
    ----------
    configurations : mapping of str to Configuration, Preset or str
        What to train, by name: a preset, or the name of one, stands for its configuration. The
        name of a run is a path below the directory, as "seed 3" or "beta/0.5".
    directory : path
        The run of each name is kept in ``directory/name`` (see `RunDirectory`).
    data : mapping, path or ((x, y), (x_test, y_test)), optional
        Of all runs, as for `cep.run`.
    jobs : int, optional
        Runs at a time, 1 or more; with 1 they run in this process. Default: what
        ``joblib.parallel_config`` says, or else one for each processor that may be used.
    data_root : path, optional
        MNIST's folder (see `cep.datasets.mnist`). Default: ``CEP_DATA`` of this process, where it
        is set; otherwise each worker looks for itself.
    progress : bool
        Whether to show a progress bar over the runs on standard error; a line a run if that is
        no terminal.
    on_run_end : callable, optional
        Called in this process with the outcome of each run as it ends, those that had ended
        before included.

    Returns
    -------
    dict of str to RunOutcome
        In the order of the configurations.

    Raises
    ------
    TypeError, ValueError
        For an argument that is not of its kind, or a name that leads out of the directory. No run
        has begun then.
    ImportError
        Where joblib or safetensors is not installed.
    KeyboardInterrupt
        On Ctrl-C. Runs in other processes lose what they did since their last checkpoint.
    """
    tensor_files.check_available()
    jobs = checked_jobs(jobs)
    if not isinstance(configurations, Mapping):
        raise TypeError(f"configurations must be a mapping of names, got {configurations!r}")
    for name in configurations:
        _check(name)
    named = {
        name: configuration_of(f"run {name!r}", value) for name, value in configurations.items()
    }
    # Absolute, as workers may be elsewhere; and theirs may be the environment of long ago.
    root = data_root if data_root is not None else os.environ.get("CEP_DATA") or None
    root = None if root is None else Path(root).expanduser().absolute()
    places = {name: Path(directory).expanduser().absolute() / name for name in named}
    outcomes: dict[str, RunOutcome] = {}
    with _threads_put_back(), _progress(len(named), shown=progress) as show:

        def end(outcome: RunOutcome) -> None:
            outcomes[outcome.name] = outcome
            show(outcome)
            if outcome.warnings:
                warn(f"run {outcome.name!r}: {outcome.warnings[0]}")
            if on_run_end is not None:
                on_run_end(outcome)

        # Those that have ended before need no worker.
        fingerprints = Fingerprints(data, root)
        for name, configuration in named.items():
            outcome = _ended_before(name, configuration, places[name], fingerprints)
            if outcome is not None:
                end(outcome)
        calls = {
            name: (name, configuration, places[name], data, root)
            for name, configuration in named.items()
            if name not in outcomes
        }
        with closing(spread(_train, calls, jobs)) as results:
            for name, result in results:
                if isinstance(result, RunOutcome):
                    end(result)
                else:
                    end(_failed(name, named[name], places[name], result))
    return {name: outcomes[name] for name in named}


def _check(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(f"the name of a run must be a string, got {name!r}")
    path = PurePosixPath(name)
    below = path.parts and not path.is_absolute() and ".." not in path.parts
    if not below or str(path) != name or "\0" in name:
        raise ValueError(
            f"the name of a run must be a path below the directory, as 'beta/0.5', got {name!r}"
        )


def _ended_before(
    name: str, configuration: Configuration, path: Path, fingerprints: Fingerprints
) -> RunOutcome | None:
    """The outcome of a run that needs no training any more."""
    directory = RunDirectory(path)
    try:
        configuration = directory.sized(configuration)
        ending = directory.ending(configuration)
        if ending is None:
            return None
        with contextlib.suppress(ImportError, FileNotFoundError):  # Without data none are mixed.
            directory.check_data(fingerprints.of(configuration))
        directory.mend(ending)
    except (ValueError, OSError):
        # The run will meet the same, and its outcome will say so.
        return None
    return RunOutcome(name, configuration, path, *ending[:5])


def _train(
    name: str, configuration: Configuration, path: Path, data: RunData | None, root: Path | None
) -> RunOutcome:
    """Train one of the runs: what a worker does."""
    set_num_threads(1)
    root = root if reads_files(configuration, data) else None
    try:
        # The process that called gives the warnings, each with the name of its run.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LearningWarning)
            result = run(
                configuration, path, data=data, data_root=root, progress=False, resume=True
            )
    except Exception as error:
        return _failed(name, configuration, path, error)
    outcome = (
        result.stop_reason,
        result.message,
        result.history,
        result.test_error,
        result.test_loss,
    )
    return RunOutcome(name, result.configuration, path, *outcome, result.warnings)


def _failed(name: str, configuration: Configuration, path: Path, error: Exception) -> RunOutcome:
    message = f"{type(error).__name__}: {error}"
    directory = RunDirectory(path)
    # Where nothing can be written, or another run or process is, the outcome alone says it.
    with contextlib.suppress(OSError, ValueError):
        directory.record_failure(configuration, message)
    return RunOutcome(name, configuration, path, "failed", message)


@contextmanager
def _threads_put_back() -> Iterator[None]:
    """As many threads of the engine afterwards as before, where runs ran in this process."""
    before = get_num_threads()
    try:
        yield
    finally:
        set_num_threads(before)


@contextmanager
def _progress(runs: int, *, shown: bool) -> Iterator[Callable[[RunOutcome], object]]:
    """A bar over the runs, or a line for each; it gives a function to be called as each ends."""
    if not shown or sys.stderr is None:
        yield lambda outcome: None
    elif shows_bars():
        from tqdm.auto import tqdm

        with tqdm(total=runs, unit=" runs") as bar:
            yield lambda outcome: bar.update()
    else:
        number = itertools.count(1)
        yield lambda outcome: print(
            f"run {next(number)} of {runs}: {outcome.name} {outcome.ended}",
            file=sys.stderr,
            flush=True,
        )
