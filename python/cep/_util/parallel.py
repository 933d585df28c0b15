"""Run calls in parallel processes, or with the backend of ``joblib.parallel_config``."""

import warnings
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from cep._util import validation
from cep._util.extras import import_extra

Result = TypeVar("Result")


def checked_jobs(jobs: int | None) -> int | None:
    """The number of simultaneous calls for `spread`, as joblib takes it; None leaves it to joblib.

    Parameters
    ----------
    jobs : int, optional
        1 or more. Default: the setting of ``joblib.parallel_config``, or else one for each
        available processor.

    Raises
    ------
    TypeError, ValueError
        For another value.
    ImportError
        If joblib is not installed.
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
        Its exceptions are raised here and end all calls.
    calls : mapping of str to tuple
        The arguments of each call, by name.
    jobs : int, optional
        From `checked_jobs`; with 1 the calls run in this process.

    Yields
    ------
    name : str
    result
        The result of each call as soon as it returns. If its process died, by a crash or for lack
        of memory, the executor's error takes its place.
    """
    joblib = _joblib()
    waiting = dict(calls)
    handed_out: list[str] = []

    def tasks() -> Iterator[Any]:
        for name, arguments in calls.items():
            handed_out.append(name)
            yield joblib.delayed(_named)(name, function, arguments)

    # One call per batch: otherwise joblib delays the results of short calls.
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
        # The process of one of the running calls has died, and with it those of the others. The
        # responsible call is found by bisection.
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
    """Stop the workers if the block ends early, without joblib's warning."""
    try:
        yield results
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            results.close()
