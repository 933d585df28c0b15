"""Trials: the runs of one configuration with several seeds, and their means."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cep.experiments import RunOutcome
from cep.experiments.result import completed


def best_test_error(outcome: RunOutcome) -> float:
    """The lowest test error of any epoch, as published; NaN without a test curve."""
    return min(outcome.history.test_error, default=math.nan)


def best_test_epoch(outcome: RunOutcome) -> int:
    """The first epoch with this error, from 1; 0 without a test curve."""
    errors = outcome.history.test_error
    return errors.index(min(errors)) + 1 if errors else 0


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (n − 1 in the denominator) of some values."""

    mean: float
    """NaN without values."""
    deviation: float
    """NaN with fewer than two."""

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """The spread of some values, without NaN, which runs without a test curve have."""
        given = [value for value in values if not math.isnan(value)]
        return cls(
            statistics.fmean(given) if given else math.nan,
            statistics.stdev(given) if len(given) > 1 else math.nan,
        )

    def __str__(self) -> str:
        """In percent, such as "2.28 ± 0.16 %"."""
        if math.isnan(self.mean):
            return "none"
        if math.isnan(self.deviation):
            return f"{100 * self.mean:.2f} %"
        return f"{100 * self.mean:.2f} ± {100 * self.deviation:.2f} %"


@dataclass(frozen=True)
class Trials:
    """Runs of one configuration with several seeds.

    Means and deviations are over the runs that finished all their epochs. A run that diverged or
    failed has no final error: it is counted and shown, but not in the means. A collapsed run, which
    finished with more wrong predictions than right ones, is in the means; `without_collapsed` has
    the runs without these.
    """

    outcomes: tuple[RunOutcome, ...]
    """For each seed, in order."""

    @property
    def finished(self) -> tuple[RunOutcome, ...]:
        """The runs that the means are over."""
        return tuple(outcome for outcome in self.outcomes if has_finished(outcome))

    @property
    def diverged(self) -> int:
        """Runs in which a state became infinite or not a number."""
        return sum(outcome.stop_reason == "diverged" for outcome in self.outcomes)

    @property
    def failed(self) -> int:
        """Runs that ended with an error."""
        return sum(outcome.stop_reason == "failed" for outcome in self.outcomes)

    @property
    def collapsed(self) -> int:
        """Runs that finished with a test error above one half."""
        return sum(outcome.collapsed for outcome in self.outcomes)

    @property
    def without_collapsed(self) -> "Trials":
        """The trials without collapsed runs."""
        return Trials(tuple(each for each in self.outcomes if not each.collapsed))

    @property
    def test_error(self) -> Spread:
        """The error rate after the last epoch."""
        return Spread.of(outcome.test_error for outcome in self.finished)

    @property
    def best_test_error(self) -> Spread:
        """The lowest error of each run, chosen by test data."""
        return Spread.of(best_test_error(outcome) for outcome in self.finished)

    @property
    def train_error(self) -> Spread:
        """The error rate accumulated during the last epoch."""
        return Spread.of(outcome.train_error for outcome in self.finished)

    @property
    def seconds(self) -> float:
        """Wall time of all epochs of all runs, added up."""
        return sum(outcome.seconds for outcome in self.outcomes)

    def to_dict(self) -> dict[str, Any]:
        """Means, deviations and every seed, as JSON values; None for NaN."""
        spreads = ("test_error", "best_test_error", "train_error")
        return {
            name: {key: number_or_none(value) for key, value in vars(getattr(self, name)).items()}
            for name in spreads
        } | {"seeds": [_seed(outcome) for outcome in self.outcomes]}


def has_finished(outcome: RunOutcome) -> bool:
    """Whether a run completed, by its epochs or by patience."""
    return completed(outcome.stop_reason)


def number_or_none(value: float) -> float | None:
    """The number, or None if it is not finite."""
    return value if math.isfinite(value) else None


def _seed(outcome: RunOutcome) -> dict[str, Any]:
    return {
        "seed": outcome.configuration.seed,
        "ended": outcome.ended,
        "epochs": len(outcome.history),
        "of_epochs": outcome.configuration.epochs,
        "test_error": number_or_none(outcome.test_error),
        "best_test_error": number_or_none(best_test_error(outcome)),
        "best_epoch": best_test_epoch(outcome),
        "train_error": number_or_none(outcome.train_error),
        "seconds": outcome.seconds,
    }
