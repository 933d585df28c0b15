"""The training loop, and what it calls."""

import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any, Final

from cep._util import validation
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
    """What training calls: a subclass defines the methods that it needs.

    Each is given the `Training` under way, and may return `STOP` or raise `StopTraining`.

    Attributes
    ----------
    batch_interval : int or None
        Batches between two calls of `on_batch_end`, counted from the beginning of an epoch. None:
        it is called only after `on_progress` has asked for it.

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
        """Before an epoch, or before the rest of one that is resumed."""

    def on_batch_end(self, training: "Training") -> object:
        """After a batch, every `batch_interval` batches."""

    def on_progress(self, training: "Training") -> object:
        """Several times a second while the engine trains; the network must not be used.

        Training pauses after this batch and calls `on_batch_end` if it returns True.
        """

    def on_epoch_end(self, training: "Training") -> object:
        """After an epoch, whose numbers are the last ones of the history."""

    def on_train_end(self, training: "Training") -> object:
        """At the end, also after an error."""


class Training:
    """A training under way, as callbacks see it.

    Attributes
    ----------
    net : Network
        Trained in place.
    rule : LearningRule
        Of this epoch. A callback may replace it when an epoch begins.
    history : History
        Of the epochs that were finished.
    epochs : int
        How many there will be.
    position : Position
        In the epoch that has begun: batches and samples done, wrong predictions, sum of losses.
    samples, batches : int or None
        Of an epoch; None if that is not known before its end.
    validation_data : (x, y), iterable or None
        Evaluated after every epoch.
    stop_reason : str
        Why it ended: "finished", "patience", "stopped"; empty before.
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
        self.callbacks = checked_callbacks(callbacks)
        self.history = History() if history is None else history
        self.position = Position() if position is None else position
        self.stop_reason = ""
        self._epochs_before = net._epochs_trained
        self._checks = LearningChecks(net, source)
        self.warnings = self._checks.messages

    @property
    def samples(self) -> int | None:
        """Of an epoch; None if that is not known before its end."""
        return self.source.samples

    @property
    def batches(self) -> int | None:
        """Of an epoch; None if that is not known before its end."""
        return self.source.batches

    @property
    def epoch(self) -> int:
        """The epoch that has begun, or, after it, the one that has ended; the first is 1."""
        return len(self.history) + (not self._epoch_has_ended)

    @property
    def shuffle_epoch(self) -> int:
        """What the order of the samples follows from, beside the seed."""
        return self._epochs_before + len(self.history)

    _epoch_has_ended = False

    def run(self) -> History:
        """Train until there is a reason to stop.

        Raises
        ------
        DivergenceError
            A state became infinite or not a number.
        """
        if self.net._observer is not None:
            raise RuntimeError(
                "a whole epoch is too much to record: record train_batch, or use a LiveView"
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
                self._checks.check_first_batch(self.rule.free_steps)
            self._call("on_batch_end", self._due())
        self._finish_epoch()
        self._call("on_epoch_end", self.callbacks)

    def _finish_epoch(self) -> None:
        """Evaluate after the last batch, and add the epoch to the history."""
        start, position, history = time.perf_counter(), self.position, self.history
        if self.validation_data is not None:
            result = evaluate(self.net, self.validation_data, self.rule.free_steps)
            history.validation_error.append(result.error)
            history.validation_loss.append(result.loss)
        history.train_error.append(position.errors / position.samples)
        history.train_loss.append(position.loss_sum / position.samples)
        history.seconds.append(position.seconds + time.perf_counter() - start)
        self.position = Position()
        self.net._epochs_trained += 1
        self._epoch_has_ended = True
        error = history.train_error[-1]
        self._checks.check_epoch(self.epoch, position.samples, error, self.rule.free_steps)

    def _call(self, name: str, callbacks: Iterable[Callback]) -> None:
        # All of them, whatever one of them wants.
        if STOP in [getattr(callback, name)(self) for callback in callbacks]:
            raise StopTraining

    def engine_rule(self) -> EngineRule:
        """The rule of this epoch, as the engine has it."""
        return self.rule._for_engine(len(self.net.edges))

    def batches_until_call(self) -> int:
        """Batches until a callback is to be called; 0 for all that are left."""
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
        """Tell callbacks how far it has come; whether one of them asks for a pause."""
        self._asking = [each for each in self.callbacks if each.on_progress(self) is True]
        return bool(self._asking)

    _asking: Sequence[Callback] = ()

    def _due(self) -> list[Callback]:
        """The callbacks to be called after this batch."""
        intervals, batch = self._intervals(), self.position.batch
        return [
            each
            for each in self.callbacks
            if each in self._asking or (each in intervals and batch % intervals[each] == 0)
        ]


def checked_callbacks(callbacks: Iterable[Callback]) -> list[Callback]:
    """The callbacks, or the TypeError that there is something else among them."""
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
