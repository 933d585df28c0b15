"""The training loop and its callbacks."""

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Final

from cep._util import validation
from cep._util.signals import interruptible
from cep.learning import rules
from cep.learning.rules import EngineRule, LearningRule
from cep.network.network import Network
from cep.training.checks import LearningChecks
from cep.training.evaluation import evaluate
from cep.training.history import History
from cep.training.sources import Position, Source


class _Stop:
    def __repr__(self) -> str:
        return "cep.STOP"


#: A callback returns it to end training.
STOP: Final = _Stop()


class StopTraining(Exception):  # noqa: N818 (nothing has gone wrong)
    """A callback raises it to end training at once, as after the last epoch."""


class Callback:
    """Base class of callbacks: a subclass defines the methods that it needs.

    Each method gets the current `Training`, and may return `STOP` or raise `StopTraining`.

    Attributes
    ----------
    batch_interval : int or None
        Batches between two calls of `on_batch_end`, from the beginning of an epoch. None: it is
        called only if `on_progress` has requested it.

    Examples
    --------
    >>> class StopAtOnePercent(cep.Callback):
    ...     def on_epoch_end(self, training):
    ...         if training.history.train_error[-1] < 0.01:
    ...             return cep.STOP
    """

    batch_interval: int | None = 1

    def on_train_begin(self, training: "Training") -> object:
        """Before the first epoch."""

    def on_epoch_begin(self, training: "Training") -> object:
        """Before an epoch, or before the rest of a resumed one."""

    def on_batch_end(self, training: "Training") -> object:
        """After a batch, every `batch_interval` batches."""

    def on_progress(self, training: "Training") -> object:
        """Several times a second while the engine trains; the network must not be used.

        Training pauses after this batch and calls `on_batch_end` if it returns True.
        """

    def on_epoch_end(self, training: "Training") -> object:
        """After an epoch, whose results are the last ones of the history."""

    def on_train_end(self, training: "Training") -> object:
        """At the end, also after an error."""


