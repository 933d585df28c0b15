"""What `cep.fit` and `cep.run` share: training epoch by epoch, or in parts of epochs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cep._util import validation
from cep.learning.rules import LearningRule
from cep.network.network import Network
from cep.training.evaluation import Data, evaluate
from cep.training.history import History

# Called with the training inputs, samples × the shape of the input layer, and a source of random
# numbers.
Augment = Callable[[NDArray[Any], "np.random.Generator"], NDArray[Any]]
# Called with samples done, samples of the epoch, wrong predictions, and the sum of their losses.
Progress = Callable[[int, int, int, float], object]


@dataclass
class Position:
    """How far the epoch that has begun has come."""

    batch: int = 0
    """Batches done."""
    errors: int = 0
    """Wrong predictions in them."""
    loss_sum: float = 0.0
    """Sum of the losses of their samples."""
    seconds: float = 0.0
    """Wall time they took."""


class Pause(Exception):  # noqa: N818 (nothing has gone wrong)
    """Raised by a progress function to pause an epoch after the last whole batch."""


class Trainer:
    """Trains a network epoch by epoch, or in parts of epochs: what `fit` and `cep.run` share.

    Parts that follow each other are the whole epoch, to the last bit.

    Parameters
    ----------
    net, data, validation_data, batch_size, seed, augment
        As for `fit`.

    Attributes
    ----------
    history : History
        Of the epochs that were finished.
    position : Position
        In the epoch that has begun.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value.
    """

    def __init__(
        self,
        net: Network,
        data: Data,
        validation_data: Data | None,
        *,
        batch_size: int,
        seed: int | None,
        augment: Augment | None = None,
    ) -> None:
        self.net = net
        self.history = History()
        self.position = Position()
        shape = net.shapes[0]
        self.inputs, self.targets = validation.samples(
            *validation.pair("data", data), net.dtype, shape
        )
        net._engine.check_samples(self.inputs, self.targets)
        self.batch_size = min(validation.count("batch_size", batch_size), self.samples)
        self._seed = validation.seed(seed)
        self._augment = augment
        self._augmented: tuple[int, NDArray[Any]] | None = None
        self._validation: tuple[Any, Any] | None = None
        if validation_data is not None:
            self._validation = validation.samples(
                *validation.pair("validation_data", validation_data), net.dtype, shape
            )
            # Anything wrong with it is better known now than after an epoch.
            net._engine.check_samples(*self._validation)

    @property
    def samples(self) -> int:
        """Samples of an epoch."""
        return len(self.inputs)

    @property
    def batches(self) -> int:
        """Batches of an epoch."""
        return -(-self.samples // self.batch_size)

    def _inputs_of_epoch(self) -> NDArray[Any]:
        """The training inputs, augmented as the epoch that has begun has them."""
        if self._augment is None:
            return self.inputs
        epoch = len(self.history)
        if self._augmented is None or self._augmented[0] != epoch:
            seed = np.random.SeedSequence(self._seed, spawn_key=(epoch, 1))
            images = self.inputs.reshape(self.samples, *self.net.shapes[0])
            found = self._augment(images, np.random.default_rng(seed))
            if np.shape(found) != images.shape:
                raise ValueError(
                    f"augment must give images of shape {images.shape}, got {np.shape(found)}"
                )
            flat = np.reshape(found, self.inputs.shape)
            self._augmented = (epoch, validation.matrix("augment(x)", flat, self.net.dtype))
            self.net._engine.check_samples(self._augmented[1], self.targets)
        return self._augmented[1]

    def train_epoch(self, rule: LearningRule, progress: Progress | None = None) -> None:
        """Train all that is left of the epoch, and finish it."""
        self.train_batches(rule, progress)
        self.finish_epoch(rule)

    def train_batches(
        self, rule: LearningRule, progress: Progress | None = None, count: int | None = None
    ) -> None:
        """Train batches of the epoch that has begun; there must be some left.

        Parameters
        ----------
        rule : LearningRule
            With learning rates.
        progress : callable, optional
            Called now and then with samples done, samples of the epoch, wrong predictions and the
            sum of losses so far. It may raise `Pause`, of which the caller learns nothing but that
            fewer batches were trained.
        count : int, optional
            Batches to train, where there are so many; default: all that are left.
        """
        if self.net._observer is not None:
            raise RuntimeError(
                "a whole epoch is too much to record: record train_batch, or watch with a LiveView"
            )
        shuffle = np.random.SeedSequence(self._seed, spawn_key=(len(self.history),))
        before = self.position
        reported = (before.batch * self.batch_size, before.errors, before.loss_sum)

        def report(done: int, total: int, errors: int, loss_sum: float) -> None:
            nonlocal reported
            reported = (done, errors, loss_sum)
            if progress is not None:
                progress(done, total, errors, loss_sum)

        start = time.perf_counter()
        try:
            done, errors, loss_sum = self.net._engine.train_epoch(
                self._inputs_of_epoch(),
                self.targets,
                rule._for_engine(len(self.net.edges)),
                self.batch_size,
                int(shuffle.generate_state(1, np.uint64)[0]),
                (before.batch, count or 0, before.errors, before.loss_sum),
                report,
            )
            report(done, self.samples, errors, loss_sum)
        except Pause:
            pass  # What was reported last is where it paused.
        done, errors, loss_sum = reported
        seconds = before.seconds + time.perf_counter() - start
        self.position = Position(-(-done // self.batch_size), errors, loss_sum, seconds)

    def finish_epoch(self, rule: LearningRule) -> None:
        """Evaluate after the last batch, and add the epoch to the history."""
        start = time.perf_counter()
        if self._validation is not None:
            result = evaluate(self.net, self._validation, rule.free_steps)
            self.history.validation_error.append(result.error)
            self.history.validation_loss.append(result.loss)
        self.history.train_error.append(self.position.errors / self.samples)
        self.history.train_loss.append(self.position.loss_sum / self.samples)
        self.history.seconds.append(self.position.seconds + time.perf_counter() - start)
        self.position = Position()
