"""Training of a configuration."""

import math
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from cep._cep import DivergenceError
from cep._util import validation
from cep._util.signals import deferred_interrupts, interruptible
from cep.experiments.checkpointing import CheckpointCallback
from cep.experiments.configuration import Configuration
from cep.experiments.data import Arrays, RunData, check_root, splits_of
from cep.experiments.presets import Preset, configuration_of
from cep.experiments.result import RunResult, StopReason, reason_to_stop
from cep.experiments.run_directory import RunDirectory
from cep.training.callbacks import EarlyStopping, LearningRateSchedule, TensorBoard
from cep.training.data import checked_data, source_of
from cep.training.diagnostics import Diagnostics
from cep.training.evaluation import Evaluation, evaluate
from cep.training.fitting import with_progress
from cep.training.history import History
from cep.training.loop import Callback, Training


def run(
    configuration: Configuration | Preset | str,
    directory: str | os.PathLike[str] | None = None,
    *,
    data: RunData | None = None,
    data_root: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_epoch_end: Callable[[History], object] | None = None,
    resume: bool = False,
    checkpoint_every: int | None = None,
    tensorboard: bool = False,
    callbacks: Sequence[Callback] = (),
) -> RunResult:
    """Train a network as specified by a configuration.

    The validation data, by default a tenth of the training data, determine when a configuration
    with `patience` stops and which checkpoint is the best one. Test data are evaluated at the end.

    Parameters
    ----------
    configuration : Configuration, Preset or str
        The configuration. A preset, or the name of one, stands for its configuration (see
        `cep.presets`).
    directory : path, optional
        The directory in which the run is stored (see `RunDirectory`). It is created if it does not
        exist. Without a directory, nothing is written.
    data : mapping, path or ((x, y), (x_test, y_test)), optional
        ``{"train": (x, y), "validation": (x, y), "test": (x, y)}``, of which only the first is
        required, or an ``.npz`` file with the arrays ``x`` and ``y``, and optionally ``x_test``,
        ``y_test``, ``x_validation`` and ``y_validation``. If the file has no test data, a fifth of
        its samples is the test set. Default: the data set that the configuration names. If
        ``data`` of the configuration is another name, the sizes are taken from these arrays.
    data_root : path, optional
        The folder of the named data set (see `cep.datasets.mnist`), if it is read from files.
    progress : bool
        Whether to show progress, as in `cep.fit`.
    on_epoch_end : callable, optional
        Called with the history after every epoch.
    resume : bool
        Whether to continue the run in the directory, if there is one. The result equals that of an
        uninterrupted run bit for bit. A run that has ended is not repeated, unless the
        configuration has more epochs or more patience than before.
    checkpoint_every : int, optional
        Number of batches between two checkpoints within an epoch. In addition, a checkpoint is
        written after every epoch and every 60 s.
    tensorboard : bool
        Whether to write event files into ``tensorboard`` in the directory, too.
    callbacks : sequence of Callback
        Called during training, in this order (see `Callback`).

    Returns
    -------
    RunResult
        The network, its history, and the reason why the run stopped. If the network diverges, no
        exception is raised: `stop_reason` is "diverged".

    Raises
    ------
    TypeError, ValueError, MemoryError
        If an argument is invalid, the network cannot be made, or the directory contains a run of
        another configuration or of other data, or a damaged checkpoint. Nothing is changed in this
        case.
    FileExistsError
        If the directory contains a run of this configuration, and `resume` is false.
    FileNotFoundError, ImportError
        If the data are not found, or a library is not installed.
    OSError
        If the directory cannot be written to. The last complete checkpoint stays.
    KeyboardInterrupt
        On Ctrl-C; with a directory, after a checkpoint.
    SystemExit
        On SIGTERM, with status 143, after a checkpoint. Without a directory, or if the program has
        its own handler, SIGTERM is not handled here.
    """
    configuration = configuration_of("configuration", configuration)
    if checkpoint_every is not None:
        checkpoint_every = validation.count("checkpoint_every", checkpoint_every)
    if directory is None and (resume or tensorboard or checkpoint_every is not None):
        raise ValueError("resume, checkpoint_every and tensorboard need a directory")
    place = None if directory is None else RunDirectory(directory)
    if place is not None and resume:
        configuration = place.sized(configuration)
    check_root(configuration, data, data_root)
    splits = splits_of(configuration, data, data_root)
    configuration = configuration.of_data(splits.inputs, splits.classes)
    fingerprint: dict[str, Any] = {}
    if place is not None:
        fingerprint = splits.fingerprint(configuration.data)
        if resume and (ended := place.result(configuration)) is not None:
            place.check_data(fingerprint)
            return ended
    net = configuration.make_network()
    splits = splits.as_for(net.shapes[0])
    source, validation_data = source_of(
        net,
        splits.train,
        batch_size=configuration.batch_size,
        seed=configuration.seed,
        validation_data=splits.validation or configuration.validation_fraction or None,
        augment=configuration.augment if configuration.augments else None,
    )
    checked_data(net, "test data", splits.test)
    if configuration.patience is not None and validation_data is None:
        raise ValueError(
            "patience needs validation data: give some, or a validation_fraction above 0"
        )
    every: list[Callback] = [LearningRateSchedule(configuration.learning_rate_factor)]
    diagnostics = None
    if configuration.diagnostics_every is not None:
        diagnostics = Diagnostics(configuration.diagnostics_every, configuration.diagnostics_kinds)
        every.append(diagnostics)
    history = position = None
    with ExitStack() as stack:
        if place is not None:
            events = TensorBoard(place.path / "tensorboard") if tensorboard else None
            checkpoint = stack.enter_context(
                place.opened(configuration, fingerprint, resume=resume)
            )
            if checkpoint is not None:
                if source.batches is not None and checkpoint.position.batch > source.batches:
                    raise ValueError(
                        f"the checkpoint was made after {checkpoint.position.batch} batches of an "
                        f"epoch; an epoch of these data has {source.batches}: the run was started "
                        "with other data"
                    )
                checkpoint.restore(net)
                history, position = checkpoint.history, checkpoint.position
            interruption = stack.enter_context(deferred_interrupts())
            if diagnostics is not None:
                diagnostics.records = place.records()
            every.append(
                CheckpointCallback(
                    place, configuration, checkpoint_every, interruption, diagnostics
                )
            )
            every += [] if events is None else [events]
        every += with_progress(callbacks, progress=progress, on_epoch_end=on_epoch_end)
        if configuration.patience is not None:
            every.append(EarlyStopping(patience=configuration.patience))
        training = Training(
            net,
            source,
            configuration.make_rule(),
            configuration.epochs,
            validation_data=validation_data,
            test_data=splits.test if configuration.test_every_epoch else None,
            callbacks=every,
            history=history,
            position=position,
        )
        result = _train(configuration, training, diagnostics, splits.test)
        if place is not None:
            place.end(result)
        return result


def _train(
    configuration: Configuration,
    training: Training,
    diagnostics: Diagnostics | None,
    test: Arrays | None,
) -> RunResult:
    """Train until there is a reason to stop."""
    message = ""
    stop_reason: StopReason | None = reason_to_stop(configuration, training.history)
    if stop_reason is None:
        try:
            training.run()
            stop_reason = reason_to_stop(configuration, training.history) or "stopped"
        except DivergenceError as error:
            stop_reason, message = "diverged", str(error)
    tested = Evaluation(math.nan, math.nan)
    if training.history.test_error:
        tested = Evaluation(training.history.test_error[-1], training.history.test_loss[-1])
    elif test is not None and stop_reason != "diverged":
        with interruptible():
            tested = evaluate(training.net, test, configuration.free_steps)
    return RunResult(
        configuration,
        training.history,
        training.net,
        stop_reason,
        message,
        [] if diagnostics is None else diagnostics.records,
        *tested,
        tuple(training.warnings),
    )
