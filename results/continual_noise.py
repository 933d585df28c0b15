"""Why C-EP is noisier than EP, and what helps: variants of C-EP-1h and C-VF-1h.

    CEP_DATA=<folder of the MNIST files> python results/continual_noise.py RUNS

Trains the runs that are missing in ``runs`` beside this file, in RUNS (the folder of ``cep
reproduce --run-dir``), and counts the training images whose free phase ends in a cycle. Adds
configurations, metrics and counts to ``runs``, and writes continual_noise.md.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from packed_runs import pack, unpack
from table import markdown

import cep
from cep import datasets
from cep.experiments import RunDirectory, RunOutcome, checkpoints, presets
from cep.reproduction.series import Series, row
from cep.reproduction.trials import best_test_error

HERE = Path(__file__).resolve().parent
COUNT = "cycles.json"
NUDGED_16 = presets.get("C-EP-1h").configuration.replace(nudged_steps=16)
# With how many seeds.
SERIES = {
    row(presets.get("C-EP-1h")): 5,
    row(presets.get("C-EP-1h-alternating")): 5,
    Series("variants/C-EP-1h/nudged-16", NUDGED_16): 1,
    row(presets.get("C-VF-1h")): 5,
    row(presets.get("C-VF-1h-alternating")): 5,
}
# A state that changes by more in a step, after all free steps, does not converge.
CYCLE = 0.1
IMAGES = 20_000
HEADINGS = ("run", "seed", "last test error", "best", "train error", "images in a cycle")


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit("usage: python results/continual_noise.py RUNS")
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder)
        unpack(kept)
        runs = {name: each for series, n in SERIES.items() for name, each in series.runs(n).items()}
        missing = {name: each for name, each in runs.items() if not (kept / name / COUNT).exists()}
        if missing:
            train(missing, Path(sys.argv[1]))
            unpack(kept)
        rows = [cells(kept, outcome) for series in SERIES for outcome in series.ended(kept)]
    (HERE / "continual_noise.md").write_text(f"{COMMENT}\n{markdown(HEADINGS, rows)}\n")


def train(missing: dict[str, cep.Configuration], place: Path) -> None:
    """Train runs, count cycles, and pack both."""
    (images, _), _ = datasets.load("mnist")
    for name, outcome in cep.run_many(missing, place).items():
        count = cycles_of(outcome, images[:IMAGES])
        (place / name / COUNT).write_text(json.dumps({"images_in_a_cycle": count}) + "\n")
    pack(place, missing)


def cells(kept: Path, outcome: RunOutcome) -> list[str]:
    folder, _, seed = outcome.name.rpartition("/seed-")
    found = [folder.removeprefix("variants/"), seed]
    if outcome.stop_reason == "diverged":
        return [*found, f"diverged in epoch {len(outcome.history) + 1}", "", "", ""]
    errors = (outcome.test_error, best_test_error(outcome), outcome.train_error)
    count = json.loads((kept / outcome.name / COUNT).read_text())["images_in_a_cycle"]
    return [*found, *(f"{error:.2%}" for error in errors), str(count)]


def cycles_of(outcome: RunOutcome, images: NDArray[Any]) -> int | None:
    """How many images a run's network leaves in a cycle; None for one that diverged."""
    if outcome.stop_reason == "diverged":
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
