"""Results of sweeps."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cep._util.extras import import_extra
from cep._util.tables import table
from cep.experiments.comparison import RunSummary, compare
from cep.experiments.result import RunOutcome

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class SweepResult:
    """The result of a sweep. Iterating over it gives the outcome of each run."""

    parameters: tuple[str, ...]
    """The fields of the configuration that were swept."""
    directory: Path
    outcomes: tuple[RunOutcome, ...] = field(repr=False)
    """One outcome per run; the value of the last parameter changes fastest."""

    def __iter__(self) -> Iterator[RunOutcome]:
        return iter(self.outcomes)

    def __len__(self) -> int:
        return len(self.outcomes)

    @property
    def failed(self) -> list[RunOutcome]:
        """The runs that ended with an error. A second call of the sweep repeats them."""
        return [outcome for outcome in self if outcome.stop_reason == "failed"]

    def rows(self) -> list[dict[str, Any]]:
        """One row per run, as for ``pandas.DataFrame``: parameters, status, epochs and errors."""
        return rows(self.outcomes, self.parameters)

    def __str__(self) -> str:
        return self.table()

    def to_dataframe(self) -> "DataFrame":
        """The rows as a ``pandas.DataFrame``.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return import_extra("pandas", "to_dataframe", "dataframe").DataFrame(self.rows())

    def table(self, width: int | None = None) -> str:
        """A table of the runs as text, sorted by validation error.

        Without validation data, the runs are sorted by training error. Columns that do not fit into
        a terminal of the given width follow below.
        """

        def order(run: RunOutcome) -> tuple[bool, float, str]:
            has_none = math.isnan(run.validation_error)
            error = run.train_error if has_none else run.validation_error
            return math.isnan(error), error, run.name

        best_first = sorted(self, key=order)
        runs = [
            RunSummary(run.name, run.configuration, run.ended, run.history, run.test_error)
            for run in best_first
        ]
        return table(*compare(runs), width=width)


def rows(outcomes: Sequence[RunOutcome], parameters: Sequence[str]) -> list[dict[str, Any]]:
    """One row per run. Errors are NaN if no epoch was finished."""
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
