"""Why C-EP is noisier than EP, and what helps: variants of C-EP-1h and C-VF-1h.

    CEP_DATA=<folder of the MNIST files> python results/continual_noise.py RUNS

Trains those that ``runs`` beside this file lacks, in RUNS (or takes what is there: it is the folder
of ``cep reproduce --run-dir``), and counts the training images whose free phase ends in a cycle.
Metrics, configurations and counts go to ``runs``, from which continual_noise.md is written.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from collect import copy_run
from numpy.typing import NDArray
from table import markdown

import cep
from cep import datasets
from cep.experiments import RunDirectory, RunOutcome, checkpoints, presets
from cep.reproduction.series import Series
from cep.reproduction.trials import best_test_error

HERE = Path(__file__).resolve().parent
KEPT = HERE / "runs"
COUNT = "cycles.json"
# What is changed of the preset, and with how many seeds.
VARIANTS: dict[str, dict[str, tuple[dict[str, Any], int]]] = {
    "C-EP-1h": {
        "as published": ({}, 5),
        "alternating": ({"relaxation": "alternating"}, 5),
        "nudged-16": ({"nudged_steps": 16}, 1),
    },
    "C-VF-1h": {
        "as published": ({}, 5),
        "alternating": ({"relaxation": "alternating"}, 5),
    },
}
# A state that changes by more in a step, after all free steps, is not on its way to rest.
CYCLE = 0.1
IMAGES = 20_000
HEADINGS = ("run", "seed", "last test error", "best", "train error", "images in a cycle")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python results/continual_noise.py RUNS")
    series = {
        Series(
            folder_of(preset, variant), presets.get(preset).configuration.replace(**changes)
        ): seeds
        for preset, variants in VARIANTS.items()
        for variant, (changes, seeds) in variants.items()
    }
    missing = {
        name: each.configuration.replace(seed=seed)
        for each, seeds in series.items()
        for seed in range(seeds)
        if not (KEPT / (name := f"{each.folder}/seed-{seed}") / COUNT).exists()
    }
    (images, _), _ = datasets.load("mnist")
    for name, outcome in cep.run_many(missing, sys.argv[1]).items():
        copy_run(outcome)
        count = cycles_of(outcome, images[:IMAGES])
        (KEPT / name / COUNT).write_text(json.dumps({"images_in_a_cycle": count}) + "\n")
    rows = [row(outcome) for each in series for outcome in each.ended(KEPT)]
    (HERE / "continual_noise.md").write_text(f"{COMMENT}\n{markdown(HEADINGS, rows)}\n")


def folder_of(preset: str, variant: str) -> str:
    return preset if variant == "as published" else f"variants/{preset}/{variant}"


def row(outcome: RunOutcome) -> list[str]:
    folder, _, seed = outcome.name.rpartition("/seed-")
    cells = [folder.removeprefix("variants/"), seed]
    if outcome.reason == "diverged":
        return [*cells, f"diverged in epoch {len(outcome.history) + 1}", "", "", ""]
    errors = (outcome.test_error, best_test_error(outcome), outcome.train_error)
    count = json.loads((KEPT / outcome.name / COUNT).read_text())["images_in_a_cycle"]
    return [*cells, *(f"{error:.2%}" for error in errors), str(count)]


def cycles_of(outcome: RunOutcome, images: NDArray[Any]) -> int | None:
    """How many images a run's network leaves in a cycle; None for one that diverged."""
    if outcome.reason == "diverged":
        return None
    net = checkpoints.load(RunDirectory(outcome.directory).last).make_network()
    return cycles(net, images, outcome.configuration.free_steps)


def cycles(net: cep.Network, images: NDArray[Any], steps: int) -> int:
    """How many images still move as a whole when the free phase has ended."""
    count = 0
    for start in range(0, len(images), 5000):
        batch = images[start : start + 5000]
        net.free_phase(batch, steps)
        before = [np.array(state) for state in net.states[1:]]
        net.free_phase(batch, 1, reset=False)
        moved = zip(before, net.states[1:], strict=True)
        change = [np.abs(late - early).max(axis=1) for early, late in moved]
        count += int((np.max(change, axis=0) > CYCLE).sum())
    return count


COMMENT = f"""# Why C-EP fluctuates more than EP

Written by `python results/continual_noise.py RUNS`. The last column counts images in a cycle.
These are images of the first {IMAGES:,} training images for which the step after the free phase
still changed a state by more than {CYCLE}, after training. Metrics are in `runs`.
"""


if __name__ == "__main__":
    main()
