"""Milliseconds per batch of C-EP with each model of synapses and with ideal ones.

    python benchmarks/hardware.py

784-512-10, batch size 20, 15 nudged steps, float32. Weights are written at every step
(`write_every_step`), except in the first two rows, which compare `Ideal()` with no synapses; biases
are ideal. The minimum of fifteen batches, taken in turn.
"""

import time

import numpy as np

import cep

ROUNDS = 15
SYNAPSES = {
    "bounded": cep.hardware.Bounded(w_min=-1, w_max=1),
    "quantized": cep.hardware.Quantized(8, w_min=-1, w_max=1),
    "soft_bounds": cep.hardware.SoftBounds(dw_min=0.001),
    "power_step": cep.hardware.PowerStep(dw_min=0.001),
    **{name: getattr(cep.hardware.presets, name)() for name in sorted(cep.hardware.presets.ALL)},
}


def main() -> None:
    """Measure and print."""
    random = np.random.default_rng(0)
    x, y = random.random((20, 784), dtype=np.float32), random.integers(0, 10, 20)
    fast = cep.CEP(40, 15, 0.2, [0.0056, 0.0028])
    rule = cep.CEP(40, 15, 0.2, [0.0056, 0.0028], write_every_step=True)
    synapses = {"none, fast": None, "ideal, fast": cep.hardware.Ideal(), "ideal": None} | SYNAPSES
    nets = {
        name: cep.Network([784, 512, 10], synapses=synapse, seed=0)
        for name, synapse in synapses.items()
    }
    times: dict[str, list[float]] = {name: [] for name in nets}
    for _ in range(ROUNDS):
        for name, net in nets.items():
            start = time.perf_counter()
            cep.train_batch(net, x, y, fast if "fast" in name else rule)
            times[name].append(time.perf_counter() - start)
    print(f"{cep.instruction_set()}, {cep.get_num_threads()} threads")
    for name, values in times.items():
        ratio = min(values) / min(times["none, fast" if "fast" in name else "ideal"])
        print(f"{name:16} {1e3 * min(values):7.2f} ms  {ratio:.2f}")


if __name__ == "__main__":
    main()
