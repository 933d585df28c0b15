"""Spreads work over processes, or over what ``joblib.parallel_config`` names."""

import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from cep._util import validation
from cep._util.extras import import_extra

Result = TypeVar("Result")


def checked_jobs(jobs: int | None) -> int | None:
    """How many calls `spread` may make at a time, as joblib has it: None leaves it to joblib.

    Parameters
    ----------
    jobs : int, optional
        1 or more. Default: what ``joblib.parallel_config`` says, or else one for each processor
        that may be used.

    Raises
    ------
    TypeError, ValueError
        For anything else.
    ImportError
        Where joblib is not installed.
    """
    joblib = _joblib()
    if jobs is not None:
        return validation.count("jobs", jobs)
    _, configured = joblib.parallel.get_active_backend()
    return -1 if configured is None else None  # -1: all processors.


def spread(
    function: Callable[..., Result], calls: Mapping[str, tuple[Any, ...]], jobs: int | None
) -> Generator[tuple[str, Result | BrokenExecutor], None, None]:
    """Call a function with each of several arguments, several at a time.

    Parameters
    ----------
    function : callable
        What it raises is raised here, and ends all calls.
    calls : mapping of str to tuple
        Arguments, by a name of the call.
    jobs : int, optional
        As `checked_jobs` returned it; with 1 the calls are made in this process.

    Yields
    ------
    name : str
    result
        What the function returned, as soon as it did. Where the process that was at it died, by a
        crash or for want of memory, the error of its executor stands here instead.
    """
    joblib = _joblib()
    waiting = dict(calls)
    handed_out: list[str] = []

    def tasks() -> Iterator[Any]:
        for name, arguments in calls.items():
            handed_out.append(name)
            yield joblib.delayed(_named)(name, function, arguments)

    # One call a batch: joblib would hold back the results of short ones.
    parallel = joblib.Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")
    try:
        with _closed(parallel(tasks())) as results:
            for name, result in results:
                del waiting[name]
                yield name, result
    except BrokenExecutor as error:
        if len(calls) == 1:
            yield from ((name, error) for name in calls)
            return
        # The process of one of the calls handed out has died, and taken those of the others with
        # it. Which one it was is found by halves.
        suspects = [name for name in handed_out if name in waiting]
        middle = (len(suspects) + 1) // 2
        for part in (suspects[:middle], suspects[middle:]):
            yield from spread(function, {name: waiting.pop(name) for name in part}, jobs)
        yield from spread(function, waiting, jobs)


def _joblib() -> Any:
    return import_extra("joblib", "training several runs", "experiments")


def _named(
    name: str, function: Callable[..., Result], arguments: tuple[Any, ...]
) -> tuple[str, Result]:
    return name, function(*arguments)


@contextmanager
def _closed(results: Any) -> Iterator[Any]:
    """Stop the workers where the block ends early, without joblib's warning that they were."""
    try:
        yield results
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            results.close()
