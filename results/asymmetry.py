"""Trains MNIST with fixed feedback at four angles: vector field, exact rule, continual forms.

    nice python results/asymmetry.py --data-root DATA     trains what is missing, then draws
    python results/asymmetry.py --draw                    draws the finished runs

Three seeds, three epochs over the first 15,000 training images, one and two hidden layers of 512
units. Feedback weights keep their initial values, at 0, 90, 135 or 180 degrees to the forward
weights. Runs are kept in runs/asymmetry (ignored by git) and can be resumed. Writes asymmetry.md
beside this file, and docs/figures/asymmetry.svg.
"""

import argparse
import itertools
import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

import cep

ROOT = Path(__file__).resolve().parents[1]
RUNS = ROOT / "runs" / "asymmetry"
SEEDS, ANGLES, EPOCHS, IMAGES = range(3), (0, 90, 135, 180), 3, 15_000
RULES: dict[str, dict[str, Any]] = {
    "VF": {"rule": "ep"},
    "exact": {"rule": "ep", "asymmetry": "exact"},
    "C-VF": {"rule": "c-ep"},
    "exact, continual": {"rule": "c-ep", "asymmetry": "exact"},
}
STYLES = dict(zip(RULES, ("o-#0072B2", "s--#0072B2", "o-#D55E00", "s--#D55E00"), strict=True))
PRESETS = {
    ("ep", 1): "EP-VF-1h",
    ("ep", 2): "EP-VF-2h",
    ("c-ep", 1): "C-VF-1h",
    ("c-ep", 2): "C-VF-2h",
}


def configuration(rule: str, layers: int, angle: int, seed: int) -> cep.Configuration:
    """One run: the hyperparameters of the vector field's preset, with fixed feedback."""
    changes = RULES[rule]
    base = cep.presets.get(PRESETS[changes["rule"], layers]).configuration
    return base.replace(
        **changes,
        feedback_angle=angle,
        feedback_learning_rates=0,
        beta_sign="fixed",
        tolerance=1e-6,
        epochs=EPOCHS,
        test_every_epoch=False,
        seed=seed,
    )


def cases() -> dict[str, cep.Configuration]:
    """All runs by name, seed by seed."""
    grid = itertools.product(SEEDS, (1, 2), ANGLES, RULES)
    return {
        name(rule, layers, angle, seed): configuration(rule, layers, angle, seed)
        for seed, layers, angle, rule in grid
    }


def name(rule: str, layers: int, angle: int, seed: int) -> str:
    """The folder of a run."""
    return f"{rule.replace(', ', '-')}-{layers}h-{angle}-{seed}"


def errors_of(configurations: dict[str, cep.Configuration]) -> dict[str, float]:
    """Test error of each finished run."""
    errors = {}
    for run, configuration in configurations.items():
        if (RUNS / run).exists():
            result = cep.RunDirectory(RUNS / run).result(configuration)
            if result is not None:
                errors[run] = 100 * result.test_error
    return errors


def draw(errors: dict[str, float]) -> None:
    """Write the table and the figure of the finished runs."""
    lines = [
        "# Fixed asymmetric feedback",
        "",
        f"Written by `python results/asymmetry.py`: test error on MNIST in percent after {EPOCHS}",
        f"epochs over {IMAGES:,} training images, mean ± standard deviation of {len(SEEDS)} seeds.",
        "Feedback weights keep their initial values, at the given angle to the forward weights.",
        "",
        "| hidden layers | rule | " + " | ".join(f"{angle}°" for angle in ANGLES) + " |",
        "|---|---|" + "---|" * len(ANGLES),
    ]
    mpl.rcParams["svg.hashsalt"] = "cep"
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for layers, axis in zip((1, 2), axes, strict=True):
        for rule in RULES:
            cells, means, deviations = [], [], []
            for angle in ANGLES:
                runs = [name(rule, layers, angle, seed) for seed in SEEDS]
                values = [errors[run] for run in runs if run in errors]
                mean = statistics.fmean(values) if values else float("nan")
                deviation = statistics.stdev(values) if len(values) > 1 else 0.0
                means.append(mean)
                deviations.append(deviation)
                part = "" if len(values) == len(SEEDS) else f" ({len(values)} of {len(SEEDS)})"
                cells.append(f"{mean:.2f} ± {deviation:.2f}{part}" if values else "–")
            lines.append(f"| {layers} | {rule} | " + " | ".join(cells) + " |")
            axis.errorbar(
                ANGLES,
                means,
                deviations,
                fmt=STYLES[rule][:-7],
                color=STYLES[rule][-7:],
                capsize=2,
                label=rule,
            )
        plural = "layer" if layers == 1 else "layers"
        axis.set(
            title=f"{layers} hidden {plural}",
            xlabel="angle between feedback and forward weights, degrees",
            ylabel="test error, %",
            yscale="log",
            xticks=ANGLES,
        )
        axis.set_yticks([5, 10, 20, 50, 90], labels=["5", "10", "20", "50", "90"])
        axis.minorticks_off()
        axis.legend(fontsize="small")
    (ROOT / "results" / "asymmetry.md").write_text("\n".join(lines) + "\n")
    figure.savefig(ROOT / "docs" / "figures" / "asymmetry.svg", metadata={"Date": None})
    print("\n".join(lines))


def main() -> None:
    """Train missing runs, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", type=Path, help="MNIST's folder")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (default: 1)")
    parser.add_argument("--draw", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    if not arguments.draw:
        (x, y), test = cep.datasets.mnist(arguments.data_root)
        data = {"train": (x[:IMAGES], y[:IMAGES]), "test": test}
        cep.run_many(cases(), RUNS, data=data, jobs=arguments.jobs, progress=False)
    draw(errors_of(cases()))


if __name__ == "__main__":
    main()
