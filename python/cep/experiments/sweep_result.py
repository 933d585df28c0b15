"""What a sweep gives back."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cep._util.tables import table
from cep.experiments.comparison import Compared, compare
from cep.experiments.result import RunOutcome


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
        return [outcome for outcome in self if outcome.reason == "failed"]

    def rows(self) -> list[dict[str, Any]]:
        """A row a run, as for ``pandas.DataFrame``: parameters, status, epochs and errors."""
        return rows(self.outcomes, self.parameters)

    def table(self) -> str:
        """The runs side by side as lines of text, that with the lowest test error first."""
        best_first = sorted(
            self, key=lambda run: (math.isnan(run.test_error), run.test_error, run.name)
        )
        runs = [Compared(run.name, run.configuration, run.ended, run.history) for run in best_first]
        return table(*compare(runs))


def rows(outcomes: Sequence[RunOutcome], parameters: Sequence[str]) -> list[dict[str, Any]]:
    """A row a run. Errors are NaN where no epoch was finished."""
    return [
        {
            "run": outcome.name,
            **{name: getattr(outcome.configuration, name) for name in parameters},
            "status": outcome.reason,
            "epochs": len(outcome.history),
            "test_error": outcome.test_error,
            "best_test_error": outcome.best_test_error,
            "best_epoch": outcome.best_epoch,
            "train_error": outcome.train_error,
            "seconds": outcome.seconds,
            "message": outcome.message,
        }
        for outcome in outcomes
    ]
