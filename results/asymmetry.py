"""Trains MNIST with fixed feedback at four angles: vector field, exact rule, continual forms.

    nice python results/asymmetry.py --data-root DATA     trains what is missing, then draws
    python results/asymmetry.py --draw                    draws what is there

Three seeds, three epochs, one and two hidden layers of 512 units, feedback weights held as drawn at
0, 90, 135 and 180 degrees to the forward weights. Runs are kept in runs/asymmetry (ignored by git),
and one that was stopped goes on. Writes asymmetry.md beside this file, and figures/asymmetry.png.
"""

import argparse
import itertools
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt

import cep

HERE = Path(__file__).resolve().parent
RUNS = HERE.parent / "runs" / "asymmetry"
SEEDS, ANGLES, EPOCHS = range(3), (0, 90, 135, 180), 3
RULES: dict[str, dict[str, Any]] = {
    "VF": {"rule": "ep"},
    "exact": {"rule": "ep", "asymmetry": "exact"},
    "C-VF": {"rule": "c-ep"},
    "exact, continual": {"rule": "c-ep", "asymmetry": "exact"},
}
PRESETS = {
    ("ep", 1): "EP-VF-1h",
    ("ep", 2): "EP-VF-2h",
    ("c-ep", 1): "C-VF-1h",
    ("c-ep", 2): "C-VF-2h",
}


def configuration(rule: str, layers: int, angle: int, seed: int) -> cep.Configuration:
    """One run: the published hyperparameters of the vector field, with feedback held."""
    changes = RULES[rule]
    base = cep.presets.get(PRESETS[changes["rule"], layers]).configuration
    return base.replace(
        **changes,
        feedback_angle=angle,
        feedback_learning_rates=0,
        beta_sign="fixed",
        epochs=EPOCHS,
        seed=seed,
    )


def cases() -> list[tuple[str, int, int, int]]:
    """Layers, seeds, angles, rules: what is cheap and says most comes first."""
    grid = itertools.product((1, 2), SEEDS, reversed(ANGLES), RULES)
    return [(rule, layers, angle, seed) for layers, seed, angle, rule in grid]


def folder(case: tuple[str, int, int, int]) -> Path:
    """Where a run is kept."""
    rule, layers, angle, seed = case
    return RUNS / f"{rule.replace(', ', '-')}-{layers}h-{angle}-{seed}"


def error(case: tuple[str, int, int, int]) -> float | None:
    """Test error of a run that has ended; None where it has not."""
    try:
        history = cep.RunDirectory(folder(case)).result(configuration(*case))
    except (OSError, ValueError):
        return None
    return None if history is None else history.test_error


def draw() -> None:
    """Table and figure of the runs that have ended."""
    errors = {case: error(case) for case in cases()}
    lines = [
        "# Fixed asymmetric feedback",
        "",
        "Written by `python results/asymmetry.py`: test error on MNIST after",
        f"{EPOCHS} epochs, mean of the seeds that have ended (in brackets how many).",
        "",
        "| hidden layers | rule | " + " | ".join(f"{angle}°" for angle in ANGLES) + " |",
        "|---|---|" + "---|" * len(ANGLES),
    ]
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    for layers, axis in zip((1, 2), axes, strict=True):
        for rule in RULES:
            means, cells = [], []
            for angle in ANGLES:
                found = [errors[rule, layers, angle, seed] for seed in SEEDS]
                values = [value for value in found if value is not None]
                means.append(100 * sum(values) / len(values) if values else float("nan"))
                cells.append(f"{means[-1]:.2f} % ({len(values)})" if values else "–")
            lines.append(f"| {layers} | {rule} | " + " | ".join(cells) + " |")
            axis.plot(ANGLES, means, marker="o", label=rule)
        axis.set(title=f"{layers} hidden", xlabel="feedback angle, degrees", xticks=ANGLES)
    axes[0].set(ylabel="test error, %", yscale="log")
    axes[1].legend()
    (HERE / "asymmetry.md").write_text("\n".join(lines) + "\n")
    figure.savefig(HERE / "figures" / "asymmetry.png", dpi=150)
    print("\n".join(lines))


def main() -> None:
    """Train what is missing, and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-root", type=Path, help="MNIST's folder")
    parser.add_argument("--draw", action="store_true", help="train nothing")
    arguments = parser.parse_args()
    if not arguments.draw:
        data = cep.datasets.mnist(arguments.data_root)
        for case in cases():
            result = cep.run(
                configuration(*case), folder(case), data=data, resume=True, progress=False
            )
            print(case, f"{result.test_error:.2%}", flush=True)
    draw()


if __name__ == "__main__":
    main()
