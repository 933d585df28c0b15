"""The callbacks of cep."""

import csv
import io
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from cep._util import extras, files, validation
from cep.training.history import COLUMNS
from cep.training.loop import STOP, Callback, Training


class EpochFunction(Callback):
    """Calls a function with the history after every epoch."""

    def __init__(self, function: Callable[[Any], object]) -> None:
        self._function = function

    def on_epoch_end(self, training: Training) -> object:
        """Call the function."""
        return self._function(training.history)


class EarlyStopping(Callback):
    """Ends training after some epochs without improvement of a column of the history.

    Parameters
    ----------
    monitor : str
        A column of `History`.
    patience : int
        Epochs without a lower value after which training ends, 1 or more.
    min_delta : float
        The minimum decrease that counts as an improvement; 0 or more.
    restore_best : bool
        Whether to restore the parameters after the best epoch.

    Raises
    ------
    TypeError, ValueError
        For an argument of the wrong type or value; when training begins, if the column is not
        recorded.
    """

    def __init__(
        self,
        monitor: str = "validation_error",
        patience: int = 5,
        *,
        min_delta: float = 0.0,
        restore_best: bool = False,
    ) -> None:
        self.monitor = validation.choice("monitor", monitor, COLUMNS)
        self.patience = validation.count("patience", patience)
        self.min_delta = validation.real("min_delta", min_delta)
        if not 0 <= self.min_delta < math.inf:
            raise ValueError(f"min_delta must be finite and 0 or more, got {self.min_delta}")
        self.restore_best = validation.flag("restore_best", restore_best)
        self._best: list[NDArray[Any]] = []

    def on_train_begin(self, training: Training) -> None:
        """Check that the column is recorded."""
        if self.monitor.startswith("validation") and training.validation_data is None:
            raise ValueError(
                f"early stopping monitors {self.monitor}, but has no validation data; give "
                'validation_data, or monitor="train_error"'
            )

    def on_epoch_end(self, training: Training) -> object:
        """Compare the last epoch with the best one."""
        waited = epochs_without_improvement(getattr(training.history, self.monitor), self.min_delta)
        if self.restore_best and not waited:
            self._best = [array.copy() for array in training.net.parameters()]
        if waited < self.patience:
            return None
        training.stop_reason = "patience"
        return STOP

    def on_train_end(self, training: Training) -> None:
        """Restore the best parameters."""
        for mine, best in zip(training.net.parameters(), self._best, strict=False):
            mine[...] = best
        self._best = []


def epochs_without_improvement(values: list[float], min_delta: float) -> int:
    """The number of last values that were not lower than the earlier minimum by min_delta."""
    lowest, epochs = math.inf, 0
    for value in values:
        epochs = 0 if value < lowest - min_delta else epochs + 1
        lowest = min(lowest, value)
    return epochs


class LearningRateSchedule(Callback):
    """Multiplies all learning rates by a factor in every epoch.

    Parameters
    ----------
    factor : callable
        Takes the number of an epoch, from 1, and returns the factor, 0 or more.

    Examples
    --------
    >>> halved = cep.LearningRateSchedule.step({20: 0.5, 40: 0.25})
    >>> falling = cep.LearningRateSchedule.cosine(epochs=40)
    >>> decaying = cep.LearningRateSchedule(lambda epoch: 0.97 ** (epoch - 1))
    """

    def __init__(self, factor: Callable[[int], float]) -> None:
        if not callable(factor):
            raise TypeError(f"factor must be a function of the epoch, got {factor!r}")
        self._factor = factor

    @classmethod
    def step(cls, factors: dict[int, float]) -> "LearningRateSchedule":
        """From each given epoch on its factor; before the first of them 1."""

        def factor(epoch: int) -> float:
            started = [start for start in factors if start <= epoch]
            return factors[max(started)] if started else 1.0

        return cls(factor)

    @classmethod
    def cosine(cls, epochs: int, *, final: float = 0.0) -> "LearningRateSchedule":
        """Half a period of a cosine, from 1 in the first epoch towards ``final`` after the last."""
        epochs = validation.count("epochs", epochs)

        def factor(epoch: int) -> float:
            done = min(1.0, (epoch - 1) / epochs)
            return final + (1 - final) * (1 + math.cos(math.pi * done)) / 2

        return cls(factor)

    def on_epoch_begin(self, training: Training) -> None:
        """Multiply the learning rates."""
        factor = validation.real("the factor of the learning rates", self._factor(training.epoch))
        if not 0 <= factor < math.inf:
            raise ValueError(
                f"the factor of the learning rates must be finite and 0 or more, got {factor}"
            )
        training.rule = training.rule.scaled(factor)


class SaveNetwork(Callback):
    """Saves the network after every epoch, or after each new best epoch.

    Parameters
    ----------
    path : path
        The file, which `cep.load` reads.
    monitor : str, optional
        A column of `History`: saves only the epoch with the lowest value. Default: saves every
        epoch.
    """

    def __init__(self, path: str | os.PathLike[str], monitor: str | None = None) -> None:
        self.path = Path(path).expanduser()
        self.monitor = monitor
        if monitor is not None:
            validation.choice("monitor", monitor, COLUMNS)

    def on_epoch_end(self, training: Training) -> None:
        """Save the network."""
        values = [] if self.monitor is None else getattr(training.history, self.monitor)
        if not values or epochs_without_improvement(values, 0.0) == 0:
            training.net.save(self.path)


class CSVLog(Callback):
    """Writes the history to a CSV file, one row for each epoch.

    Parameters
    ----------
    path : path
        The file, which is replaced after every epoch.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()

    def on_epoch_end(self, training: Training) -> None:
        """Write the file."""
        text = io.StringIO()
        rows = training.history.rows()
        writer = csv.DictWriter(text, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        files.write_whole(self.path, text.getvalue().encode())


class TensorBoard(Callback):
    """Writes the history of every epoch for TensorBoard.

    Parameters
    ----------
    folder : path
        The folder of the event files.

    Raises
    ------
    ImportError
        If neither torch with tensorboard nor tensorboardX is installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder).expanduser()
        self._make: Any = _summary_writer()
        self._writer: Any = None

    def on_epoch_end(self, training: Training) -> None:
        """Write the last epoch."""
        if self._writer is None:
            self._writer = self._make(str(self.folder))
        for name, value in training.history.rows()[-1].items():
            if name != "epoch":
                self._writer.add_scalar(name, value, training.epoch)
        self._writer.flush()

    def on_train_end(self, training: Training) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _summary_writer() -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        module = extras.import_extra("torch.utils.tensorboard", "TensorBoard", "tensorboard")
        return module.SummaryWriter
    return SummaryWriter
