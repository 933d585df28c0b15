"""Sources of batches: arrays, with which the engine trains whole epochs, or an iterable."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cep._util import validation
from cep.learning.rules import EngineRule
from cep.network.network import Network

# Number of samples that are checked during training (see `LearningChecks`).
_PROBE = 200

# Called with the training inputs, samples × the shape of the input layer, and a random generator.
Augment = Callable[[NDArray[Any], "np.random.Generator"], NDArray[Any]]


@dataclass
class Position:
    """The progress in the present epoch."""

    batch: int = 0
    """Batches trained."""
    errors: int = 0
    """Wrong predictions in them."""
    loss_sum: float = 0.0
    """Sum of the losses of their samples."""
    seconds: float = 0.0
    """Wall time in seconds."""
    samples: int = 0
    """Samples in them."""


class Epoch(Protocol):
    """The epoch that a source trains."""

    net: Network
    position: Position

    @property
    def shuffle_epoch(self) -> int:
        """The number that, with the seed, determines the order of the samples."""
        ...

    def engine_rule(self) -> EngineRule:
        """The rule of this epoch."""
        ...

    def batches_until_call(self) -> int:
        """Batches until the next callback; 0 for all that remain."""
        ...

    def progressed(self) -> bool:
        """Report the progress to callbacks; returns whether one of them requests a pause."""
        ...


class Source(Protocol):
    """Trains the batches of an epoch."""

    @property
    def samples(self) -> int | None:
        """Samples per epoch; None if unknown before its end."""
        ...

    @property
    def batches(self) -> int | None:
        """Batches per epoch; None if unknown before its end."""
        ...

    def train(self, epoch: Epoch) -> Iterator[None]:
        """Train the rest of an epoch; yields whenever callbacks may be called."""
        ...

    @property
    def probe(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Inputs and targets of some samples, once a batch has been trained."""
        ...

    def chance(self, outputs: int) -> float:
        """The share of wrong predictions of one who guesses; 0 if it is not known."""
        ...


class _Pause(Exception):  # noqa: N818 (nothing has gone wrong)
    pass


