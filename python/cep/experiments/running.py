"""Trains what a configuration describes."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from cep._cep import DivergenceError
from cep._util import validation
from cep._util.signals import deferred_interrupts
from cep.datasets import Dataset
from cep.experiments.checkpointing import Keeper
from cep.experiments.checkpoints import Checkpoint
from cep.experiments.configuration import Configuration
from cep.experiments.diagnostics import Recorder
from cep.experiments.presets import Preset
from cep.experiments.progress import Bars
from cep.experiments.resolve_configuration import configuration_of
from cep.experiments.result import RunResult, reason_to_stop
from cep.experiments.run_directory import RunDirectory
from cep.experiments.tensorboard import EventWriter
from cep.learning.rules import LearningRule
from cep.training.history import History
from cep.training.live.view import LiveView, Watch
from cep.training.trainer import Pause, Trainer


def run(
    configuration: Configuration | Preset | str,
    directory: str | os.PathLike[str] | None = None,
    *,
    data: tuple[Dataset, Dataset] | None = None,
    data_root: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_epoch_end: Callable[[History], object] | None = None,
    resume: bool = False,
    checkpoint_every: int | None = None,
    tensorboard: bool = False,
    live: LiveView | None = None,
) -> RunResult:
    """Train what a configuration describes.

    The test data is evaluated after every epoch: never learned from, but it does decide when a
    configuration with `patience` stops.

    Parameters
    ----------
    configuration : Configuration, Preset or str
        What to train, and how: a preset, or the name of one, stands for its configuration (see
        `cep.presets`).
    directory : path, optional
        Where the run is kept (see `RunDirectory`); made where it does not exist. Without, nothing
        is written.
    data : ((x, y), (x_test, y_test)), optional
        What ``configuration.load_data()`` returned, where that is there already.
    data_root : path, optional
        MNIST's folder (see `cep.datasets.mnist`).
    progress : bool
        Whether to show progress bars.
    on_epoch_end : callable, optional
        Called with the history after every epoch.
    resume : bool
        Whether to go on with the run that the directory holds, if any. The result is that of an
        uninterrupted run, to the last bit; a run that has ended is not repeated.
    checkpoint_every : int, optional
        Batches between two checkpoints within an epoch. There is one after every epoch and every
        60 s in any case.
    tensorboard : bool
        Whether to write event files too, into ``tensorboard`` in the directory.
    live : LiveView, optional
        Shows the network while it learns, in place of the progress bars.

    Returns
    -------
    RunResult
        Network, history, and why the run stopped. A network that diverges ends its run, not the
        program: `reason` says so.

    Raises
    ------
    TypeError, ValueError, MemoryError
        For an argument that is not of its kind, a network that cannot be made, a directory with a
        run of another configuration or with a damaged checkpoint. Nothing is changed then.
    FileExistsError
        The directory holds a run of this configuration, and `resume` is false.
    FileNotFoundError, ImportError
        Where the data is not there, or a library is not.
    OSError
        Where the directory cannot be written to. The last checkpoint that could stays.
    KeyboardInterrupt
        On Ctrl-C, after a checkpoint where there is a directory.
    SystemExit
        On SIGTERM, with status 143, after a checkpoint; without a directory, or where the program
        has a handler of its own, SIGTERM does what it would do anyway.
    """
    configuration = configuration_of("configuration", configuration)
    if live is not None:
        validation.kind("live", live, LiveView, "cep.LiveView()")
    if checkpoint_every is not None:
        checkpoint_every = validation.count("checkpoint_every", checkpoint_every)
    if directory is None and (resume or tensorboard or checkpoint_every is not None):
        raise ValueError("resume, checkpoint_every and tensorboard need a directory")
    place = None if directory is None else RunDirectory(directory)
    if place is not None and resume and (ended := place.result(configuration)) is not None:
        return ended
    net = configuration.make_network()
    if data is None:
        data = configuration.load_data(None if data_root is None else Path(data_root))
    trainer = Trainer(
        net,
        *data,
        batch_size=configuration.batch_size,
        seed=configuration.seed,
        augment=configuration.augment if configuration.augments else None,
    )
    with ExitStack() as stack:
        keeper = None
        if place is not None:
            events = None
            if tensorboard:
                events = stack.enter_context(EventWriter(place.path / "tensorboard"))
            checkpoint = stack.enter_context(place.opened(configuration, resume=resume))
            if checkpoint is not None:
                _check_data(checkpoint, trainer)
                checkpoint.restore(net)
                trainer.history, trainer.position = checkpoint.history, checkpoint.position
            interruption = stack.enter_context(deferred_interrupts())
            keeper = Keeper(place, configuration, trainer, checkpoint_every, interruption, events)
        watch = None
        if live is not None:
            watch = stack.enter_context(live.watching(trainer, configuration.epochs))
        bars = stack.enter_context(
            Bars(
                configuration.epochs,
                len(trainer.history),
                trainer.batches,
                trainer.batch_size,
                shown=progress and watch is None,
            )
        )
        return _Run(configuration, trainer, keeper, bars, watch, on_epoch_end).train()


def _check_data(checkpoint: Checkpoint, trainer: Trainer) -> None:
    if checkpoint.position.batch > trainer.batches:
        raise ValueError(
            f"the checkpoint was made after {checkpoint.position.batch} batches of an epoch; with "
            f"this data it has {trainer.batches}: it is not the data that the run began with"
        )


class _Run:
    """A run under way."""

    def __init__(
        self,
        configuration: Configuration,
        trainer: Trainer,
        keeper: Keeper | None,
        bars: Bars,
        watch: Watch | None,
        on_epoch_end: Callable[[History], object] | None,
    ) -> None:
        self._configuration = configuration
        self._trainer = trainer
        self._keeper = keeper
        self._bars = bars
        self._watch = watch
        self._on_epoch_end = on_epoch_end
        self._records = [] if keeper is None else keeper.records
        self._recorder = None
        if configuration.record_every is not None:
            self._recorder = Recorder(configuration, trainer.inputs, trainer.targets)

    def train(self) -> RunResult:
        """Train until there is a reason to stop."""
        message = ""
        history = self._trainer.history
        while (reason := reason_to_stop(self._configuration, history)) is None:
            try:
                self._train_epoch(epoch=len(history) + 1)
            except DivergenceError as error:
                reason, message = "diverged", str(error)
                break
        result = RunResult(
            self._configuration,
            history,
            self._trainer.net,
            reason,
            message,
            self._records,
        )
        if self._keeper is not None:
            self._keeper.run_ended(result)
        return result

    def _train_epoch(self, epoch: int) -> None:
        trainer, rule = self._trainer, self._configuration.make_rule(epoch)
        self._bars.begin_epoch(epoch, trainer.position.batch)
        if self._watch is not None:
            self._watch.begin(rule)
        while (batch := trainer.position.batch) < trainer.batches:
            self._record(rule, epoch, batch)
            trainer.train_batches(rule, self._report, self._batches_to_train_at(batch))
            if self._keeper is not None:
                self._keeper.batches_ended()
            if self._watch is not None:
                self._watch.batches_ended(rule)
        trainer.finish_epoch(rule)
        self._bars.end_epoch()
        if self._keeper is not None:
            self._keeper.epoch_ended()
        if self._watch is not None:
            self._watch.epoch_ended(rule)
        if self._on_epoch_end is not None:
            self._on_epoch_end(trainer.history)

    def _report(self, done: int, total: int, errors: int, loss_sum: float) -> None:
        self._bars.move(done, errors)
        batches = -(-done // self._trainer.batch_size)
        if self._watch is not None:
            self._watch.moved(done, errors)
        if any(each.wants_a_pause(batches) for each in (self._keeper, self._watch) if each):
            raise Pause

    def _batches_to_train_at(self, batch: int) -> int | None:
        """How many batches there are until the next record or checkpoint; None for the rest."""
        intervals = [self._configuration.record_every]
        if self._keeper is not None:
            intervals.append(self._keeper.checkpoint_every)
        return min(
            (every - batch % every for every in intervals if every is not None), default=None
        )

    def _record(self, rule: LearningRule, epoch: int, batch: int) -> None:
        every = self._configuration.record_every
        if self._recorder is None or every is None or batch % every != 0:
            return
        # A pause may lead to the same batch again.
        if self._records and (self._records[-1]["epoch"], self._records[-1]["batch"]) == (
            epoch,
            batch,
        ):
            return
        record = self._recorder.record(self._trainer.net, rule, epoch, batch, self._trainer.batches)
        self._records.append(record)
        if self._keeper is not None:
            self._keeper.add_record(record)
