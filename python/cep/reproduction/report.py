"""What trials came to, in words: text for the terminal, cells for tables."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cep.presets import Preset
from cep.reproduction.trials import Spread, Trials, ending
from cep.runs import RunOutcome
from cep.runs.comparison import table

if TYPE_CHECKING:
    from cep.reproduction.rows import Reproduction

SEED_HEADINGS = ("seed", "ended", "epochs", "test error", "best", "in epoch", "train error", "time")
SUMMARY_HEADINGS = (
    "run", "seeds", "epochs", "test error", "published test", "best epoch", "train error",
    "published train", "time a seed", "diverged",
)  # fmt: skip


def describe(trials: "Reproduction") -> str:
    """Every seed, then means and deviations beside what was published."""
    preset, configuration = trials.preset, trials.preset.configuration
    sizes = "-".join(map(str, configuration.sizes))
    seeds = [seed_cells(outcome) for outcome in trials.outcomes]
    lines = [f"{preset.name}: {configuration.title}, {sizes}, {epochs(trials, preset)} epochs"]
    lines += [table(SEED_HEADINGS, seeds), "", f"mean ± standard deviation over {basis(trials)}"]
    columns = ("test error", "best epoch", "train error")
    rows = [["here", *map(str, _spreads(trials))]]
    if trials.collapsed:
        rows.append(["without the collapsed", *map(str, _spreads(trials.without_collapsed))])
    if preset.published is not None:
        rows.append(["published", published_test(preset), "", published_train(preset)])
    lines.append(table(("", *columns), rows))
    if preset.published is None:
        lines.append("no error was published")
    if is_shortened(trials, preset):
        lines.append(
            "NOTE: not the published number of epochs; not to be held against the published errors"
        )
    lines.append(f"time: {duration(trials.seconds)} for all seeds, one after the other")
    lines += [
        f"{outcome.name}: {outcome.message}" for outcome in trials.outcomes if outcome.message
    ]
    return "\n".join(lines)


def summary(reproductions: "Sequence[Reproduction]") -> str:
    """A table with a line a row."""
    return table(SUMMARY_HEADINGS, [summary_cells(each) for each in reproductions])


def summary_cells(reproduction: "Reproduction") -> list[str]:
    """The cells under `SUMMARY_HEADINGS`."""
    preset = reproduction.preset
    test, best, train = map(str, _spreads(reproduction))
    if reproduction.collapsed:
        rest = _spreads(reproduction.without_collapsed)
        test, best, train = (
            f"{all_finished} ({better} without the collapsed)"
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
        duration(reproduction.seconds / max(1, len(reproduction.outcomes))),
        casualties(reproduction) or "none",
    ]


def seed_cells(outcome: RunOutcome) -> list[str]:
    """The cells under `SEED_HEADINGS`."""
    done = len(outcome.history)
    cells = [str(outcome.configuration.seed), ending(outcome)]
    cells.append(f"{done}/{outcome.configuration.epochs}")
    if not done:
        return [*cells, "none", "none", "", "none", ""]
    return [
        *cells,
        f"{outcome.test_error:.2%}",
        f"{outcome.best_test_error:.2%}",
        str(outcome.best_epoch),
        f"{outcome.train_error:.2%}",
        duration(outcome.seconds),
    ]


def run_line(outcome: RunOutcome) -> str:
    """A run that has ended, in a line."""
    start = f"{outcome.name}  {ending(outcome)} after {len(outcome.history)} epochs"
    if not len(outcome.history):
        # Of a message of several lines the first says what happened.
        return ": ".join([start, *outcome.message.splitlines()[:1]])
    return (
        f"{start}: test error {outcome.test_error:.2%}, best {outcome.best_test_error:.2%} in "
        f"epoch {outcome.best_epoch}, train error {outcome.train_error:.2%}, "
        f"{duration(outcome.seconds)}"
    )


def epochs(trials: Trials, preset: Preset) -> str:
    """The epochs asked for, as "100", or "5 of 100" where as many were published."""
    published = preset.configuration.epochs
    asked = sorted({outcome.configuration.epochs for outcome in trials.outcomes})
    if asked == [published]:
        return str(published)
    return f"{', '.join(map(str, asked))} of {published}"


def is_shortened(trials: Trials, preset: Preset) -> bool:
    """Whether a run has another number of epochs than was published."""
    return any(
        outcome.configuration.epochs != preset.configuration.epochs for outcome in trials.outcomes
    )


def basis(trials: Trials) -> str:
    """What means are over, in words."""
    finished, seeds = len(trials.finished), len(trials.outcomes)
    lost = casualties(trials)
    return f"the {finished} of {seeds} seeds that finished" + (f" ({lost})" if lost else "")


def casualties(trials: Trials) -> str:
    """How many runs did not end as they should, as "1 diverged, 1 collapsed"; may be empty."""
    kinds = ("diverged", "collapsed", "failed")
    return ", ".join(f"{getattr(trials, kind)} {kind}" for kind in kinds if getattr(trials, kind))


def published_test(preset: Preset) -> str:
    """The published test error, with its deviation where there is one."""
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
    """An error, as "2.4 %", or "none"."""
    return "none" if error is None else f"{100 * error:.4g} %"


def duration(seconds: float) -> str:
    """A time, as "85 s", "12 min" or "3.4 h"."""
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _spreads(trials: Trials) -> tuple[Spread, Spread, Spread]:
    return trials.test_error, trials.best_test_error, trials.train_error
