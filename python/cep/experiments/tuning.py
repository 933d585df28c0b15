"""Search for the hyperparameters of a configuration with Optuna."""

import dataclasses
import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cep._engine.processor import get_num_threads, set_num_threads
from cep._util import validation
from cep._util.extras import import_extra
from cep._util.tables import table
from cep.experiments.configuration import Configuration
from cep.experiments.data import RunData, splits_of
from cep.experiments.overrides import plain, spelled
from cep.experiments.presets import Preset, configuration_of
from cep.experiments.running import run
from cep.training.checks import LearningWarning
from cep.training.loop import Callback, Training
from cep.training.progress import shows_bars

if TYPE_CHECKING:
    from optuna import Study
    from optuna.pruners import BasePruner
    from optuna.samplers import BaseSampler
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

# From a range of these fields, one value is drawn for each connection.
_RATES = ("learning_rates", "bias_learning_rates", "feedback_learning_rates")
# All trials must have the same values of these fields, otherwise their errors do not compare.
_FIXED = ("data", "inputs", "classes", "validation_fraction", "test_every_epoch")
_SHOWN = 10


@dataclass(frozen=True)
class TuneResult:
    """The result of `tune`. ``print(result)`` shows a table of the best trials."""

    study: "Study" = field(repr=False)
    """The study of Optuna, with all trials."""

    @property
    def configuration(self) -> Configuration:
        """The configuration of the best trial, for `cep.run`."""
        return Configuration.from_dict(self.study.best_trial.user_attrs["configuration"])

    @property
    def validation_error(self) -> float:
        """The validation error of the best trial after its last epoch, 0 to 1."""
        return float(self.study.best_value)

    def rows(self) -> list[dict[str, Any]]:
        """One row per trial: finished trials by validation error, then pruned trials.

        The validation error is that of the last epoch. It is NaN if the trial diverged in its first
        epoch.
        """
        trials = [each for each in self.study.trials if each.state.name in ("COMPLETE", "PRUNED")]
        rows = [
            {
                "trial": trial.number,
                "status": trial.state.name.lower(),
                "validation_error": math.nan if trial.value is None else trial.value,
                **trial.params,
            }
            for trial in trials
        ]
        return sorted(rows, key=lambda row: (row["status"], row["validation_error"]))

    def __str__(self) -> str:
        rows = self.rows()[:_SHOWN]
        if not rows:
            return "no trial was finished"
        names = list(dict.fromkeys(name for row in rows for name in row))
        return table(
            [name.replace("_", " ") for name in names],
            [[_cell(name, row.get(name, "")) for name in names] for row in rows],
        )


