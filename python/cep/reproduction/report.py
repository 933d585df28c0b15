"""Results of trials as text for the terminal and cells of tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from cep._util.tables import table
from cep.experiments import RunOutcome
from cep.experiments.presets import Preset
from cep.reproduction.trials import Spread, Trials, best_test_epoch, best_test_error

SEED_HEADINGS = ("seed", "ended", "epochs", "test error", "best", "in epoch", "train error", "time")
SUMMARY_HEADINGS = (
    "run", "seeds", "epochs", "test error", "published test", "best epoch", "train error",
    "published train", "time a seed", "failed",
)  # fmt: skip


@dataclass(frozen=True)
class Reproduction(Trials):
    """A preset trained with several seeds: ``print(reproduction)`` shows each of them.

    Means and deviations are those of `Trials`, over the runs that finished.
    """

    preset: Preset

    def __str__(self) -> str:
        return describe(self)


def describe(trials: Reproduction) -> str:
    """The results of every seed, then means and deviations, and the published values."""
    preset, configuration = trials.preset, trials.preset.configuration
    sizes = "-".join(map(str, configuration.sizes))
    seeds = [seed_cells(outcome) for outcome in trials.outcomes]
    lines = [f"{preset.name}: {configuration.title}, {sizes}, {epochs(trials, preset)} epochs"]
    lines += [table(SEED_HEADINGS, seeds), "", f"mean ± standard deviation over {basis(trials)}"]
    columns = ("test error", "best epoch", "train error")
    rows = [["here", *map(str, _spreads(trials))]]
    if trials.collapsed:
        rows.append(["without collapsed", *map(str, _spreads(trials.without_collapsed))])
    if preset.published is not None:
        rows.append(["published", published_test(preset), "", published_train(preset)])
    lines.append(table(("", *columns), rows))
    if preset.published is None:
        lines.append("no published error")
    elif any(outcome.configuration.epochs != configuration.epochs for outcome in trials.outcomes):
        lines.append(
            "NOTE: not the published number of epochs; do not compare with the published errors"
        )
    lines.append(f"time: {duration(trials.seconds)} for all seeds, one after the other")
    lines += [
        f"{outcome.name}: {outcome.message}" for outcome in trials.outcomes if outcome.message
    ]
    return "\n".join(lines)


def summary(reproductions: Sequence[Reproduction], width: int | None = None) -> str:
    """A table with a row for each reproduction, at most `width` columns wide."""
    return table(SUMMARY_HEADINGS, [summary_cells(each) for each in reproductions], width)


def summary_cells(reproduction: Reproduction) -> list[str]:
    """The cells under `SUMMARY_HEADINGS`."""
    preset = reproduction.preset
    test, best, train = map(str, _spreads(reproduction))
    if reproduction.collapsed:
        rest = _spreads(reproduction.without_collapsed)
        test, best, train = (
            f"{all_finished} ({better} without collapsed)"
            for all_finished, better in zip((test, best, train), rest, strict=True)
        )
    return [
        preset.name,
        str(len(reproduction.outcomes)),
        epochs(reproduction, preset),
        test,
        published_test(preset),
        best,
        train,
        published_train(preset),
        duration(reproduction.seconds / len(reproduction.outcomes)),
        failures(reproduction),
    ]


def seed_cells(outcome: RunOutcome) -> list[str]:
    """The cells under `SEED_HEADINGS`."""
    cells = [str(outcome.configuration.seed), outcome.ended, _epochs_done(outcome)]
    if not len(outcome.history):
        return [*cells, "none", "none", "", "none", ""]
    return [
        *cells,
        f"{outcome.test_error:.2%}",
        f"{best_test_error(outcome):.2%}",
        str(best_test_epoch(outcome)),
        f"{outcome.train_error:.2%}",
        duration(outcome.seconds),
    ]


def run_line(outcome: RunOutcome) -> str:
    """A line of text for a finished run."""
    start = f"{outcome.name}  {outcome.ended} after {_epochs_done(outcome)} epochs"
    if not len(outcome.history):
        # The first line of a message states the error.
        return ": ".join([start, *outcome.message.splitlines()[:1]])
    epoch = best_test_epoch(outcome)
    best = f"best {best_test_error(outcome):.2%} in epoch {epoch}, " if epoch else ""
    return (
        f"{start}: test error {outcome.test_error:.2%}, {best}train error "
        f"{outcome.train_error:.2%}, {duration(outcome.seconds)}"
    )


def epochs(trials: Trials, preset: Preset) -> str:
    """The requested epochs, as "100", or "5 of 100" if 100 were published."""
    published = preset.configuration.epochs
    asked = sorted({outcome.configuration.epochs for outcome in trials.outcomes})
    if asked == [published]:
        return str(published)
    return f"{', '.join(map(str, asked))} of {published}"


def basis(trials: Trials) -> str:
    """The runs that means are over, in words."""
    finished = len(trials.finished)
    parts = [f"the {finished} of {len(trials.outcomes)} seeds that finished"]
    parts += [f"{trials.diverged} diverged"] * bool(trials.diverged)
    parts += [f"{trials.failed} failed"] * bool(trials.failed)
    parts += [f"{trials.collapsed} of the {finished} collapsed"] * bool(trials.collapsed)
    return "; ".join(parts)


def failures(trials: Trials) -> str:
    """The numbers of unsuccessful runs, such as "1 diverged, 1 collapsed", or "none"."""
    counts = {
        "diverged": trials.diverged,
        "failed": trials.failed,
        "collapsed": trials.collapsed,
    }
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "none"


def published_test(preset: Preset) -> str:
    """The published test error, with its deviation if there is one."""
    if preset.published is None:
        return "none"
    deviation = preset.published.test_deviation
    return str(Spread(preset.published.test_mean, float("nan") if deviation is None else deviation))


def published_train(preset: Preset) -> str:
    """The published training error."""
    if preset.published is None or preset.published.train is None:
        return "none"
    return str(Spread(preset.published.train, float("nan")))


def percent(error: float | None) -> str:
    """An error, such as "2.4 %", or "none"."""
    return "none" if error is None else f"{100 * error:.4g} %"


def duration(seconds: float) -> str:
    """A time, such as "85.0 s", "12 min" or "3.4 h"."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _spreads(trials: Trials) -> tuple[Spread, Spread, Spread]:
    return trials.test_error, trials.best_test_error, trials.train_error


def _epochs_done(outcome: RunOutcome) -> str:
    return f"{len(outcome.history)}/{outcome.configuration.epochs}"
