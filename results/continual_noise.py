"""Why C-EP is noisier than EP, and what helps: variants of C-EP-1h and C-VF-1h.

    CEP_DATA=<folder of the MNIST files> python results/continual_noise.py RUNS

Trains what is not yet in RUNS (the folder of ``cep reproduce --run-dir``), counts the training
images whose free phase ends in a cycle, and writes continual_noise.md beside this file; metrics and
configurations go to ``runs``.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from collect import copy_run
from numpy.typing import NDArray
from table import markdown

import cep
from cep import checkpoints, datasets, presets
from cep.runs import RunDirectory, RunOutcome

HERE = Path(__file__).resolve().parent
# What is changed of the preset, and the seeds that are trained.
VARIANTS: dict[str, dict[str, tuple[dict[str, Any], tuple[int, ...]]]] = {
    "C-EP-1h": {
        "as published": ({}, (0, 1, 2, 3, 4)),
        "alternating": ({"relaxation": "alternating"}, (0, 1, 2, 3, 4)),
        "nudged-16": ({"nudged_steps": 16}, (0,)),
    },
    "C-VF-1h": {
        "as published": ({}, (0, 1, 2, 3, 4)),
        "alternating": ({"relaxation": "alternating"}, (0, 1, 2, 3, 4)),
    },
}
# A state that changes by more in a step, after all free steps, is not on its way to rest.
CYCLE = 0.1
IMAGES = 20_000
HEADINGS = ("run", "seed", "last test error", "best", "train error", "images in a cycle")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python results/continual_noise.py RUNS")
    runs = Path(sys.argv[1])
    wanted = {
        name: configuration
        for preset, variants in VARIANTS.items()
        for variant, (changes, seeds) in variants.items()
        for name, configuration in named(preset, variant, changes, seeds).items()
    }
    outcomes = cep.run_many(wanted, runs)
    (images, _), _ = datasets.load("mnist")
    rows = []
    for name, outcome in outcomes.items():
        copy_run(outcome)
        rows.append(row(name, outcome, images[:IMAGES]))
        print(*rows[-1], flush=True)
    (HERE / "continual_noise.md").write_text(f"{COMMENT}\n{markdown(HEADINGS, rows)}\n")


def named(
    preset: str, variant: str, changes: dict[str, Any], seeds: Sequence[int]
) -> dict[str, cep.Configuration]:
    folder = preset if variant == "as published" else f"variants/{preset}/{variant}"
    configuration = presets.get(preset).configuration.replace(**changes)
    return {f"{folder}/seed-{seed}": configuration.replace(seed=seed) for seed in seeds}


def row(name: str, outcome: RunOutcome, images: NDArray[Any]) -> list[str]:
    net = checkpoints.load(RunDirectory(outcome.directory).last).make_network()
    folder, _, seed = name.rpartition("/seed-")
    cells = [folder.removeprefix("variants/"), seed]
    if outcome.reason == "diverged":
        cells += [f"diverged in epoch {len(outcome.history) + 1}", "", "", ""]
    else:
        errors = (outcome.test_error, outcome.best_test_error, outcome.train_error)
        cells += [f"{error:.2%}" for error in errors]
        cells.append(str(cycles(net, images, outcome.configuration.free_steps)))
    return cells


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


COMMENT = f"""# Why C-EP is noisier than EP

Written by `python results/continual_noise.py RUNS`. Images in a cycle: of the first {IMAGES:,}
training images, those of which a state still changed by more than {CYCLE} in the step after the
free phase, when training had ended. Metrics are in `runs`.
"""


if __name__ == "__main__":
    main()