class ArraySource:
    """Samples in arrays. Consecutive parts of an epoch equal the whole epoch bit for bit."""

    def __init__(
        self,
        net: Network,
        x: Any,
        y: Any,
        batch_size: int,
        seed: int,
        augment: Augment | None,
    ) -> None:
        self.inputs, self.targets = validation.samples(x, y, net.dtype, net.shapes[0])
        net._engine.check_samples(self.inputs, self.targets)
        self.samples: int = len(self.inputs)
        self.batch_size = min(batch_size, self.samples)
        self.batches: int = -(-self.samples // self.batch_size)
        self._seed = seed
        self._augment = augment

    def train(self, epoch: Epoch) -> Iterator[None]:
        """Train the rest of an epoch in the engine."""
        position = epoch.position
        shuffle = np.random.SeedSequence(self._seed, spawn_key=(epoch.shuffle_epoch,))
        seed = int(shuffle.generate_state(1, np.uint64)[0])
        inputs = self._inputs_of(epoch)
        while position.batch < self.batches:
            before, start = replace(position), time.perf_counter()

            def report(
                done: int, total: int, errors: int, loss_sum: float, first: int = before.batch
            ) -> None:
                position.batch, position.samples = -(-done // self.batch_size), done
                position.errors, position.loss_sum = errors, loss_sum
                # Pause only after a batch; otherwise training would never advance.
                if epoch.progressed() and position.batch > first:
                    raise _Pause

            try:
                done, errors, loss_sum = epoch.net._engine.train_epoch(
                    inputs,
                    self.targets,
                    epoch.engine_rule(),
                    self.batch_size,
                    seed,
                    (before.batch, epoch.batches_until_call(), before.errors, before.loss_sum),
                    report,
                )
                report(done, self.samples, errors, loss_sum)
            except _Pause:
                pass  # The last report has the position of the pause.
            position.seconds += time.perf_counter() - start
            yield

    @property
    def probe(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Inputs and targets of some samples, from all parts of the data."""
        step = -(-self.samples // _PROBE)
        return self.inputs[::step], self.targets[::step]

    def chance(self, outputs: int) -> float:
        """The share of wrong predictions of one who always predicts the most frequent class."""
        labels = self.targets
        if labels.ndim == 2:
            if not np.array_equal(labels, labels.max(axis=1, keepdims=True) == labels):
                return 0.0
            labels = labels.argmax(axis=1)
        return 1 - float(np.bincount(labels).max()) / self.samples

    def _inputs_of(self, epoch: Epoch) -> NDArray[Any]:
        """The training inputs of an epoch, augmented."""
        if self._augment is None:
            return self.inputs
        seed = np.random.SeedSequence(self._seed, spawn_key=(epoch.shuffle_epoch, 1))
        images = self.inputs.reshape(self.samples, *epoch.net.shapes[0])
        found = self._augment(images, np.random.default_rng(seed))
        if np.shape(found) != images.shape:
            raise ValueError(
                f"augment must return images of shape {images.shape}, got {np.shape(found)}"
            )
        flat = np.reshape(found, self.inputs.shape)
        inputs = validation.matrix("augment(x)", flat, epoch.net.dtype)
        epoch.net._engine.check_samples(inputs, self.targets)
        return inputs


class BatchSource:
    """Batches of any iterable, which is iterated again in every epoch.

    Parameters
    ----------
    batches_of : callable
        Takes the number of an epoch's order, and returns the batches, pairs (x, y).
    seed : int
        The seed of random signs of β.
    samples, batches : int, optional
        Their numbers in an epoch, if known.
    """

    def __init__(
        self,
        batches_of: Callable[[int], Iterable[Any]],
        seed: int,
        samples: int | None = None,
        batches: int | None = None,
    ) -> None:
        self.samples = samples
        self.batches = batches
        self.probe: tuple[NDArray[Any], NDArray[Any]] = (np.empty(0), np.empty(0))
        self._batches_of = batches_of
        self._seed = seed

    def train(self, epoch: Epoch) -> Iterator[None]:
        """Train the rest of an epoch, batch by batch."""
        net, position, rule = epoch.net, epoch.position, epoch.engine_rule()
        stream = np.random.SeedSequence(self._seed, spawn_key=(epoch.shuffle_epoch,))
        net.random_state = stream.generate_state(4, np.uint64).tolist()
        start = time.perf_counter()
        for number, batch in enumerate(self._batches_of(epoch.shuffle_epoch)):
            if number < position.batch:
                continue
            x, y = validation.pair("a batch of the data", batch)
            inputs, targets = validation.samples(x, y, net.dtype, net.shapes[0])
            if not len(self.probe[0]):
                self.probe = (inputs[:_PROBE].copy(), targets[:_PROBE].copy())
            samples, errors, loss_sum = net._engine.train_batch(inputs, targets, rule, None)
            position.batch += 1
            position.samples += samples
            position.errors += errors
            position.loss_sum += loss_sum
            position.seconds += time.perf_counter() - start
            if epoch.progressed() or epoch.batches_until_call():
                yield
            start = time.perf_counter()
        if not position.samples:
            raise ValueError("the data has no batches in this epoch; expected one or more")

    def chance(self, outputs: int) -> float:
        """The share of wrong predictions of one who guesses, as if classes were equally frequent.

        0 for target values.
        """
        return 1 - 1 / outputs if self.probe[1].ndim == 1 else 0.0


class IndexedBatches:
    """Batches of some samples of arrays, read when they are needed.

    Parameters
    ----------
    x, y : numpy.ndarray
        Arrays, such as memory-mapped ones.
    indices : numpy.ndarray of int
        The samples to use.
    batch_size : int
        Samples per batch.
    """

    def __init__(
        self, x: NDArray[Any], y: NDArray[Any], indices: NDArray[np.intp], batch_size: int
    ) -> None:
        self._x, self._y = x, y
        self.indices = indices
        self.batch_size = batch_size

    def __len__(self) -> int:
        return -(-len(self.indices) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        for start in range(0, len(self.indices), self.batch_size):
            chosen = self.indices[start : start + self.batch_size]
            yield self._x[chosen], self._y[chosen]

    def shuffled(self, seed: int, epoch: int) -> "IndexedBatches":
        """The same samples in the order of an epoch."""
        generator = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(epoch, 2)))
        return IndexedBatches(
            self._x, self._y, generator.permutation(self.indices), self.batch_size
        )
