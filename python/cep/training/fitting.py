"""Training. Whole epochs run inside the engine."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from cep._util import validation
from cep.learning import rules
from cep.learning.rules import LearningRule
from cep.network.network import Network
from cep.training.evaluation import Data
from cep.training.history import History
from cep.training.live import LiveView
from cep.training.trainer import Augment, Progress, Trainer


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
    live: LiveView | None = None,
    augment: Augment | None = None,
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
    live : LiveView, optional
        Shows the network while it learns, in place of the progress bar.
    augment : callable, optional
        Called at the start of every epoch with the training inputs, samples × the shape of the
        input layer, and a `numpy.random.Generator` that ``seed`` and the epoch determine. What it
        gives, of the same shape, is trained in that epoch: ``lambda x, random:
        cep.datasets.augment(x, flip=True, crop=4, seed=random)``.

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
    trainer = Trainer(net, data, validation_data, batch_size=batch_size, seed=seed, augment=augment)
    rules.checked("rule", rule)._for_engine(len(net.edges))
    epochs = validation.count("epochs", epochs)
    if live is not None:
        validation.kind("live", live, LiveView, "cep.LiveView()")
    with ExitStack() as stack:
        watch = None if live is None else stack.enter_context(live.watching(trainer, epochs))
        progress_of = stack.enter_context(
            progress_bar(trainer.samples, epochs, shown=progress and watch is None)
        )
        for epoch in range(1, epochs + 1):
            if watch is None:
                trainer.train_epoch(rule, progress_of(epoch))
            else:
                watch.train_epoch(rule)
            if on_epoch_end is not None:
                on_epoch_end(trainer.history)
    return trainer.history


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
