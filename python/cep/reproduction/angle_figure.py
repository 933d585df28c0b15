"""Fig. 4: the error after learning against the initial angle between feedback and forward weights.

The weights have this angle only before training: both of them learn.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cep._util import validation
from cep._util.tables import table
from cep.experiments import RunOutcome
from cep.experiments.presets import Preset
from cep.plotting.plots import BLUE, VERMILION, new_figure
from cep.reproduction import report
from cep.reproduction.drawing import draw_seeds, scale_errors
from cep.reproduction.published import FEEDBACK_ANGLES, error_at_angle
from cep.reproduction.rows import preset_of
from cep.reproduction.series import at_angle, has_angles
from cep.reproduction.training import train
from cep.reproduction.trials import Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

HEADINGS = (
    "angle", "seeds", "epochs", "test error", "published", "best epoch", "train error", "failed",
)  # fmt: skip


@dataclass(frozen=True)
class AngleSweep:
    """A preset trained from several feedback angles: ``print(sweep)``, ``sweep.plot()``."""

    preset: Preset
    trials: Mapping[float, Trials]
    """The trials by the initial angle in degrees."""

    @property
    def stem(self) -> str:
        """The name of this figure's files."""
        return f"angles-{self.preset.name.replace(' ', '-')}"

    def rows(self) -> list[list[str]]:
        """The cells under `HEADINGS`, a row for each angle."""
        return [
            [
                f"{angle:g}°",
                str(len(trials.outcomes)),
                report.epochs(trials, self.preset),
                str(trials.test_error),
                report.percent(error_at_angle(self.preset.name, angle)),
                str(trials.best_test_error),
                str(trials.train_error),
                report.failures(trials),
            ]
            for angle, trials in self.trials.items()
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
                    "published_test_error": error_at_angle(self.preset.name, angle),
                    **trials.to_dict(),
                }
                for angle, trials in self.trials.items()
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


def angles(
    preset: str | Preset = "C-VF-1h",
    seeds: int = 1,
    directory: str | os.PathLike[str] = "runs",
    *,
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
    runs = {angle: at_angle(chosen, angle, epochs).runs(seeds) for angle in FEEDBACK_ANGLES}
    outcomes = train(
        {name: each for named in runs.values() for name, each in named.items()},
        directory,
        jobs=jobs,
        data_root=data_root,
        progress=progress,
        on_run_end=on_run_end,
    )
    return AngleSweep(
        chosen,
        {angle: Trials(tuple(outcomes[name] for name in named)) for angle, named in runs.items()},
    )


def read_angles(preset: str | Preset, directory: str | os.PathLike[str]) -> AngleSweep:
    """The results of finished runs of `angles`, for each angle that has some.

    Raises
    ------
    ValueError
        If a run has another configuration, or a file is damaged.
    """
    chosen = preset_of(preset)
    trials = {
        angle: Trials(tuple(at_angle(chosen, angle).ended(Path(directory))))
        for angle in FEEDBACK_ANGLES
    }
    return AngleSweep(chosen, {angle: each for angle, each in trials.items() if each.outcomes})


def check_has_angles(preset: Preset) -> None:
    """Raise a ValueError if feedback is tied, because it has no angle."""
    if not has_angles(preset):
        raise ValueError(
            f"{preset.name} has tied feedback, without an angle to the forward weights; expected a "
            "preset with untied feedback, such as C-VF-1h"
        )


def _draw_angles(sweep: AngleSweep) -> "Figure":
    """Draw errors against angles: means, every seed and the published errors."""
    figure: Figure = new_figure(figsize=(5.6, 3.8))
    ax = figure.subplots()
    published = [error_at_angle(sweep.preset.name, angle) for angle in FEEDBACK_ANGLES]
    percents = [100 * error for error in published if error is not None]
    if percents:
        ax.plot(FEEDBACK_ANGLES, percents, "s--", color=VERMILION, mfc="none", label="published")
    means = [100 * trials.test_error.mean for trials in sweep.trials.values()]
    epochs = {report.epochs(trials, sweep.preset) for trials in sweep.trials.values()}
    label = f"cep, {' and '.join(sorted(epochs))} epochs"
    ax.plot(list(sweep.trials), means, "o-", color=BLUE, label=label)
    for angle, trials in sweep.trials.items():
        draw_seeds(ax, angle, trials, BLUE)
    scale_errors(ax)
    ax.set_ylabel("test error after learning")
    ax.set_xlabel("angle between feedback and forward weights before learning")
    ax.set_xticks(FEEDBACK_ANGLES, [f"{angle:g}°" for angle in FEEDBACK_ANGLES])
    ax.set_title(sweep.preset.name)
    ax.margins(x=0.08)
    ax.legend(frameon=False, loc="center left")
    return figure
