"""Fig. 5a: the angle between update and gradient before training, against the error after it."""

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cep._util import validation
from cep._util.tables import table
from cep.experiments import RunOutcome, presets
from cep.experiments.presets import Preset
from cep.plotting.plots import PALETTE, new_figure
from cep.reproduction import published, report
from cep.reproduction.drawing import draw_seeds, scale_errors
from cep.reproduction.initial_angles import InitialAngles, initial_angles, mean_of
from cep.reproduction.rank_correlation import rank_correlation
from cep.reproduction.rows import preset_of
from cep.reproduction.series import Series, at_angle, has_angles, row
from cep.reproduction.training import train
from cep.reproduction.trials import Spread, Trials, has_finished, number_or_none

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEADINGS = (
    "run", "feedback at", "seeds", "epochs", "angle", "without t = 0", "published", "test error",
    "published", "failed",
)  # fmt: skip


@dataclass(frozen=True)
class CorrelationPoint:
    """A row of the table, or a preset at another feedback angle."""

    preset: Preset
    feedback_angle: float | None
    """Degrees before training; None for a row of the table."""
    trials: Trials
    seed_angles: tuple[InitialAngles, ...]
    """The angles of the initial network of each trial."""

    @property
    def angles(self) -> InitialAngles:
        """Mean over the networks of these trials."""
        return mean_of(self.seed_angles)

    @property
    def pairs(self) -> list[tuple[float, float]]:
        """Angle without t = 0 and test error of each seed that finished."""
        return [
            (angles.without_first, outcome.test_error)
            for angles, outcome in zip(self.seed_angles, self.trials.outcomes, strict=True)
            if has_finished(outcome)
        ]

    @property
    def published_angle(self) -> float | None:
        """The published angle of a row of the table."""
        return published.initial_angle(self.preset.name) if self.feedback_angle is None else None

    @property
    def published_error(self) -> float | None:
        """The published error of a row of the table, or at this feedback angle."""
        if self.feedback_angle is not None:
            return published.error_at_angle(self.preset.name, self.feedback_angle)
        return None if self.preset.published is None else self.preset.published.test_mean


