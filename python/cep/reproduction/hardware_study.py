"""The study of imperfect hardware: four questions about EP, C-EP and C-VF.

1. At which size of a step (dw_min) does a rule stop learning, with which rounding?
2. What do asymmetry (up_down) and soft bounds do?
3. At which level does state noise or read noise stop it?
4. What does a sample cost: pulses, writes, memory between the phases?
"""

import dataclasses
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cep._util import validation
from cep._util.tables import table
from cep.experiments import presets
from cep.experiments.configuration import Configuration
from cep.experiments.data import Splits
from cep.experiments.result import RunOutcome
from cep.hardware import plots
from cep.hardware.counting import Counts, count
from cep.plotting.plots import new_figure
from cep.reproduction.training import train
from cep.reproduction.trials import Trials

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Point = tuple[str, str, float]
"""Panel, line and value."""

_STEP_SIZES = tuple(2.0**-k for k in range(4, 19, 2))
_ASYMMETRIES = (0.0, 0.1, 0.2, 0.4, 0.8)
_NOISES = (0.01, 0.03, 0.1, 0.3)
_READS = (0.003, 0.01, 0.03, 0.1, 0.3)

# Panels: what is swept, and the title.
PANELS = {
    "nearest": ("dw_min", "1. step size, rounded to the nearest pulse"),
    "stochastic": ("dw_min", "1. step size, rounded stochastically"),
    "up_down": ("up_down", "2. asymmetry of steps, dw_min = 0.001"),
    "soft_bounds": ("dw_min", "2. soft bounds, w in ±1"),
    "state_noise": ("state_noise", "3. noise of states"),
    "read_noise": ("read_noise", "3. noise of reads, at each step"),
}


