"""Trains what a configuration describes."""

import os
from collections.abc import Callable
from pathlib import Path

from cep._cep import DivergenceError
from cep.configuration import Configuration
from cep.history import History
from cep.runs.result import RunResult, StopReason
from cep.trainer import Trainer
from cep.training import progress_bar


def run(
    configuration: Configuration,
    directory: str | os.PathLike[str] | None = None,
    *,
    data_root: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_epoch_end: Callable[[History], object] | None = None,
    resume: bool = False,
) -> RunResult:
    """Train what a configuration describes.

    Parameters
    ----------
    configuration : Configuration
        What to train, and how.
    directory : path, optional
        Where the run is kept; made where it does not exist. Without, nothing is written.
    data_root : path, optional
        MNIST's folder (see `cep.datasets.mnist`).
    progress : bool
        Whether to show a progress bar.
    on_epoch_end : callable, optional
        Called with the history after every epoch.
    resume : bool
        Whether to go on with the run that the directory holds.

    Returns
    -------
    RunResult
        Network, history, and why the run stopped. A network that diverges ends its run, not the
        program: `reason` says so.

    Raises
    ------
    TypeError, ValueError, MemoryError
        For a network that cannot be made.
    FileNotFoundError, ImportError
        Where the data is not there.
    KeyboardInterrupt
        On Ctrl-C.
    """
    if directory is not None or resume:
        raise NotImplementedError
    data, test = configuration.load_data(None if data_root is None else Path(data_root))
    net = configuration.make_network()
    trainer = Trainer(net, data, test, batch_size=configuration.batch_size, seed=configuration.seed)
    history = trainer.history
    reason: StopReason = "finished"
    message = ""
    with progress_bar(trainer.samples, configuration.epochs, shown=progress) as progress_of:
        for epoch in range(1, configuration.epochs + 1):
            try:
                trainer.train_epoch(configuration.make_rule(epoch), progress_of(epoch))
            except DivergenceError as error:
                reason, message = "diverged", str(error)
                break
            if on_epoch_end is not None:
                on_epoch_end(history)
            result = RunResult(configuration, history, net, "finished")
            if configuration.patience is not None and (
                len(history) - result.best_epoch >= configuration.patience
            ):
                reason = "patience"
                break
    return RunResult(configuration, history, net, reason, message)