@dataclass(frozen=True)
class Correlation:
    """Angles and errors: ``print(correlation)``, ``correlation.plot()``."""

    points: tuple[CorrelationPoint, ...]

    stem = "correlation"

    def rows(self) -> list[list[str]]:
        """The cells under `HEADINGS`, a row for each point."""
        return [
            [
                point.preset.name,
                _degrees(point.feedback_angle),
                str(len(point.trials.outcomes)),
                report.epochs(point.trials, point.preset),
                *(f"{angle:.1f}°" for angle in point.angles),
                _degrees(point.published_angle),
                str(point.trials.test_error),
                report.percent(point.published_error),
                report.failures(point.trials),
            ]
            for point in self.points
        ]

    @property
    def rank_correlation(self) -> Spread:
        """Spearman's rank correlation of angle and error, with its deviation over seeds.

        The angle is the one without t = 0. 1 means that a larger angle always comes with a larger
        error.
        """
        return rank_correlation([point.pairs for point in self.points])

    def __str__(self) -> str:
        title = "angle between update and gradient before learning, error after it"
        found = self.rank_correlation
        ranks = f"rank correlation {found.mean:.2f} ± {found.deviation:.2f}"
        return f"{title}\n{table(HEADINGS, self.rows())}\n{ranks} over {len(self.points)} points"

    def to_dict(self) -> dict[str, Any]:
        """The numbers drawn, and all seeds behind them, as JSON values."""
        return {
            "points": [
                {
                    "preset": point.preset.name,
                    "feedback_angle": point.feedback_angle,
                    "angle": point.angles.total,
                    "angle_without_first": point.angles.without_first,
                    "published_angle": point.published_angle,
                    "published_test_error": point.published_error,
                    **point.trials.to_dict(),
                }
                for point in self.points
            ],
            "rank_correlation": {
                name: number_or_none(value) for name, value in vars(self.rank_correlation).items()
            },
        }

    def plot(self) -> "Figure":
        """Draw the figure.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return _draw_correlation(self)


def correlation(
    rows: Sequence[str | Preset] = published.ONE_HIDDEN_LAYER,
    seeds: int = 1,
    directory: str | os.PathLike[str] = "runs",
    *,
    epochs: int | None = None,
    jobs: int | None = None,
    data_root: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_run_end: Callable[[RunOutcome], object] | None = None,
) -> Correlation:
    """Compare the angle to the gradient before training with the error after it.

    Runs below the directory are used with the seeds and epochs that they have; missing runs are
    trained. Other rows of the table, and those with fixed feedback, are drawn too if runs of them
    have finished.

    Parameters
    ----------
    rows : sequence of str or Preset
        Rows of the table; default: EP-1h, C-EP-1h and C-VF-1h. Rows with untied feedback include
        the nine angles of Fig. 4.
    seeds : int
        Missing runs with seeds 0 … seeds − 1 are trained.
    directory : path
        The directory of the runs of `cep.reproduce` and `angles`.
    epochs : int, optional
        Epochs of new runs. Default: the published number.
    jobs, data_root, progress, on_run_end
        As for `cep.run_many`.

    Returns
    -------
    Correlation

    Raises
    ------
    TypeError, ValueError, FileNotFoundError, ImportError, KeyboardInterrupt
        As for `cep.reproduce`; ValueError also for no rows, and for one trained with BPTT.
    """
    seeds, place = validation.count("seeds", seeds), Path(directory)
    asked = [preset_of(each) for each in rows]
    if not asked:
        raise ValueError("rows is empty; expected one preset or more")
    for preset in asked:
        if preset.configuration.rule == "bptt":
            raise ValueError(
                f"{preset.name} learns by the gradient itself; expected a preset with EP or C-EP"
            )
    found = [
        (key, series.runs(seeds) | series.found(place)) for key, series in _cells(asked, epochs)
    ]
    outcomes = train(
        {name: configuration for _, runs in found for name, configuration in runs.items()},
        directory,
        jobs=jobs,
        data_root=data_root,
        progress=progress,
        on_run_end=on_run_end,
    )
    trials = [(key, Trials(tuple(outcomes[name] for name in runs))) for key, runs in found]
    known = dict.fromkeys([*asked, *map(presets.get, published.TABLE)])
    others = [*known, *(each.with_fixed_feedback() for each in known if has_angles(each))]
    for key, series in _cells([each for each in others if each not in asked]):
        if ended := series.ended(place):
            trials.append((key, Trials(tuple(ended))))
    return Correlation(tuple(_points(trials, None if data_root is None else Path(data_root))))


_Key = tuple[Preset, float | None]


def _cells(chosen: Sequence[Preset], epochs: int | None = None) -> Iterator[tuple[_Key, Series]]:
    """Each row, and its feedback angles."""
    for preset in chosen:
        yield (preset, None), row(preset, epochs)
        if has_angles(preset):
            for angle in published.FEEDBACK_ANGLES:
                yield (preset, angle), at_angle(preset, angle, epochs)


def _points(
    trials: Sequence[tuple[_Key, Trials]], data_root: Path | None
) -> Iterator[CorrelationPoint]:
    """The same with their angles before training."""
    data: dict[str, Any] = {}
    for (preset, feedback_angle), each in trials:
        if (name := preset.configuration.data) not in data:
            data[name], _ = preset.configuration.load_data(data_root)
        angles = [initial_angles(one.configuration, *data[name]) for one in each.outcomes]
        yield CorrelationPoint(preset, feedback_angle, each, tuple(angles))


def _degrees(angle: float | None) -> str:
    return "" if angle is None else f"{angle:g}°"


_MARKERS = "osD^vPX*p"
_HOLLOW: dict[str, Any] = {"mfc": "none", "markersize": 8, "markeredgewidth": 1.5}


def _draw_correlation(correlation: Correlation) -> "Figure":
    """Draw errors against angles, one marker per preset; the published points are hollow."""
    figure: Figure = new_figure(figsize=(10, 4.4))
    panels = figure.subplots(1, 2, sharey=True)
    names = dict.fromkeys(point.preset.name for point in correlation.points)
    styles = zip(names, itertools.cycle(PALETTE), itertools.cycle(_MARKERS), strict=False)
    for name, colour, marker in styles:
        points = [point for point in correlation.points if point.preset.name == name]
        for column, ax in enumerate(panels):
            _draw_points(ax, points, column, colour, marker)
        for point in points:
            if point.published_angle is not None and point.published_error is not None:
                angle, percent = point.published_angle, 100 * point.published_error
                panels[1].plot(angle, percent, marker, color=colour, **_HOLLOW)
    panels[1].plot([], [], "o", color="grey", **_HOLLOW, label="hollow: published")
    titles = ("all steps", "without step t = 0, as in the paper's code")
    for ax, title in zip(panels, titles, strict=True):
        scale_errors(ax)
        ax.set_title(title, fontsize="medium")
        ax.margins(x=0.12)
        ax.xaxis.set_major_formatter("{x:g}°")
        ax.set(xlabel="angle of update to gradient before learning", ylabel="test error")
        ax.tick_params(labelleft=True)
        ax.legend(frameon=False, fontsize="small")
    return figure


def _draw_points(
    ax: "Axes", points: Sequence[CorrelationPoint], column: int, colour: str, marker: str
) -> None:
    """Draw a preset: its row of the table, and its feedback angles joined in order."""
    for point in points:
        if point.feedback_angle is None:
            mean = 100 * point.trials.test_error.mean
            label = point.preset.name
            ax.plot(point.angles[column], mean, marker, color=colour, markersize=8, label=label)
        draw_seeds(ax, point.angles[column], point.trials, colour)
    joined = [point for point in points if point.feedback_angle is not None]
    if joined:
        angles = [point.angles[column] for point in joined]
        means = [100 * point.trials.test_error.mean for point in joined]
        first, last = joined[0].feedback_angle, joined[-1].feedback_angle
        label = f"{joined[0].preset.name}, feedback {first:g}° to {last:g}°"
        ax.plot(angles, means, f"{marker}:", color=colour, markersize=4, linewidth=1, label=label)