@dataclass(frozen=True)
class HardwareStudy:
    """Errors for each question: ``print(study)``, ``study.plot()``."""

    data: str
    """The name of the data, with the number of training samples if only a part is used."""
    trials: Mapping[Point, Trials]
    counts: Mapping[str, Counts]
    """The counts of one epoch with the ECRAM preset, by rule."""

    @property
    def stem(self) -> str:
        """The name of the files of this figure."""
        return f"hardware-{self.data}"

    def errors(self, panel: str) -> dict[str, dict[float, list[float]]]:
        """Test errors of each seed: by line, then by value. Runs that diverged count as 1."""
        found: dict[str, dict[float, list[float]]] = {}
        for (name, line, value), trials in self.trials.items():
            if name == panel:
                errors = [
                    1.0 if each.stop_reason == "diverged" else each.test_error
                    for each in trials.outcomes
                ]
                found.setdefault(line, {})[value] = errors
        return found

    def rows(self) -> list[list[str]]:
        """Panel, line, value, seeds and test error of each point."""
        return [
            [panel, line, f"{value:.3g}", str(len(trials.outcomes)), str(trials.test_error)]
            for (panel, line, value), trials in self.trials.items()
        ]

    def __str__(self) -> str:
        headings = ("panel", "rule", "value", "seeds", "test error")
        names = list(next(iter(self.counts.values())).per_sample())
        costs = [
            [name, *(f"{counts.per_sample()[name]:,.1f}" for counts in self.counts.values())]
            for name in names
        ]
        return (
            f"imperfect hardware, {self.data}\n{table(headings, self.rows())}\n\n"
            f"for one sample, with ECRAM synapses\n{table(('', *self.counts), costs)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """The numbers drawn, and all seeds behind them, as JSON values."""
        return {
            "data": self.data,
            "points": [
                {"panel": panel, "line": line, "value": value, **trials.to_dict()}
                for (panel, line, value), trials in self.trials.items()
            ],
            "counts": {name: dataclasses.asdict(counts) for name, counts in self.counts.items()},
        }

    def plot(self) -> "Figure":
        """Draw the figure, with one panel per question.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        names = list(dict.fromkeys(panel for panel, _, _ in self.trials))
        rows, columns = -(-len(names) // 2), min(len(names), 2)
        figure: Figure = new_figure(figsize=(6 * columns, 10 / 3 * rows))
        for k, name in enumerate(names):
            label, title = PANELS[name]
            plots.plot_errors(
                self.errors(name), label, figure.add_subplot(rows, columns, k + 1), title
            )
        return figure


def hardware(
    data: str = "digits",
    seeds: int = 3,
    directory: str | os.PathLike[str] = "runs",
    *,
    panels: Iterable[str] = PANELS,
    samples: int | None = None,
    epochs: int | None = None,
    jobs: int | None = None,
    data_root: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_run_end: Callable[[RunOutcome], object] | None = None,
) -> HardwareStudy:
    """Train with imperfect synapses, neurons and reads: `PANELS`, and a table of the cost.

    Parameters
    ----------
    data : {"digits", "mnist", "fashion_mnist", "kmnist"}
        What is learned: the digits in half an hour on two processors, the others in days.
    seeds : int
        At each point, the runs have seeds 0 … seeds − 1.
    directory : path
        Each run is kept in ``directory/hardware/digits/nearest/EP/0.0625/seed-0`` and so on.
    panels : iterable of str
        Some of `PANELS`; default: all.
    samples : int, optional
        Learn only the first of the training samples, and test the first of the test samples, a
        fifth as many, with the hidden layer, steps and learning rates of the digits. Runs are kept
        in ``directory/hardware/mnist-10000`` then. Default: all.
    epochs : int, optional
        Default: 8 for the digits, 5 for the others.
    jobs, data_root, progress, on_run_end
        As for `cep.run_many`.

    Returns
    -------
    HardwareStudy

    Raises
    ------
    TypeError, ValueError, FileNotFoundError, ImportError, KeyboardInterrupt
        As for `cep.reproduce`.
    """
    validation.choice("data", data, ("digits", "mnist", "fashion_mnist", "kmnist"))
    seeds = validation.count("seeds", seeds)
    chosen = [validation.choice("panel", name, PANELS) for name in panels]
    epochs = (8 if data == "digits" else 5) if epochs is None else epochs
    rules = _rules(data)
    if samples is not None:
        # The learning rates of the other data are for many more batches.
        rules = {name: each.replace(data=data) for name, each in _rules("digits").items()}
    points = {point: each for point, each in _points(rules, epochs) if point[0] in chosen}
    if not points:
        raise ValueError(f"panels is empty; expected some of {', '.join(PANELS)}")
    title, splits = data, None
    if samples is not None:
        title = f"{data}-{validation.count('samples', samples)}"
        splits = _first(samples, data, data_root)
    names = {
        (point, seed): f"hardware/{title}/{point[0]}/{point[1]}/{point[2]:g}/seed-{seed}"
        for point in points
        for seed in range(seeds)
    }
    outcomes = train(
        {name: points[point].replace(seed=seed) for (point, seed), name in names.items()},
        directory,
        data=splits,
        jobs=jobs,
        data_root=data_root,
        progress=progress,
        on_run_end=on_run_end,
    )
    trials = {
        point: Trials(tuple(outcomes[names[point, seed]] for seed in range(seeds)))
        for point in points
    }
    return HardwareStudy(title, trials, _counts(rules, data_root))


def _first(samples: int, data: str, data_root: str | os.PathLike[str] | None) -> Splits:
    root = None if data_root is None else Path(data_root)
    (x, y), (x_test, y_test) = _rules(data)["EP"].load_data(root)
    if samples > len(x):
        raise ValueError(f"samples must be at most the {len(x)} of {data}, got {samples}")
    tested = -(-samples // 5)
    return Splits((x[:samples], y[:samples]), test=(x_test[:tested], y_test[:tested]))


_C_EP_DIGITS = Configuration(
    relaxation="synchronous",
    rule="c-ep",
    learning_rates=(0.03, 0.008),
    free_steps=50,
    nudged_steps=10,
    beta=0.5,
    beta_sign="fixed",
)
_EP_DIGITS = _C_EP_DIGITS.replace(rule="ep", free_steps=30, learning_rates=(0.1, 0.05))


def _rules(data: str) -> dict[str, Configuration]:
    if data == "digits":
        ep, c_ep = _EP_DIGITS, _C_EP_DIGITS
    else:
        ep, c_ep = (presets.defaults(data, rule) for rule in ("ep", "c-ep"))
    return {"EP": ep, "C-EP": c_ep, "C-VF": c_ep.replace(feedback="untied")}


def _points(
    rules: Mapping[str, Configuration], epochs: int
) -> Iterator[tuple[Point, Configuration]]:
    fixed: dict[str, Any] = {"epochs": epochs, "validation_fraction": 0, "test_every_epoch": False}
    rules = {name: each.replace(**fixed) for name, each in rules.items()}
    tied = {name: rules[name] for name in ("EP", "C-EP")}
    for name, base in tied.items():
        for size in _STEP_SIZES:
            for rounding in ("nearest", "stochastic"):
                word = f"constant_step:dw_min={size}:rounding={rounding}"
                yield (rounding, name, size), base.replace(synapses=word)
    for name, base in rules.items():
        for value in _ASYMMETRIES:
            word = f"constant_step:dw_min=0.001:up_down={value}"
            yield ("up_down", name, value), base.replace(synapses=word)
        for size in _STEP_SIZES:
            word = f"soft_bounds:dw_min={size}"
            yield ("soft_bounds", name, size), base.replace(synapses=word)
    for name, base in tied.items():
        for value in _NOISES:
            yield ("state_noise", name, value), base.replace(state_noise=value)
        for value in _READS:
            yield ("read_noise", name, value), base.replace(read_noise=value)


def _counts(
    rules: Mapping[str, Configuration], data_root: str | os.PathLike[str] | None
) -> dict[str, Counts]:
    root = None if data_root is None else Path(data_root)
    counts = {}
    for name, configuration in rules.items():
        (x, y), _ = configuration.load_data(root)
        some = (x[:1000], y[:1000])
        net = configuration.replace(synapses="ecram").make_network()
        counts[name] = count(net, configuration.make_rule(), some, configuration.batch_size)
    return counts
