"""Run directories: the files that a run writes, and from which it can be resumed."""

import json
import math
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast, get_args

from cep._util import files, validation
from cep.experiments import checkpoints, metrics_file
from cep.experiments.checkpoints import Checkpoint
from cep.experiments.configuration import Configuration
from cep.experiments.environment import environment
from cep.experiments.result import RunResult, StopReason, reason_to_stop
from cep.io import tensor_files
from cep.plotting import plots
from cep.training.history import History


class Ending(NamedTuple):
    """How the run in a directory ended."""

    stop_reason: StopReason
    message: str
    history: History
    test_error: float
    test_loss: float
    checkpoint: Checkpoint | None
    """None if the directory has no checkpoint, but only the small files."""


class Status(NamedTuple):
    """Why a run stopped."""

    status: str
    message: str
    test_error: float | None = None
    test_loss: float | None = None


class RunDirectory:
    """The files of one run. Methods that read raise ValueError if a file is damaged.

    =========================  =====================================================
    ``configuration.json``     The configuration (see `Configuration`).
    ``environment.json``       Versions and machine.
    ``data.json``              Name, shapes, classes and SHA-256 of the data.
    ``status.json``            Why the run stopped, or "unfinished". Test error.
    ``metrics.jsonl``          One line per epoch.
    ``records.jsonl``          One line per record, if diagnostics are recorded.
    ``last.safetensors``       Last checkpoint, from which the run is resumed.
    ``best.safetensors``       Checkpoint after the epoch with the lowest validation error.
    ``history.png``, ``.svg``  The error curves, if matplotlib is installed.
    =========================  =====================================================

    Parameters
    ----------
    path : path
        The directory. It need not exist.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser()
        self.last = self.path / "last.safetensors"
        self.best = self.path / "best.safetensors"
        self._configuration = self.path / "configuration.json"
        self._environment = self.path / "environment.json"
        self._status = self.path / "status.json"
        self._metrics = self.path / "metrics.jsonl"
        self._data = self.path / "data.json"
        self._records = self.path / "records.jsonl"

    def holds_a_run(self) -> bool:
        """Whether the directory contains a run."""
        return self._configuration.is_file()

    def is_foreign(self) -> bool:
        """Whether the configuration.json belongs to another program.

        In this case it is not a valid configuration, and the directory has no other file of a run.
        """
        if any(path.is_file() for path in (self._status, self._metrics, self.last)):
            return False
        try:
            self.configuration()
        except (FileNotFoundError, ValueError):
            return True
        except OSError:
            pass
        return False

    def configuration(self) -> Configuration:
        """The configuration of the run; FileNotFoundError if the directory has no run."""
        if not self.holds_a_run():
            raise FileNotFoundError(f"{self.path} contains no run: it has no configuration.json")
        try:
            return Configuration.from_json(self._configuration.read_text(encoding="utf-8"))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self._configuration}: {error}") from error

    def status(self) -> Status:
        """Why the run stopped, with the error message, and its error and loss on the test data."""
        if not self._status.exists():
            return Status("unfinished", "")
        values = _read_object(self._status)
        status, message = values.get("status"), values.get("message")
        if not isinstance(status, str) or not isinstance(message, str):
            raise ValueError(f"{self._status} is damaged: it has no status, or no message")
        tested = [values.get(name) for name in ("test_error", "test_loss")]
        for name, value in zip(("test_error", "test_loss"), tested, strict=True):
            if value is not None:
                validation.real(f"{self._status}: {name}", value)
        return Status(status, message, *tested)

    def data(self) -> dict[str, Any]:
        """The fingerprint of the data; empty if an earlier version wrote the run without one."""
        return _read_object(self._data) if self._data.is_file() else {}

    def check_data(self, fingerprint: Mapping[str, Any]) -> None:
        """Raise a ValueError if the run was trained on other data."""
        before = self.data()
        for name in ("name", "classes", "shapes", "sha256"):
            if name in before and before[name] != fingerprint[name]:
                raise ValueError(
                    f"{self.path} holds a run on other data: their {name} is {before[name]} "
                    f"there, {fingerprint[name]} here"
                )

    def metrics(self) -> list[dict[str, Any]]:
        """The metrics of each epoch, from the first on."""
        return metrics_file.read_metrics(self._metrics)

    def history(self) -> History:
        """The history of the finished epochs."""
        return metrics_file.history_of(self.metrics())

    def records(self) -> list[dict[str, Any]]:
        """All records, from the first on."""
        return metrics_file.read_records(self._records)

    def ending(self, configuration: Configuration) -> Ending | None:
        """How the run ended; None if the directory has no run, or if it has not ended.

        The history is read from the checkpoint, which has a checksum. Without a checkpoint it is
        read from the metrics, which may have lost lines.

        Raises
        ------
        ValueError
            If the run has another configuration, or a file is damaged.
        """
        if self.holds_a_run() and self._is_extended(configuration):
            return None
        status, message, test_error, test_loss = self.status()
        if not self.holds_a_run() or status not in get_args(StopReason):
            return None
        self.check_same(configuration)
        checkpoint = self._checkpoint(configuration)
        source = self._metrics if checkpoint is None else self.last
        history = self.history() if checkpoint is None else checkpoint.history
        expected = status if status in ("finished", "patience") else None
        if reason_to_stop(configuration, history) != expected:
            raise ValueError(
                f"{self._status} contains {status!r}, but {source} has {len(history)} of "
                f"{configuration.epochs} epochs, which is inconsistent: one of these files is "
                "damaged, or was written at another time"
            )
        if history.test_error:
            test_error, test_loss = history.test_error[-1], history.test_loss[-1]
        error, loss = (math.nan if each is None else each for each in (test_error, test_loss))
        return Ending(cast(StopReason, status), message, history, error, loss, checkpoint)

    def mend(self, ending: Ending) -> None:
        """Write the metrics again if they are not those of the checkpoint."""
        if ending.checkpoint is not None:
            self._write_metrics(ending.history)

    def result(self, configuration: Configuration) -> RunResult | None:
        """The result of the run; None if it has not ended, or if the checkpoint is missing.

        If the metrics differ from those in the checkpoint, they are written again.
        """
        ending = self.ending(configuration)
        if ending is None or ending.checkpoint is None:
            return None
        result = RunResult(
            configuration,
            ending.history,
            ending.checkpoint.make_network(),
            ending.stop_reason,
            ending.message,
            self.records(),
            ending.test_error,
            ending.test_loss,
        )
        self.mend(ending)
        return result

    @contextmanager
    def opened(
        self, configuration: Configuration, fingerprint: Mapping[str, Any], *, resume: bool
    ) -> Iterator[Checkpoint | None]:
        """Lock the directory for a run until the block ends.

        Gives the checkpoint from which the run continues, or None.

        Raises
        ------
        ValueError
            If the directory has a run of another configuration or of other data, or if a file is
            damaged.
        FileExistsError
            If the directory has a run, and `resume` is false.
        BlockingIOError
            If another process uses the directory.
        """
        tensor_files.check_available()
        if self.holds_a_run():
            self.check_same(configuration)
            self.check_data(fingerprint)
            if not resume:
                raise FileExistsError(
                    f"{self.path} holds a run of this configuration already: resume it, or give "
                    "another directory"
                )
        self.path.mkdir(parents=True, exist_ok=True)
        with files.locked(self.path):
            files.remove_parts(self.path)
            checkpoint = self._checkpoint(configuration)
            # All files are read before any is written. If one is damaged, the others stay.
            kept = self._records_before(checkpoint)
            self._warn_of_another_environment()
            files.write_whole(self._configuration, configuration.to_json().encode())
            files.write_whole(
                self._environment, json.dumps(environment(), indent=2).encode() + b"\n"
            )
            files.write_whole(self._data, json.dumps(dict(fingerprint), indent=2).encode() + b"\n")
            self._leave(History() if checkpoint is None else checkpoint.history, kept)
            self.set_status("unfinished")
            yield checkpoint

    def sized(self, configuration: Configuration) -> Configuration:
        """The configuration with the sizes of the user's data, taken from the run here."""
        if not self.holds_a_run() or configuration.inputs is not None:
            return configuration
        there = self.configuration()
        if there.data != configuration.data or there.inputs is None:
            return configuration
        return configuration.replace(inputs=there.inputs, classes=there.classes)

    def _is_extended(self, configuration: Configuration) -> bool:
        """Whether the configuration gives the run more epochs or more patience."""
        there = self.configuration()
        diverged = self.status().status == "diverged"
        return there.can_become(configuration) and there != configuration and not diverged

    def check_same(self, configuration: Configuration) -> None:
        """Raise a ValueError if the run has another configuration."""
        there = self.configuration()
        differences = {} if there.can_become(configuration) else there.differences(configuration)
        if differences:
            fields = "; ".join(
                f"{name} is {there!r} there, {here!r} here"
                for name, (there, here) in differences.items()
            )
            raise ValueError(f"{self.path} holds a run of another configuration: {fields}")

    def _checkpoint(self, configuration: Configuration) -> Checkpoint | None:
        """The last checkpoint; ValueError if its run has another configuration."""
        if not self.last.is_file():
            return None
        checkpoint = checkpoints.load(self.last)
        if not checkpoint.configuration.can_become(configuration):
            raise ValueError(f"{self.last} belongs to a run of another configuration")
        epochs = len(checkpoint.history)
        for name, column in vars(checkpoint.history).items():
            if len(column) not in (0, epochs):
                raise ValueError(
                    f"{self.last} is not the checkpoint of a run: {name} has {len(column)} "
                    f"entries for {epochs} epochs"
                )
        return checkpoint

    def _warn_of_another_environment(self) -> None:
        if not self._environment.is_file():
            return
        before, now = _read_object(self._environment), environment()
        if before.get("instruction_set") != now["instruction_set"]:
            warnings.warn(
                f"the run in {self.path} began with the instruction set "
                f"{before.get('instruction_set')} and continues with {now['instruction_set']}: "
                "results will differ by rounding",
                stacklevel=2,
            )

    def _records_before(self, checkpoint: Checkpoint | None) -> list[dict[str, Any]]:
        """The records that were made before the checkpoint was written."""
        epochs = 0 if checkpoint is None else len(checkpoint.history)
        batch = 0 if checkpoint is None else checkpoint.position.batch
        return [
            record
            for record in self.records()
            if (record["epoch"], record["batch"]) < (epochs + 1, batch)
        ]

    def _leave(self, history: History, records: list[dict[str, Any]]) -> None:
        """Reduce the files to the metrics of these epochs and these records."""
        self._write_metrics(history)
        if self._records.exists():
            files.write_whole(self._records, files.json_lines(records))

    def _write_metrics(self, history: History) -> None:
        """Write the metrics of these epochs, unless the file has them already."""
        content = files.json_lines(history.rows())
        if not self._metrics.is_file() or self._metrics.read_bytes() != content:
            files.write_whole(self._metrics, content)

    def add_epoch(self, history: History) -> None:
        """Add the last epoch of a history to the metrics."""
        files.append_json_line(self._metrics, history.rows()[-1])

    def add_record(self, record: dict[str, Any]) -> None:
        """Add a record."""
        files.append_json_line(self._records, record)

    def set_status(
        self,
        status: str,
        message: str = "",
        test_error: float = math.nan,
        test_loss: float = math.nan,
    ) -> None:
        """Write the status of the run, with its error and loss on the test data."""
        values: dict[str, Any] = {"status": status, "message": message}
        if math.isfinite(test_error) and math.isfinite(test_loss):
            values |= {"test_error": test_error, "test_loss": test_loss}
        files.write_whole(self._status, json.dumps(values).encode() + b"\n")

    def end(self, result: RunResult) -> None:
        """Write why the run ended, and draw its error curves."""
        self.set_status(result.stop_reason, result.message, result.test_error, result.test_loss)
        title = f"{result.configuration.title}: test error {result.test_error:.2%}"
        self.draw(result.history, title)

    def record_failure(self, configuration: Configuration, message: str) -> None:
        """Write that a run of this configuration failed. The run need not have begun."""
        if self.holds_a_run():
            self.check_same(configuration)
            if self.status().status in get_args(StopReason):
                return  # The run had ended before. A later call failed.
        self.path.mkdir(parents=True, exist_ok=True)
        with files.locked(self.path):
            files.write_whole(self._configuration, configuration.to_json().encode())
            self.set_status("failed", message)

    def draw(self, history: History, title: str) -> None:
        """Draw the error curves, if matplotlib is installed and an epoch was finished.

        The user did not request the plot explicitly, so a failure is only a warning.
        """
        if not len(history):
            return
        try:
            axes = plots.plot_history(history, ax=plots.plain_axes(), title=title)
            for ending in ("png", "svg"):
                plots.save(axes, self.path / f"history.{ending}")
        except ImportError:
            return
        except Exception as error:
            warnings.warn(f"{self.path}: the history could not be plotted: {error}", stacklevel=2)


def _read_object(path: Path) -> dict[str, Any]:
    """The object in a JSON file; ValueError if the file does not contain one."""
    try:
        value = files.parse_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} is damaged: expected a JSON object, found {value!r}")
    return value
