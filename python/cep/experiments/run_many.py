"""Trains many configurations in parallel, each in a separate directory."""

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
    """Train many configurations in parallel, each on one thread of the engine.

    A second call does not repeat runs that have ended. It continues runs that were interrupted by
    Ctrl-C or a crash, and repeats those that failed. An error in one run is stored in its
    directory and does not end the other runs.

    The runs are distributed by joblib. To use a cluster whose machines share the directory, call
    it within ``joblib.parallel_config(backend="dask")``.

    Parameters
    ----------
    configurations : mapping of str to Configuration, Preset or str
        The configurations by name of the run. A preset, or the name of one, stands for its
        configuration. The name of a run is a path below the directory, such as "seed 3" or
        "beta/0.5".
    directory : path
        The parent directory. The run NAME is stored in ``directory/NAME`` (see `RunDirectory`).
    data : mapping, path or ((x, y), (x_test, y_test)), optional
        The data of all runs, as for `cep.run`.
    jobs : int, optional
        The number of runs at the same time, 1 or more. With 1 they run in this process. Default:
        the setting of ``joblib.parallel_config``, otherwise one for each available processor.
    data_root : path, optional
        The folder of MNIST (see `cep.datasets.mnist`). Default: ``CEP_DATA`` of this process, if
        it is set; otherwise each worker searches for it.
    progress : bool
        Whether to show a progress bar over the runs on standard error. If this is not a terminal,
        one line per run is printed.
    on_run_end : callable, optional
        Called in this process with the outcome of each run, including runs that had ended before.

    Returns
    -------
    dict of str to RunOutcome
        In the order of the configurations.

    Raises
    ------
    TypeError, ValueError
        If an argument is invalid, or a name leads out of the directory. No run is started in this
        case.
    ImportError
        If joblib or safetensors is not installed.
    KeyboardInterrupt
        On Ctrl-C. Runs in other processes lose the work since their last checkpoint.
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
    # The path is absolute, as workers may have another current directory. CEP_DATA is read here,
    # as the environment of reused workers may be outdated.
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

        # Runs that have ended before need no worker.
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
            "the name of a run must be a path below the directory, such as 'beta/0.5', got "
            f"{name!r}"
        )


def _ended_before(
    name: str, configuration: Configuration, path: Path, fingerprints: Fingerprints
) -> RunOutcome | None:
    """The outcome of a run that has ended; None if it must be trained."""
    directory = RunDirectory(path)
    try:
        configuration = directory.sized(configuration)
        ending = directory.ending(configuration)
        if ending is None:
            return None
        # If the data cannot be read, they cannot be compared either.
        with contextlib.suppress(ImportError, FileNotFoundError):
            directory.check_data(fingerprints.of(configuration))
        directory.mend(ending)
    except (ValueError, OSError):
        # The run will raise the same error, which is then in its outcome.
        return None
    return RunOutcome(name, configuration, path, *ending[:5])


def _train(
    name: str, configuration: Configuration, path: Path, data: RunData | None, root: Path | None
) -> RunOutcome:
    """Train one of the runs, in a worker."""
    set_num_threads(1)
    root = root if reads_files(configuration, data) else None
    try:
        # The calling process gives the warnings, each with the name of its run.
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
    # If the directory cannot be written or is in use, only the outcome contains the failure.
    with contextlib.suppress(OSError, ValueError):
        directory.record_failure(configuration, message)
    return RunOutcome(name, configuration, path, "failed", message)


@contextmanager
def _threads_put_back() -> Iterator[None]:
    """Restore the number of threads of the engine, which runs in this process change."""
    before = get_num_threads()
    try:
        yield
    finally:
        set_num_threads(before)


@contextmanager
def _progress(runs: int, *, shown: bool) -> Iterator[Callable[[RunOutcome], object]]:
    """A progress bar over the runs, or one line per run.

    Gives a function that is called with the outcome of each run.
    """
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
