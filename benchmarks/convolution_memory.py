"""Resident memory of a training batch of convolutional networks.

    python benchmarks/convolution_memory.py

P-conv with batch size 20, and the CIFAR-10 network of Laborieux et al. with batch size 32, float32:
one batch of EP with a few steps, because memory does not depend on their number.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

import cep

MIB = 2**20


def resident() -> int:
    """Resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Measure and print."""
    random = np.random.default_rng(0)
    print(f"{cep.instruction_set()}, {cep.get_num_threads()} threads")
    for name, batch in (("P-conv", 20), ("CIFAR-10", 32)):
        configuration = cep.presets.get(name).configuration
        net = configuration.make_network()
        rule = replace(configuration.make_rule(), free_steps=3, nudged_steps=2)  # type: ignore[type-var]
        x, y = random.random((batch, net.sizes[0]), dtype=np.float32), random.integers(0, 10, batch)
        before = resident()
        cep.train_batch(net, x, y, rule)
        states = sum(state.nbytes for state in net.states)
        print(
            f"{name:9} batch {batch}: {(resident() - before) / MIB:5.1f} MiB more, of which states "
            f"{states / MIB:.1f}; parameters {net.parameter_count * 4 / MIB:.1f} MiB"
        )


if __name__ == "__main__":
    main()
