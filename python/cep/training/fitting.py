"""Training a network on data."""

from collections.abc import Callable, Sequence
from typing import Any

from cep._util import validation
from cep.learning import rules
from cep.learning.rules import LearningRule
from cep.network.network import Network
from cep.training.callbacks import EpochFunction
from cep.training.data import source_of
from cep.training.evaluation import Data
from cep.training.history import History
from cep.training.live import LiveView
from cep.training.loop import Callback, Training, checked_callbacks
from cep.training.progress import ProgressBar
from cep.training.sources import Augment


def fit(
    net: Network,
    data: Data,
    rule: LearningRule,
    epochs: int,
    batch_size: int = 20,
    validation_data: Data | float | None = None,
    seed: int | None = None,
    progress: bool = True,
    on_epoch_end: Callable[[History], object] | None = None,
    callbacks: Sequence[Callback] = (),
    augment: Augment | None = None,
) -> History:
    """Train a network.

    Parameters
    ----------
    net : Network
        Trained in place.
    data : (x, y) or iterable of (x, y)
        Inputs, samples × units, and integer classes or target values. Memory-mapped arrays are
        read as they are needed. Or batches, such as a torch ``DataLoader``: an iterable that can
        be iterated in every epoch.
    rule : EP, CEP, BPTT or RBP
        The learning rule, with learning rates.
    epochs : int
        Passes over the data, 1 or more.
    batch_size : int
        Samples per batch, 1 or more; the last batch of an epoch may be smaller. Ignored for data
        in batches.
    validation_data : (x, y), iterable of (x, y), or float, optional
        Evaluated after every epoch with the rule's free steps. A number between 0 and 1 is the
        share of the data that is held out, with each class in proportion.
    seed : int, optional
        Determines the samples held out, and together with the number of epochs trained so far the
        order of the others in every epoch.
    progress : bool
        Whether to show a progress bar on standard error, or a line per epoch without a terminal.
        A `LiveView` among the callbacks replaces it.
    on_epoch_end : callable, optional
        Called with the history after every epoch.
    callbacks : sequence of Callback
        Called during training, in this order (see `Callback`).
    augment : callable, optional
        Called at the start of every epoch with the training inputs, samples × the shape of the
        input layer, and a `numpy.random.Generator` determined by ``seed`` and the epoch. Its
        result, of the same shape, is used in that epoch: ``lambda x, random:
        cep.datasets.augment(x, flip=True, crop=4, seed=random)``.

    Returns
    -------
    History
        Training and validation error and loss of every epoch.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type, shape or value; nothing is trained.
    DivergenceError
        If a state became infinite or not a number; the parameters are those before that batch.
    KeyboardInterrupt
        On Ctrl-C; the parameters are those after the last whole batch.
    """
    rules.checked("rule", rule)
    source, validation_data = source_of(
        net,
        data,
        batch_size=batch_size,
        seed=validation.seed(seed),
        validation_data=validation_data,
        augment=augment,
    )
    every = with_progress(callbacks, progress=progress, on_epoch_end=on_epoch_end)
    return Training(
        net, source, rule, epochs, validation_data=validation_data, callbacks=every
    ).run()


def with_progress(
    callbacks: Sequence[Callback],
    *,
    progress: bool,
    on_epoch_end: Callable[[Any], object] | None,
) -> list[Callback]:
    """The callbacks with the function, and with a progress bar unless a live view replaces it."""
    every = checked_callbacks(callbacks)
    if progress and not any(isinstance(each, LiveView) for each in every):
        every.append(ProgressBar())
    if on_epoch_end is not None:
        every.append(EpochFunction(on_epoch_end))
    return every