class Training:
    """The current training, as passed to callbacks.

    Attributes
    ----------
    net : Network
        Trained in place.
    rule : LearningRule
        The rule of this epoch. A callback may replace it when an epoch begins.
    history : History
        The results of the finished epochs.
    epochs : int
        The total number of epochs.
    position : Position
        Progress in the present epoch: batches, samples, wrong predictions, sum of losses.
    samples, batches : int or None
        Their numbers in an epoch; None if unknown before its end.
    validation_data, test_data : (x, y), iterable or None
        Evaluated after every epoch.
    is_evaluating : bool
        Whether all batches of the epoch are done and the data above are being evaluated.
    stop_reason : str
        Why it ended: "finished", "patience" or "stopped"; empty before.
    warnings : list of str
        The messages of each `LearningWarning` that it gave.
    """

    def __init__(
        self,
        net: Network,
        source: Source,
        rule: LearningRule,
        epochs: int,
        *,
        validation_data: Any = None,
        test_data: Any = None,
        callbacks: Iterable[Callback] = (),
        history: History | None = None,
        position: Position | None = None,
    ) -> None:
        self.net = net
        self.source = source
        self.rule = self._base_rule = rules.checked("rule", rule)
        self.engine_rule()
        self.epochs = validation.count("epochs", epochs)
        self.validation_data = validation_data
        self.test_data = test_data
        self.callbacks = checked_callbacks(callbacks)
        self.history = History() if history is None else history
        self.position = Position() if position is None else position
        self.is_evaluating = False
        self.stop_reason = ""
        self._epochs_before = net._epochs_trained
        self._checks = LearningChecks(net, source)
        self.warnings = self._checks.messages

    @property
    def samples(self) -> int | None:
        """Samples per epoch; None if unknown before its end."""
        return self.source.samples

    @property
    def batches(self) -> int | None:
        """Batches per epoch; None if unknown before its end."""
        return self.source.batches

    @property
    def epoch(self) -> int:
        """The present epoch, or the one that has just ended; the first is 1."""
        return len(self.history) + (not self._epoch_has_ended)

    @property
    def shuffle_epoch(self) -> int:
        """The number that, with the seed, determines the order of the samples."""
        return self._epochs_before + len(self.history)

    _epoch_has_ended = False

    def run(self) -> History:
        """Train until there is a reason to stop.

        Raises
        ------
        DivergenceError
            If a state became infinite or not a number.
        """
        if self.net._observer is not None:
            raise RuntimeError(
                "whole epochs cannot be traced; trace train_batch, or use a LiveView"
            )
        with ExitStack() as stack:
            for callback in self.callbacks:
                stack.callback(callback.on_train_end, self)
            try:
                self._call("on_train_begin", self.callbacks)
                while len(self.history) < self.epochs:
                    self._train_epoch()
                self.stop_reason = "finished"
            except StopTraining:
                self.stop_reason = self.stop_reason or "stopped"
        return self.history

    def _train_epoch(self) -> None:
        self.rule, self._epoch_has_ended = self._base_rule, False
        self._call("on_epoch_begin", self.callbacks)
        self.net._free_steps = self.rule.free_steps
        if self.position.batch == 0:
            self._checks.begin_epoch()
        for _ in self.source.train(self):
            if self._checks.awaits_batch:
                # Without memory for the check, the batch was trained nevertheless.
                with suppress(MemoryError):
                    self._checks.check_first_batch(self.rule.free_steps)
            self._call("on_batch_end", self._due())
        self._finish_epoch()
        self._call("on_epoch_end", self.callbacks)

    def _finish_epoch(self) -> None:
        """Evaluate after the last batch, and add the epoch to the history."""
        start, position, history = time.perf_counter(), self.position, self.history
        parts = (
            (self.validation_data, history.validation_error, history.validation_loss),
            (self.test_data, history.test_error, history.test_loss),
        )
        self.is_evaluating = True
        with interruptible():
            results = [
                evaluate(self.net, data, self.rule.free_steps) if data is not None else None
                for data, *_ in parts
            ]
        self.is_evaluating = False
        for result, (_, errors, losses) in zip(results, parts, strict=True):
            if result is not None:
                errors.append(result.error)
                losses.append(result.loss)
        history.train_error.append(position.errors / position.samples)
        history.train_loss.append(position.loss_sum / position.samples)
        history.seconds.append(position.seconds + time.perf_counter() - start)
        self.position = Position()
        self.net._epochs_trained += 1
        self._epoch_has_ended = True
        error = history.train_error[-1]
        with suppress(MemoryError):
            self._checks.check_epoch(self.epoch, position.samples, error, self.rule.free_steps)

    def _call(self, name: str, callbacks: Iterable[Callback]) -> None:
        # All callbacks are called, even if one of them stops the training.
        if STOP in [getattr(callback, name)(self) for callback in callbacks]:
            raise StopTraining

    def engine_rule(self) -> EngineRule:
        """The engine's form of the rule of this epoch."""
        return self.rule._for_engine(len(self.net.edges))

    def batches_until_call(self) -> int:
        """Batches until the next callback; 0 for all that remain."""
        batch = self.position.batch
        if self._checks.awaits_batch:
            return 1
        return min((every - batch % every for every in self._intervals().values()), default=0)

    def _intervals(self) -> dict[Callback, int]:
        return {
            callback: callback.batch_interval
            for callback in self.callbacks
            if type(callback).on_batch_end is not Callback.on_batch_end
            and callback.batch_interval is not None
        }

    def progressed(self) -> bool:
        """Report the progress to callbacks; returns whether one of them requests a pause."""
        self._asking = [each for each in self.callbacks if each.on_progress(self) is True]
        return bool(self._asking)

    _asking: Sequence[Callback] = ()

    def _due(self) -> list[Callback]:
        """The callbacks that are due after this batch."""
        intervals, batch = self._intervals(), self.position.batch
        return [
            each
            for each in self.callbacks
            if each in self._asking or (each in intervals and batch % intervals[each] == 0)
        ]


def checked_callbacks(callbacks: Iterable[Callback]) -> list[Callback]:
    """The callbacks; raises a TypeError for other objects."""
    try:
        found = list(callbacks)
    except TypeError:
        raise TypeError(
            f"callbacks must be a sequence of cep.Callback, got {callbacks!r}"
        ) from None
    for each in found:
        if not isinstance(each, Callback):
            raise TypeError(f"a callback must be a cep.Callback, got {each!r}")
        if each.batch_interval is not None:
            validation.count("batch_interval", each.batch_interval)
    return found
