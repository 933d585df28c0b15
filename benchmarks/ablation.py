"""Measure the gain of each fast path: times of the published rows without it, one at a time.

    python benchmarks/ablation.py [--rounds 3] [--threads 2] [--rows C-EP-1h,EP-2h]

Every measurement runs in its own process, because the engine reads CEP_WITHOUT once. Rounds are
interleaved. The table has medians, and the ratios to the time with all fast paths.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

from rows import ROWS

FAST_PATHS = ("", "packed-weights", "samples-at-rest", "continual-updates", "updates-in-place")


def measure(names: list[str]) -> dict[str, float]:
    """Milliseconds per batch of each row, in this process."""
    import numpy as np

    import cep

    random = np.random.default_rng(0)
    result = {}
    for row in (row for row in ROWS if row.name in names):
        feedback = "untied" if row.untied else "tied"
        net = cep.Network(row.sizes, feedback=feedback, seed=0)
        kind = cep.CEP if row.continual else cep.EP
        rule = kind(row.free_steps, row.nudged_steps, row.beta, row.learning_rates)
        batches = 40 if len(row.sizes) == 3 else 6
        x = random.random((20 * batches, row.sizes[0]), dtype=np.float32)
        y = random.integers(0, row.sizes[-1], len(x))
        cep.fit(net, (x[:40], y[:40]), rule, 1, 20, seed=0, progress=False)
        times = []
        for _ in range(5):
            start = time.perf_counter()
            cep.fit(net, (x, y), rule, 1, 20, seed=0, progress=False)
            times.append((time.perf_counter() - start) / batches * 1e3)
        result[row.name] = statistics.median(times)
    return result


def main() -> None:
    """Measure each fast path in its own process, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rows", default=",".join(row.name for row in ROWS))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    names = arguments.rows.split(",")
    if arguments.child:
        print(json.dumps(measure(names)))
        return
    times: dict[str, list[dict[str, float]]] = {path: [] for path in FAST_PATHS}
    for _ in range(arguments.rounds):
        for path, measured in times.items():
            environment = {"CEP_WITHOUT": path, "CEP_NUM_THREADS": str(arguments.threads)}
            done = subprocess.run(
                [sys.executable, __file__, "--child", "--rows", arguments.rows],
                env=os.environ | environment,
                capture_output=True,
                text=True,
                check=True,
            )
            measured.append(json.loads(done.stdout))
    medians = {
        path: {name: statistics.median(each[name] for each in measured) for name in names}
        for path, measured in times.items()
    }
    print(f"{'without':20}" + "".join(f"{name:>18}" for name in names))
    for path, row in medians.items():
        cells = (f"{row[name]:9.3f} ({row[name] / medians[''][name]:5.2f}×)" for name in names)
        print(f"{path or '(all fast paths)':20}" + "".join(f"{cell:>18}" for cell in cells))


if __name__ == "__main__":
    main()