def tune(
    configuration: Configuration | Preset | str,
    search: Mapping[str, Iterable[Any]] | None = None,
    *,
    trials: int = 50,
    data: RunData | None = None,
    data_root: str | os.PathLike[str] | None = None,
    storage: "str | os.PathLike[str] | BaseStorage" = "tune.db",
    study_name: str = "cep",
    jobs: int = 1,
    sampler: "BaseSampler | None" = None,
    pruner: "BasePruner | None" = None,
    progress: bool = True,
    on_trial_end: "Callable[[FrozenTrial], object] | None" = None,
) -> TuneResult:
    """Search for the values of configuration fields with the lowest validation error.

    Each trial is a run with values that Optuna draws. A trial is pruned if its validation error is
    above the median of the other trials at the same epoch. Test data are never evaluated.

    A second call with the same storage continues the search until it has ``trials`` trials. If
    several processes or machines share a storage, each of them can call `tune`.

    Parameters
    ----------
    configuration : Configuration, Preset or str
        The values of all fields that are not searched.
    search : mapping of str to iterable, optional
        The values to search for each field. A tuple of two numbers ``(low, high)`` is a range,
        which is logarithmic if both are floats above 0. Any other sequence contains the values to
        choose from. From a range of ``learning_rates``, one value is drawn for each connection.
        Default: learning rates from a tenth to ten times those of the configuration, and β from
        0.1 to 1.
    trials : int
        The total number of trials, including pruned trials and those of earlier calls.
    data, data_root
        As for `cep.run`. If the data have no validation data, a share of the training data is used.
    storage : path, str or optuna.storages.BaseStorage
        The storage of the study: an SQLite file, which is created if it does not exist, a URL such
        as ``"postgresql://user@host/base"``, or a storage of Optuna.
    study_name : str
        The name of the study in its storage.
    jobs : int
        The number of trials that run at the same time, in threads. They share the threads of the
        engine.
    sampler, pruner : optional
        The sampler and the pruner of Optuna. Default: ``TPESampler()`` and
        ``MedianPruner(n_warmup_steps=2)``.
    progress : bool
        Whether to show a progress bar if standard error is a terminal.
    on_trial_end : callable, optional
        Called after each trial, with an ``optuna.trial.FrozenTrial``.

    Returns
    -------
    TuneResult
        ``.configuration`` is that of the best trial; ``.study`` has all trials.

    Raises
    ------
    TypeError, ValueError
        If an argument is invalid, if there are no validation data, or if the study in the storage
        has another configuration, other data or other values to choose from.
    ImportError
        If Optuna is not installed: ``pip install 'equilibrium-propagation[tune]'``.
    KeyboardInterrupt
        On Ctrl-C. The storage keeps the finished trials.

    Examples
    --------
    >>> import cep, tempfile
    >>> configuration = cep.Configuration(hidden=[16], epochs=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     result = cep.tune(
    ...         configuration,
    ...         {"learning_rates": (0.01, 0.1), "beta": [0.2, 0.5]},
    ...         trials=2,
    ...         storage=f"{folder}/study.db",
    ...         progress=False,
    ...     )
    >>> result.configuration.beta in (0.2, 0.5)
    True
    """
    optuna = import_extra("optuna", "tune", "tune")
    trials, jobs = validation.count("trials", trials), validation.count("jobs", jobs)
    configuration = configuration_of("configuration", configuration)
    splits = splits_of(configuration, data, data_root)
    configuration = configuration.of_data(splits.inputs, splits.classes)
    configuration = configuration.replace(test_every_epoch=False)
    if splits.validation is None and not configuration.validation_fraction:
        raise ValueError("tune needs validation data: give some, or a validation_fraction above 0")
    spaces = _checked(configuration, search)
    splits = dataclasses.replace(splits, test=None)

    def objective(trial: Any) -> float:
        each = configuration.replace(**_drawn(trial, configuration, spaces))
        trial.set_user_attr("configuration", each.to_dict())
        result = run(each, data=splits, progress=False, callbacks=[_Report(trial)])
        if result.stop_reason == "diverged":
            raise optuna.TrialPruned(result.message)
        return result.validation_error

    with _quiet(optuna), _threads_of(jobs):
        study = optuna.create_study(
            storage=_storage(storage),
            study_name=study_name,
            load_if_exists=True,
            sampler=sampler,
            pruner=pruner or optuna.pruners.MedianPruner(n_warmup_steps=2),
        )
        _claim(study, configuration, spaces, splits.fingerprint(configuration.data)["sha256"])
        states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
        left = trials - len(study.get_trials(deepcopy=False, states=states))
        callbacks = [optuna.study.MaxTrialsCallback(trials, states=states)]
        if on_trial_end is not None:
            callbacks.append(lambda study, trial: on_trial_end(trial))
        if left > 0:
            study.optimize(
                objective,
                n_trials=left,
                n_jobs=jobs,
                callbacks=callbacks,
                show_progress_bar=progress and shows_bars(),
            )
    return TuneResult(study)


class _Report(Callback):
    """Reports the validation error of each epoch, and ends the trial if Optuna prunes it."""

    def __init__(self, trial: Any) -> None:
        self._trial = trial

    def on_epoch_end(self, training: Training) -> None:
        """Report the validation error."""
        self._trial.report(training.history.validation_error[-1], training.epoch)
        if self._trial.should_prune():
            raise import_extra("optuna", "tune", "tune").TrialPruned


