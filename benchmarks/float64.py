"""Compare the time of float64 with float32, and the steps that float32 saves.

    python benchmarks/float64.py

Trains C-EP networks on random numbers, like run.py --sweep, and prints the milliseconds per batch
and the mean number of free steps until a sample is at rest, after which it is not computed. In
float64 samples come to rest later.
"""

import statistics
import time
from dataclasses import replace

import numpy as np
from rows import ROWS

import cep

WIDTHS = (512, 1024, 2048)
BATCH, BATCHES, ROUNDS = 20, 10, 3


def measure(width: int, dtype: str) -> tuple[float, float]:
    """Milliseconds per batch, and the mean number of free steps until a sample is at rest."""
    row = replace(ROWS[4], sizes=(784, width, width, 10))
    random = np.random.default_rng(0)
    x = random.random((BATCH * BATCHES, row.sizes[0]), dtype=np.float32)
    y = random.integers(0, row.sizes[-1], len(x))
    net = cep.Network(row.sizes, dtype=dtype, seed=0)
    rule = cep.CEP(row.free_steps, row.nudged_steps, row.beta, row.learning_rates)
    times = []
    for epoch in range(ROUNDS + 1):
        start = time.perf_counter()
        cep.fit(net, (x, y), rule, 1, BATCH, seed=epoch, progress=False)
        times.append(time.perf_counter() - start)
    steps = [net.free_phase(x[i : i + 1], row.free_steps).steps for i in range(BATCH)]
    return statistics.median(times[1:]) / BATCHES * 1e3, statistics.mean(steps)


def main() -> None:
    for width in WIDTHS:
        (short, few), (long, many) = (measure(width, dtype) for dtype in ("float32", "float64"))
        print(
            f"784-{width}-{width}-10: float32 {short:.1f} ms, {few:.1f} steps; "
            f"float64 {long:.1f} ms, {many:.1f} steps: {long / short:.1f} times as long, "
            f"{many / few:.2f} times as many steps"
        )


if __name__ == "__main__":
    main()
