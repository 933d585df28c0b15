"""What a sweep gives back."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cep._util.extras import import_extra
from cep._util.tables import table
from cep.experiments.comparison import Compared, compare
from cep.experiments.result import RunOutcome

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class SweepResult:
    """The runs of a sweep, and how each ended. Iterates over their outcomes."""

    parameters: tuple[str, ...]
    """The fields of the configuration that were swept."""
    directory: Path
    outcomes: tuple[RunOutcome, ...] = field(repr=False)
    """A run each, the values of the last parameter changing first."""

    def __iter__(self) -> Iterator[RunOutcome]:
        return iter(self.outcomes)

    def __len__(self) -> int:
        return len(self.outcomes)

    @property
    def failed(self) -> list[RunOutcome]:
        """The runs that an error ended; the same sweep, called again, tries them again."""
        return [outcome for outcome in self if outcome.stop_reason == "failed"]

    def rows(self) -> list[dict[str, Any]]:
        """A row a run, as for ``pandas.DataFrame``: parameters, status, epochs and errors."""
        return rows(self.outcomes, self.parameters)

    def __str__(self) -> str:
        return self.table()

    def to_dataframe(self) -> "DataFrame":
        """The rows as a ``pandas.DataFrame``.

        Raises
        ------
        ImportError
            pandas is not installed.
        """
        return import_extra("pandas", "to_dataframe", "dataframe").DataFrame(self.rows())

    def table(self, width: int | None = None) -> str:
        """The runs side by side as lines of text, that with the lowest validation error first.

        Without validation data it is that with the lowest training error. Columns for which a
        terminal of a given width has no place follow below.
        """

        def order(run: RunOutcome) -> tuple[bool, float, str]:
            has_none = math.isnan(run.validation_error)
            error = run.train_error if has_none else run.validation_error
            return math.isnan(error), error, run.name

        best_first = sorted(self, key=order)
        runs = [
            Compared(run.name, run.configuration, run.ended, run.history, run.test_error)
            for run in best_first
        ]
        return table(*compare(runs), width=width)


def rows(outcomes: Sequence[RunOutcome], parameters: Sequence[str]) -> list[dict[str, Any]]:
    """A row a run. Errors are NaN where no epoch was finished."""
    return [
        {
            "run": outcome.name,
            **{name: getattr(outcome.configuration, name) for name in parameters},
            "status": outcome.stop_reason,
            "epochs": len(outcome.history),
            "validation_error": outcome.validation_error,
            "best_validation_error": outcome.best_validation_error,
            "best_epoch": outcome.best_epoch,
            "test_error": outcome.test_error,
            "train_error": outcome.train_error,
            "seconds": outcome.seconds,
            "message": outcome.message,
        }
        for outcome in outcomes
    ]