def _checked(
    configuration: Configuration, search: Mapping[str, Iterable[Any]] | None
) -> dict[str, list[Any] | tuple[Any, Any]]:
    """Ranges as pairs, and values to choose from as lists, in the order of the fields."""
    if search is None:
        rates = configuration.make_rule().spread_learning_rates(len(configuration.hidden) + 1)[0]
        search = {"learning_rates": (min(rates) / 10, max(rates) * 10)}
        search |= {} if configuration.rule == "bptt" else {"beta": (0.1, 1.0)}
    if not isinstance(search, Mapping) or not search:
        raise TypeError(f"search must be a mapping of fields to values, got {search!r}")
    fields = [each.name for each in dataclasses.fields(Configuration)]
    for name, values in search.items():
        if name not in fields:
            raise ValueError(validation.unknown("parameter", name, fields))
        if name in _FIXED:
            raise ValueError(f"{name} cannot be searched, because errors would not be comparable")
        if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
            raise TypeError(f"the values of {name} must be a range or a sequence, got {values!r}")
    return {name: _space(name, search[name]) for name in fields if name in search}


def _space(name: str, values: Iterable[Any]) -> list[Any] | tuple[Any, Any]:
    found = plain(values)
    is_pair = len(found) == 2 and all(type(each) in (int, float) for each in found)
    if not isinstance(values, tuple) or not is_pair:
        if not found:
            raise ValueError(f"{name} has no values")
        return list(found)
    low, high = found
    if not (low < high and math.isfinite(high - low)):
        raise ValueError(f"the range of {name} must rise, got {low} to {high}")
    return low, high


def _drawn(
    trial: Any, configuration: Configuration, spaces: Mapping[str, list[Any] | tuple[Any, Any]]
) -> dict[str, Any]:
    """The values of one trial."""
    changes: dict[str, Any] = {}
    for name, space in spaces.items():
        if isinstance(space, list):
            # Storages accept words, but no sequences.
            words = {spelled(value): value for value in space}
            changes[name] = words[trial.suggest_categorical(name, list(words))]
        elif name in _RATES:
            connections = len(changes.get("hidden", configuration.hidden)) + 1
            changes[name] = [_number(trial, f"{name}[{k}]", *space) for k in range(connections)]
        else:
            changes[name] = _number(trial, name, *space)
    return changes


def _number(trial: Any, name: str, low: float, high: float) -> Any:
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(name, low, high)
    return trial.suggest_float(name, low, high, log=low > 0)


def _storage(storage: Any) -> Any:
    """Convert the name of a file to the URL of an SQLite database."""
    if isinstance(storage, os.PathLike) or (isinstance(storage, str) and "://" not in storage):
        return f"sqlite:///{Path(storage).expanduser().absolute()}"
    return storage


def _claim(
    study: Any, configuration: Configuration, spaces: Mapping[str, Any], sha256: str
) -> None:
    """Reject a study that was made with other arguments."""
    fixed = {name: v for name, v in configuration.to_dict().items() if name not in spaces}
    choices = {name: list(map(spelled, v)) for name, v in spaces.items() if isinstance(v, list)}
    mine = {"fixed": fixed, "choices": choices, "sha256": sha256, "fields": list(spaces)}
    before = study.user_attrs
    for name, what in (
        ("fields", "another search"),
        ("fixed", "another configuration"),
        ("choices", "other values to choose from"),
        ("sha256", "other data"),
    ):
        if name in before and before[name] != mine[name]:
            raise ValueError(
                f"the storage holds a study {study.study_name!r} of {what}; give another storage, "
                "or another study_name"
            )
        study.set_user_attr(name, mine[name])


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Suppress the messages of Optuna for each trial, and warnings of trials that do not learn."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LearningWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


@contextmanager
def _threads_of(jobs: int) -> Iterator[None]:
    """Divide the threads of the engine among the trials that run at the same time."""
    before = get_num_threads()
    set_num_threads(max(1, before // jobs))
    try:
        yield
    finally:
        set_num_threads(before)


def _cell(name: str, value: Any) -> str:
    if name == "validation_error":
        return "" if math.isnan(value) else f"{value:.2%}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
