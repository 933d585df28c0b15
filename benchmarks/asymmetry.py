"""Milliseconds per nudged step of the corrected phase and of the vector field.

    python benchmarks/asymmetry.py

Untied networks of the paper, batch size 20, float32. All steps are taken: samples at rest are not
skipped. The minimum of fifteen batches of 200 nudged steps, minus that of a single step.
"""

import os
import time

os.environ["CEP_WITHOUT"] = "samples-at-rest"  # before cep is imported

import numpy as np

import cep

STEPS = 200


def milliseconds(net: cep.Network, x, y, asymmetry: str, steps: int) -> float:
    """Milliseconds per batch."""
    rates = [1e-5] * len(net.edges)
    rule = cep.EP(1, steps, 0.1, rates, asymmetry=asymmetry)  # type: ignore[arg-type]
    times = []
    for _ in range(15):
        start = time.perf_counter()
        cep.train_batch(net, x, y, rule)
        times.append(time.perf_counter() - start)
    return min(times) * 1e3


def main() -> None:
    """Measure and print."""
    random = np.random.default_rng(0)
    x, y = random.random((20, 784), dtype=np.float32), random.integers(0, 10, 20)
    print(f"{cep.instruction_set()}, {cep.get_num_threads()} threads")
    for sizes in ([784, 512, 10], [784, 512, 512, 10]):
        net = cep.Network(sizes, feedback="untied", feedback_angle=90, seed=0)
        step = {}
        for asymmetry in ("vector-field", "exact"):
            many, one = (milliseconds(net, x, y, asymmetry, steps) for steps in (STEPS, 1))
            step[asymmetry] = (many - one) / (STEPS - 1)
        ratio = step["exact"] / step["vector-field"]
        print(
            f"{'-'.join(map(str, sizes)):16}  vector field {step['vector-field']:.4f} ms  "
            f"exact {step['exact']:.4f} ms  ratio {ratio:.2f}"
        )


if __name__ == "__main__":
    main()
