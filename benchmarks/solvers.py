"""The arithmetic that a free phase needs to reach its steady state, for several solvers.

    CEP_DATA=<folder of the MNIST files> python benchmarks/solvers.py

Networks are trained briefly on MNIST. Steps (a product of each connection up and down, for all
samples) are counted until no state is further than a tolerance from the steady state. Synchronous
and alternating steps are the engine's. Anderson's acceleration (which mixes the last five
differences of each sample around alternating steps) is implemented here in NumPy, to see what it
would gain. The last column is the time of the engine's free phase with this number of steps.
"""

import statistics
import time

import numpy as np

import cep

HISTORY = 5
STEPS = 300
TOLERANCES = (1e-3, 1e-5)
CASES = (
    ((784, 512, 10), cep.EP(30, 10, 0.1, (0.08, 0.04))),
    ((784, 512, 512, 10), cep.EP(100, 20, 0.5, (0.2, 0.05, 0.005))),
)


def trained(sizes: tuple[int, ...], rule: cep.EP, relaxation: str, dtype: str) -> cep.Network:
    """A network after 200 batches, the same for every relaxation and dtype."""
    (x, y), _ = cep.datasets.mnist()
    source = cep.Network(sizes, seed=0)
    cep.fit(source, (x[:4000], y[:4000]), rule, 1, 20, seed=0, progress=False)
    net = cep.Network(sizes, seed=0, relaxation=relaxation, dtype=dtype)
    for mine, theirs in zip(net.parameters(), source.parameters(), strict=True):
        mine[...] = theirs
    return net


def flat(net: cep.Network) -> np.ndarray:
    """The states of all moving layers, one row per sample."""
    return np.concatenate(list(net.states)[1:], axis=1)


def write(net: cep.Network, states: np.ndarray) -> None:
    """Write states, in the order of `flat`, into the network."""
    starts = np.cumsum(net.sizes[1:-1])
    for layer, values in zip(list(net.states)[1:], np.split(states, starts, axis=1), strict=True):
        layer[...] = values


def mixed(before: list[np.ndarray], after: list[np.ndarray]) -> np.ndarray:
    """Anderson's estimate of the fixed point from steps before -> after, for each sample."""
    guess = np.empty_like(after[-1])
    for sample in range(len(guess)):
        images = np.array([states[sample] for states in after])
        residuals = images - [states[sample] for states in before]
        weights = np.linalg.lstsq((residuals[-1] - residuals[:-1]).T, residuals[-1], rcond=None)[0]
        guess[sample] = images[-1] - weights @ (images[-1] - images[:-1])
    return guess


def distances(
    net: cep.Network, x: np.ndarray, end: np.ndarray, *, accelerate: bool = False
) -> list[float]:
    """The largest distance from the steady state after each step."""
    before: list[np.ndarray] = []
    after: list[np.ndarray] = []
    found = []
    state = np.zeros_like(end)
    for step in range(STEPS):
        net.free_phase(x, 1, reset=step == 0)
        before, after = [*before, state][-HISTORY:], [*after, flat(net)][-HISTORY:]
        if accelerate and len(after) > 1:
            write(net, mixed(before, after))
        state = flat(net)
        found.append(float(abs(state - end).max()))
    return found


def steps_to(tolerance: float, found: list[float]) -> int | None:
    """The first step after which the distance stays within the tolerance."""
    far = [step for step, distance in enumerate(found, 1) if distance > tolerance]
    last = far[-1] if far else 0
    return last + 1 if last < len(found) else None


def milliseconds(net: cep.Network, x: np.ndarray, steps: int) -> float:
    """Milliseconds of a free phase of the engine."""
    times = []
    for _ in range(20):
        start = time.perf_counter()
        net.free_phase(x, steps)
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def main() -> None:
    """Print a table."""
    (x, _), _ = cep.datasets.mnist()
    x = x[5000:5020]
    print("network           tolerance  order                    products  milliseconds (float32)")
    for sizes, rule in CASES:
        reference = trained(sizes, rule, "synchronous", "float64")
        reference.free_phase(x, 5000)
        end = flat(reference)
        ways = {
            "synchronous": distances(trained(sizes, rule, "synchronous", "float64"), x, end),
            "alternating": distances(trained(sizes, rule, "alternating", "float64"), x, end),
            "alternating, Anderson": distances(
                trained(sizes, rule, "alternating", "float64"), x, end, accelerate=True
            ),
        }
        for tolerance in TOLERANCES:
            for order, found in ways.items():
                steps = steps_to(tolerance, found)
                taken = ""
                if steps is not None and "Anderson" not in order:
                    net = trained(sizes, rule, order, "float32")
                    taken = f"{milliseconds(net, x, steps):.3f}"
                name = "-".join(map(str, sizes))
                print(f"{name:17} {tolerance:9.0e}  {order:23} {steps!s:>9}  {taken:>12}")


if __name__ == "__main__":
    main()
