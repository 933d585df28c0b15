"""Event files for TensorBoard."""

import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from cep._util.extras import needs


class EventWriter(AbstractContextManager["EventWriter"]):
    """Writes metrics of epochs where TensorBoard reads them.

    Parameters
    ----------
    folder : path
        Where event files go.

    Raises
    ------
    ImportError
        Where tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            # These names are made when the modules are imported.
            from tensorboard.compat.proto.event_pb2 import (
                Event,  # pyright: ignore[reportAttributeAccessIssue]
            )
            from tensorboard.compat.proto.summary_pb2 import (
                Summary,  # pyright: ignore[reportAttributeAccessIssue]
            )
            from tensorboard.summary.writer.event_file_writer import EventFileWriter
        except ImportError as error:
            raise ImportError(needs("tensorboard=True", error, "tensorboard")) from error
        self._event: Any = Event
        self._summary: Any = Summary
        self._folder = folder
        self._make: Any = EventFileWriter
        self._writer: Any = None

    def add_epoch(self, metrics: dict[str, Any]) -> None:
        """Write the metrics of an epoch, each a scalar at the step of its epoch."""
        if self._writer is None:
            self._writer = self._make(str(self._folder))
        values = [
            self._summary.Value(tag=name, simple_value=value)
            for name, value in metrics.items()
            if name != "epoch"
        ]
        self._writer.add_event(
            self._event(
                wall_time=time.time(),
                step=metrics["epoch"],
                summary=self._summary(value=values),
            )
        )
        self._writer.flush()

    def __exit__(self, *exception: object) -> None:
        if self._writer is not None:
            self._writer.close()
