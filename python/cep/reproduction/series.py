"""Series: a configuration trained with several seeds, and the directories of its runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cep.experiments import RunDirectory, RunOutcome, presets
from cep.experiments.configuration import Configuration
from cep.experiments.presets import Preset
from cep.reproduction.published import FEEDBACK_ANGLES

_FREE = ("epochs", "diagnostics_every", "diagnostics_kinds")
# A record of the feedback angles before each epoch: there are fewer batches than this in an epoch.
_RECORDS = {"diagnostics_every": 1_000_000, "diagnostics_kinds": ("feedback_angles",)}


@dataclass(frozen=True)
class Series:
    """Runs that differ only in their seed."""

    folder: str
    """Below the directory of all runs; contains the runs ``seed-0``, ``seed-1`` and so on."""
    configuration: Configuration
    """The configuration of the run with seed 0."""

    def runs(self, seeds: int) -> dict[str, Configuration]:
        """The runs of seeds 0 … seeds − 1, by name: the path below the directory of all runs."""
        return {
            f"{self.folder}/seed-{seed}": self.configuration.replace(seed=seed)
            for seed in range(seeds)
        }

    def found(self, directory: Path) -> dict[str, Configuration]:
        """The existing runs, with any number of epochs and any records, by name.

        Raises
        ------
        ValueError
            If one has another configuration, or is damaged.
        """
        present = {}
        for path in directory.glob(f"{self.folder}/seed-*"):
            place, seed = RunDirectory(path), path.name.removeprefix("seed-")
            if place.holds_a_run() and seed.isdecimal():
                configuration = place.configuration()
                # A run that is longer or makes records learns the same in each epoch.
                as_found = {name: getattr(configuration, name) for name in _FREE}
                place.check_same(self.configuration.replace(seed=int(seed), **as_found))
                present[int(seed)] = configuration
        return {f"{self.folder}/seed-{seed}": present[seed] for seed in sorted(present)}

    def ended(self, directory: Path) -> list[RunOutcome]:
        """The outcomes of the existing runs that have finished.

        Raises
        ------
        ValueError
            As for `found`.
        """
        outcomes = []
        for name, configuration in self.found(directory).items():
            place = RunDirectory(directory / name)
            if (ending := place.ending(configuration)) is not None:
                outcomes.append(RunOutcome(name, configuration, place.path, *ending[:5]))
        return outcomes


def row(preset: Preset, epochs: int | None = None) -> Series:
    """A row of the paper's table, by default with the published number of epochs."""
    return Series(preset.name.replace(" ", "-"), _shortened(preset.configuration, epochs))


def at_angle(preset: Preset, angle: float, epochs: int | None = None) -> Series:
    """The same with an initial angle between forward and feedback weights, in degrees.

    The angles are recorded before each epoch.
    """
    configuration = preset.configuration.replace(feedback_angle=angle, **_RECORDS)
    folder = f"angles/{row(preset).folder}/angle-{angle:g}"
    return Series(folder, _shortened(configuration, epochs))


def all_series() -> Iterator[Series]:
    """Every series that `cep reproduce` trains."""
    for preset in presets.PRESETS.values():
        for each in (preset, preset.with_bptt()):
            yield row(each)
            if has_angles(each):
                for variant in (each, each.with_fixed_feedback()):
                    yield from (at_angle(variant, angle) for angle in FEEDBACK_ANGLES)


def has_angles(preset: Preset) -> bool:
    """Whether a preset has feedback weights with an angle to the forward ones."""
    return preset.configuration.feedback == "untied"


def _shortened(configuration: Configuration, epochs: int | None) -> Configuration:
    return configuration if epochs is None else configuration.replace(epochs=epochs)
