"""Steps allocate no memory: a long phase makes as many allocations as a short one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Counts all calls that allocate memory, and prints their number.
COUNTER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
static _Atomic long count;
long allocations(void) { return count; }
#define COUNTED(type, name, parameters, arguments)                        \\
    type name parameters {                                                \\
        static type(*next) parameters;                                    \\
        if (!next) next = (type(*) parameters)dlsym(RTLD_NEXT, #name);    \\
        count++;                                                          \\
        return next arguments;                                            \\
    }
COUNTED(void *, malloc, (size_t size), (size))
COUNTED(void *, realloc, (void *old, size_t size), (old, size))
COUNTED(int, posix_memalign, (void **to, size_t alignment, size_t size), (to, alignment, size))
COUNTED(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size))
"""

PROGRAM = """
import ctypes, sys
import numpy as np
import cep
allocations = ctypes.CDLL(None).allocations
allocations.restype = ctypes.c_long
random = np.random.default_rng(0)
x, y = random.random((20, 64)), np.arange(20) % 10
for setting in ("prototypical", "real-time"):
    for feedback in ("tied", "untied"):
        for hidden in ([200], [1000], [200, 200]):
            net = cep.Network([64, *hidden, 10], setting=setting, feedback=feedback, seed=0)
            phases = {
                "free": lambda steps: net.free_phase(x, steps),
                "nudged": lambda steps: net.nudged_phase(y, 0.3, steps),
                "continual": lambda steps: cep.train_batch(net, x, y, cep.CEP(5, steps, 0.3, 1e-6)),
            }
            # Passing a loop to other threads allocates a few bytes: once a phase, or at most twice
            # per step and hidden layer in continual phases. The number depends on which way of
            # sharing was faster.
            handed_over = 2 * 40 * len(hidden) if cep.get_num_threads() > 1 else 0
            allowed = {"free": 4, "nudged": 4, "continual": 4 + handed_over}
            for name, phase in phases.items():
                counts = []
                for steps in (20, 20, 20, 60):
                    before = allocations()
                    phase(steps)
                    counts.append(allocations() - before)
                assert min(counts) > 0, "nothing was counted"
                case = (setting, feedback, hidden, name, counts)
                assert counts[3] <= max(counts[1:3]) + allowed[name], case
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_steps_take_no_memory(threads: int, tmp_path: Path) -> None:
    source, library = tmp_path / "counter.c", tmp_path / "counter.so"
    source.write_text(COUNTER)
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", source, "-o", library, "-ldl"], check=True)
    environment = {"LD_PRELOAD": str(library), "CEP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
