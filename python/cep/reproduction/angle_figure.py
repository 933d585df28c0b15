"""Fig. 4: the error after learning against the initial angle between feedback and forward weights.

The weights have this angle only before training: both of them learn, unless the feedback is fixed.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cep._util import validation
from cep._util.tables import table
from cep.experiments import RunDirectory, RunOutcome
from cep.experiments.presets import Preset
from cep.plotting.plots import BLUE, PALETTE, VERMILION, new_figure
from cep.reproduction import report
from cep.reproduction.drawing import draw_seeds, scale_errors
from cep.reproduction.published import FEEDBACK_ANGLES, error_at_angle
from cep.reproduction.rows import preset_of
from cep.reproduction.series import at_angle, has_angles
from cep.reproduction.training import train
from cep.reproduction.trials import Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEADINGS = (
    "angle", "feedback", "seeds", "epochs", "test error", "published", "best epoch", "train error",
    "failed",
)  # fmt: skip
GREEN = PALETTE[2]


@dataclass(frozen=True)
class AngleSweep:
    """A preset trained from several feedback angles: ``print(sweep)``, ``sweep.plot()``."""

    preset: Preset
    trials: Mapping[float, Trials]
    """The trials by the initial angle in degrees."""
    fixed: Mapping[float, Trials] = field(default_factory=dict)
    """The trials with fixed feedback weights; empty if none were trained."""

    @property
    def stem(self) -> str:
        """The name of this figure's files."""
        return f"angles-{self.preset.name.replace(' ', '-')}"

    def rows(self) -> list[list[str]]:
        """The cells under `HEADINGS`, a row for each angle."""
        return [
            [
                f"{angle:g}°",
                feedback,
                str(len(trials.outcomes)),
                report.epochs(trials, self.preset),
                str(trials.test_error),
                report.percent(error_at_angle(self.preset.name, angle)),
                str(trials.best_test_error),
                str(trials.train_error),
                report.failures(trials),
            ]
            for feedback, curve in self._curves().items()
            for angle, trials in curve.items()
        ]

    def __str__(self) -> str:
        title = f"{self.preset.name}: error against the initial feedback angle"
        return f"{title}\n{table(HEADINGS, self.rows())}"

    def to_dict(self) -> dict[str, Any]:
        """The numbers drawn, and all seeds behind them, as JSON values."""
        return {
            "preset": self.preset.name,
            "angles": [
                {
                    "feedback_angle": angle,
                    "feedback": feedback,
                    "published_test_error": error_at_angle(self.preset.name, angle),
                    "angle_before_each_epoch": feedback_angles(trials.outcomes[0]),
                    **trials.to_dict(),
                }
                for feedback, curve in self._curves().items()
                for angle, trials in curve.items()
            ],
        }

    def plot(self) -> "Figure":
        """Draw the figure.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        return _draw_angles(self)

    def _curves(self) -> dict[str, Mapping[float, Trials]]:
        return {"learned": self.trials, "fixed": self.fixed}


def feedback_angles(outcome: RunOutcome) -> list[float]:
    """Degrees before each epoch, mean over the connections; empty if they were not recorded."""
    records = RunDirectory(outcome.directory).records()
    return [sum(each["feedback_angles"]) / len(each["feedback_angles"]) for each in records]


def angles(
    preset: str | Preset = "C-VF-1h",
    seeds: int = 1,
    directory: str | os.PathLike[str] = "runs",
    *,
    fixed_feedback: bool = False,
    epochs: int | None = None,
    jobs: int | None = None,
    data_root: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_run_end: Callable[[RunOutcome], object] | None = None,
) -> AngleSweep:
    """Train a preset from each of the nine feedback angles of Fig. 4.

    Parameters
    ----------
    preset : str or Preset
        A preset with untied feedback: "C-VF-1h" or "C-VF-2h" as in the paper.
    seeds : int
        Each angle has runs with seeds 0 … seeds − 1.
    directory : path
        Each run is stored in ``directory/angles/C-VF-1h/angle-22.5/seed-0`` and so on.
    fixed_feedback : bool
        Whether the preset is also trained with feedback weights that do not learn.
    epochs : int, optional
        Default: the published number.
    jobs, data_root, progress, on_run_end
        As for `cep.run_many`.

    Returns
    -------
    AngleSweep

    Raises
    ------
    TypeError, ValueError, FileNotFoundError, ImportError, KeyboardInterrupt
        As for `cep.reproduce`; ValueError also for a preset with tied feedback.
    """
    chosen, seeds = preset_of(preset), validation.count("seeds", seeds)
    check_has_angles(chosen)
    variants = [chosen, chosen.with_fixed_feedback()] if fixed_feedback else [chosen]
    runs = [
        {angle: at_angle(each, angle, epochs).runs(seeds) for angle in FEEDBACK_ANGLES}
        for each in variants
    ]
    outcomes = train(
        {name: each for curve in runs for named in curve.values() for name, each in named.items()},
        directory,
        jobs=jobs,
        data_root=data_root,
        progress=progress,
        on_run_end=on_run_end,
    )
    curves = [
        {angle: Trials(tuple(outcomes[name] for name in named)) for angle, named in curve.items()}
        for curve in runs
    ]
    return AngleSweep(chosen, *curves)


def read_angles(preset: str | Preset, directory: str | os.PathLike[str]) -> AngleSweep:
    """The results of finished runs of `angles`, for each angle that has some.

    Raises
    ------
    ValueError
        For a preset with tied feedback, or if a run has another configuration or a file is damaged.
    """
    chosen = preset_of(preset)
    check_has_angles(chosen)
    curves = [
        {
            angle: Trials(tuple(ended))
            for angle in FEEDBACK_ANGLES
            if (ended := at_angle(variant, angle).ended(Path(directory)))
        }
        for variant in (chosen, chosen.with_fixed_feedback())
    ]
    return AngleSweep(chosen, *curves)


def check_has_angles(preset: Preset) -> None:
    """Raise a ValueError if feedback is tied, because it has no angle."""
    if not has_angles(preset):
        raise ValueError(
            f"{preset.name} has tied feedback, without an angle to the forward weights; expected a "
            "preset with untied feedback, such as C-VF-1h"
        )


def _draw_angles(sweep: AngleSweep) -> "Figure":
    """Draw errors against initial angles, and next to it the angles during training."""
    figure: Figure = new_figure(figsize=(10, 4.2))
    errors, turning = figure.subplots(1, 2)
    _draw_errors(errors, sweep)
    _draw_turning(turning, sweep)
    figure.suptitle(sweep.preset.name)
    return figure


def _draw_errors(ax: "Axes", sweep: AngleSweep) -> None:
    """Draw means, every seed and the published errors."""
    published = [error_at_angle(sweep.preset.name, angle) for angle in FEEDBACK_ANGLES]
    percents = [100 * error for error in published if error is not None]
    if percents:
        ax.plot(FEEDBACK_ANGLES, percents, "s--", color=VERMILION, mfc="none", label="published")
    for (feedback, curve), style in zip(sweep._curves().items(), _STYLES, strict=True):
        if not curve:
            continue
        means = [100 * trials.test_error.mean for trials in curve.values()]
        epochs = {report.epochs(trials, sweep.preset) for trials in curve.values()}
        label = f"feedback {feedback}, {' and '.join(sorted(epochs))} epochs"
        ax.plot(list(curve), means, **style, label=label)
        for angle, trials in curve.items():
            draw_seeds(ax, angle, trials, style["color"])
    scale_errors(ax)
    ax.set_ylabel("test error after learning")
    ax.set_xlabel("angle between feedback and forward weights before learning")
    ax.set_xticks(FEEDBACK_ANGLES, [f"{angle:g}°" for angle in FEEDBACK_ANGLES], fontsize="small")
    ax.margins(x=0.08)
    ax.legend(frameon=False, loc="center left", fontsize="small")


def _draw_turning(ax: "Axes", sweep: AngleSweep) -> None:
    """Draw the feedback angle of the first seed of each run during training."""
    turned, is_below = 0, True
    for (feedback, curve), style in zip(sweep._curves().items(), _STYLES, strict=True):
        for trials in curve.values():
            degrees = feedback_angles(trials.outcomes[0])
            ax.plot(degrees, color=style["color"], linewidth=1)
            if feedback == "learned" and degrees:
                beyond = [epoch for epoch, angle in enumerate(degrees) if angle >= 90]
                turned = max([turned, *(epoch + 1 for epoch in beyond)])
                is_below &= degrees[-1] < 90
        if curve:
            ax.plot([], [], color=style["color"], label=f"feedback {feedback}")
    ax.axhline(90, color="grey", linewidth=0.8, linestyle=":")
    ax.set(xlabel="epochs of training", ylabel="angle between feedback and forward weights")
    ax.set_xscale("symlog", linthresh=10)
    ax.set_xticks(ticks := (0, 2, 4, 6, 8, 10, 20, 50, 100), [str(tick) for tick in ticks])
    ax.yaxis.set_major_formatter("{x:g}°")
    if turned and is_below:
        ax.set_title(f"learned feedback is below 90° after {turned} epochs", fontsize="medium")
    ax.legend(frameon=False, fontsize="small")


_STYLES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "marker": "o", "linestyle": "-"},
    {"color": GREEN, "marker": "^", "linestyle": "-"},
)
