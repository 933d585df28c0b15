"""Compare the time of phases and training with denormal and with normal numbers.

Denormal numbers are below 1.2e-38 in float32; many processors compute them a hundred times more
slowly. Inputs, weights or states are scaled down until all their products are denormal. Network and
steps are the same. Ratios far below 1 belong to phases that end early, because zeros are at rest. A
ratio compares the fastest of several runs with each kind of numbers, taken in turn, on an idle
machine:

    python benchmarks/denormals.py

It exits with status 1 if a ratio is above 1.25.
"""

import sys
import time
from collections.abc import Callable

import numpy as np

import cep

SIZES, BATCH, TURNS = [784, 512, 512, 10], 20, 15
TINY = {"float32": 1e-41, "float64": 1e-311}
SLOWER = 1.25

RULES: dict[str, cep.LearningRule] = {
    "EP": cep.EP(20, 10, 0.5, 1e-3),
    "C-EP": cep.CEP(20, 10, 0.5, 1e-3),
    "BPTT": cep.BPTT(20, learning_rates=1e-3),
}


def main() -> None:
    cep.set_num_threads(1)
    worst = 0.0
    print(f"{cep.instruction_set()}, {'-'.join(map(str, SIZES))}, batch {BATCH}, one thread")
    for dtype in TINY:
        for setting in ("prototypical", "real-time"):
            for feedback in ("tied", "untied"):
                options = {"dtype": dtype, "setting": setting, "feedback": feedback}
                ratios = {}
                for denormal in ("inputs", "weights", "states"):
                    normal = works(options, None)
                    for name, tiny in works(options, denormal).items():
                        ratios[f"{denormal}, {name}"] = ratio(normal[name], tiny)
                worst = max(worst, *ratios.values())
                print(f"{dtype} {setting} {feedback}")
                for name, value in ratios.items():
                    print(f"    {name:20} {value:.2f}")
    print(f"the largest ratio is {worst:.2f}")
    sys.exit(worst > SLOWER)


def works(options: dict[str, str], denormal: str | None) -> dict[str, Callable[[], object]]:
    """The calls to time, with denormal numbers in one place or in none."""
    # The slope at 0 is 1 without a constant part, so small inputs stay small.
    net = cep.Network(SIZES, activation="tanh", seed=0, clamp=False, **options)  # type: ignore[arg-type]
    generator, tiny = np.random.default_rng(0), TINY[options["dtype"]]
    x = generator.random((BATCH, SIZES[0])).astype(options["dtype"])
    y = generator.random((BATCH, SIZES[-1])).astype(options["dtype"])
    for biases in net.biases:
        biases[...] = 0
    if denormal == "inputs":
        x *= tiny
    if denormal == "weights":
        for weights in (*net.weights, *(w for w in net.feedback_weights if w is not None)):
            weights *= tiny

    # A phase does not move weights. States start from the present ones, or from tiny ones.
    def phase() -> object:
        if denormal == "states":
            for state in net.states:
                state[...] = tiny
        return net.free_phase(x * (tiny if denormal == "states" else 1), 20, reset=False)

    net.free_phase(x, 1)
    if denormal == "states":  # Training starts from zeros.
        return {"phase": phase}
    training = {
        name: lambda rule=rule: cep.train_batch(net, x, y, rule)  # type: ignore[misc]
        for name, rule in RULES.items()
    }
    return {"phase": phase, **training}


def ratio(normal: Callable[[], object], tiny: Callable[[], object]) -> float:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(TURNS):
        for work, seconds in zip((normal, tiny), times, strict=True):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
    return min(times[1]) / min(times[0])


if __name__ == "__main__":
    main()
