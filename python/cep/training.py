"""Training and evaluation. Whole epochs run inside the engine."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from cep import _arguments, rules
from cep.network import Network
from cep.rules import LearningRule

Data = tuple[ArrayLike, ArrayLike]
# Called with samples done, samples of the epoch, wrong predictions, and the sum of their losses.
Progress = Callable[[int, int, int, float], object]


class BatchResult(NamedTuple):
    """How a batch was predicted at the end of the free phase, before the update."""

    loss: float
    """``(1/2B) Σ |s_L − y|²``."""
    errors: int
    """Wrong predictions."""


class Evaluation(NamedTuple):
    """How well a network predicts."""

    error: float
    """Share of wrong predictions, 0 to 1."""
    loss: float
    """Mean over the samples of ``½ |s_L − y|²``."""


@dataclass
class History:
    """What `fit` recorded, one entry an epoch."""

    train_error: list[float] = field(default_factory=list)
    """Share of wrong predictions, 0 to 1, accumulated while the network learned."""
    train_loss: list[float] = field(default_factory=list)
    validation_error: list[float] = field(default_factory=list)
    """After each epoch; empty without validation data."""
    validation_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """Wall time of the epoch, validation included."""

    def __len__(self) -> int:
        return len(self.train_error)


def train_batch(net: Network, x: ArrayLike, y: ArrayLike, rule: LearningRule) -> BatchResult:
    """Run both phases on one batch and update the parameters.

    Parameters
    ----------
    net : Network
        Its states stay as the nudged phase left them.
    x : array_like, batch × units of the input layer
        Real numbers, all finite.
    y : array_like
        Integer classes, one a sample, or target values, batch × output units.
    rule : EP, CEP, BPTT or RBP
        The learning rule, with learning rates.

    Returns
    -------
    BatchResult
        Loss and wrong predictions at the end of the free phase.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value.
    DivergenceError
        Where a state became infinite or not a number; the parameters are as before the batch.
    """
    inputs, wanted = _arguments.samples(x, y, net.dtype)
    samples, errors, loss_sum = net._engine.train_batch(
        inputs, wanted, rules.checked("rule", rule)._for_engine(len(net.sizes) - 1)
    )
    return BatchResult(loss_sum / samples, errors)


def evaluate(net: Network, data: Data, steps: int) -> Evaluation:
    """Error rate and loss at the end of a free phase.

    Parameters
    ----------
    net : Network
        Neither its parameters nor its states change.
    data : (x, y)
        Inputs, samples × units, and integer classes or target values.
    steps : int
        Steps of the free phase, 1 or more.

    Returns
    -------
    Evaluation
        Share of wrong predictions, and mean loss.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value.
    """
    inputs, wanted = _arguments.samples(*_arguments.pair("data", data), net.dtype)
    samples, errors, loss_sum = net._engine.evaluate(
        inputs, wanted, _arguments.integer("steps", steps)
    )
    return Evaluation(errors / samples, loss_sum / samples)


def fit(
    net: Network,
    data: Data,
    rule: LearningRule,
    epochs: int,
    batch_size: int = 20,
    validation_data: Data | None = None,
    seed: int | None = None,
    progress: bool = True,
    on_epoch_end: Callable[[History], object] | None = None,
) -> History:
    """Train a network.

    Parameters
    ----------
    net : Network
        Trained in place.
    data : (x, y)
        Inputs, samples × units, and integer classes or target values.
    rule : EP, CEP, BPTT or RBP
        The learning rule, with learning rates.
    epochs : int
        Passes over the data, 1 or more.
    batch_size : int
        Samples a batch, 1 or more; the last batch of an epoch may be smaller.
    validation_data : (x, y), optional
        Evaluated after every epoch with the rule's free steps.
    seed : int, optional
        Determines the order of the samples in every epoch.
    progress : bool
        Whether to show a progress bar.
    on_epoch_end : callable, optional
        Called with the history after every epoch.

    Returns
    -------
    History
        Training and validation error and loss of every epoch.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value; nothing has been trained then.
    DivergenceError
        Where a state became infinite or not a number; the parameters are as before that batch.
    KeyboardInterrupt
        On Ctrl-C, within a batch; the parameters are as after the last whole one.
    """
    trainer = Trainer(net, data, validation_data, batch_size=batch_size, seed=seed)
    rules.checked("rule", rule)._for_engine(len(net.sizes) - 1)
    epochs = _arguments.integer("epochs", epochs)
    if epochs < 1:
        raise ValueError(f"epochs must be 1 or more, got {epochs}")
    with progress_bar(trainer.samples, epochs, shown=progress) as progress_of:
        for epoch in range(1, epochs + 1):
            trainer.train_epoch(rule, progress_of(epoch))
            if on_epoch_end is not None:
                on_epoch_end(trainer.history)
    return trainer.history


class Trainer:
    """Trains a network epoch by epoch and keeps the history: what `fit` and `cep.run` share.

    Parameters
    ----------
    net, data, validation_data, batch_size, seed
        As for `fit`.

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
    ) -> None:
        self.net = net
        self.history = History()
        self._inputs, self._targets = _arguments.samples(*_arguments.pair("data", data), net.dtype)
        self._batch_size = _arguments.integer("batch_size", batch_size)
        if self._batch_size < 1:
            raise ValueError(f"batch_size must be 1 or more, got {batch_size}")
        self._seed = _arguments.seed(seed)
        self._validation: tuple[Any, Any] | None = None
        if validation_data is not None:
            self._validation = _arguments.samples(
                *_arguments.pair("validation_data", validation_data), net.dtype
            )
            # Anything wrong with it is better known now than after an epoch.
            net._engine.check_samples(*self._validation)

    @property
    def samples(self) -> int:
        """Samples of an epoch."""
        return len(self._inputs)

    def train_epoch(self, rule: LearningRule, progress: Progress | None = None) -> None:
        """Train one epoch, evaluate, and add both to the history.

        Parameters
        ----------
        rule : LearningRule
            With learning rates.
        progress : callable, optional
            Called now and then with samples done, samples of the epoch, wrong predictions and the
            sum of losses so far.
        """
        shuffle = np.random.SeedSequence(self._seed, spawn_key=(len(self.history),))
        start = time.perf_counter()
        samples, errors, loss = self.net._engine.train_epoch(
            self._inputs,
            self._targets,
            rule._for_engine(len(self.net.sizes) - 1),
            self._batch_size,
            int(shuffle.generate_state(1, np.uint64)[0]),
            progress,
        )
        self.history.train_error.append(errors / samples)
        self.history.train_loss.append(loss)
        if self._validation is not None:
            result = evaluate(self.net, self._validation, rule.free_steps)
            self.history.validation_error.append(result.error)
            self.history.validation_loss.append(result.loss)
        self.history.seconds.append(time.perf_counter() - start)
        if progress is not None:
            progress(samples, samples, errors, loss * samples)


@contextmanager
def progress_bar(
    samples: int, epochs: int, *, shown: bool
) -> Iterator[Callable[[int], Progress | None]]:
    """A bar over the samples of all epochs; it gives each epoch (the first is 1) its progress."""
    if not shown:
        yield lambda epoch: None
        return
    from tqdm.auto import tqdm

    with tqdm(total=samples * epochs, unit=" samples") as bar:

        def progress_of(epoch: int) -> Progress:
            def move(done: int, total: int, errors: int, loss_sum: float) -> None:
                bar.set_description(f"epoch {epoch}", refresh=False)
                if done:
                    bar.set_postfix_str(f"train error {errors / done:.2%}", refresh=False)
                bar.update((epoch - 1) * total + done - bar.n)

            return move

        yield progress_of
