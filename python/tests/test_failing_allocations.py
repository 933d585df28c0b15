"""A failing allocation at any place is a MemoryError that changes no parameter.

A preloaded library lets the n-th allocation fail, for every n. Small allocations succeed.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.once, pytest.mark.slow]

FAILING = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
static _Atomic long count, failing;
static size_t least;
void fail(long number, size_t bytes) { count = 0; least = bytes; failing = number; }
long requests(void) { return count; }
static int fails(size_t size) { return failing && size >= least && ++count == failing; }
#define WRAPPED(type, name, parameters, arguments, size, failed)          \\
    type name parameters {                                                \\
        static type(*next) parameters;                                    \\
        if (!next) next = (type(*) parameters)dlsym(RTLD_NEXT, #name);    \\
        if (!fails(size)) return next arguments;                          \\
        errno = ENOMEM;                                                   \\
        return failed;                                                    \\
    }
WRAPPED(void *, malloc, (size_t size), (size), size, NULL)
WRAPPED(void *, realloc, (void *old, size_t size), (old, size), size, NULL)
WRAPPED(void *, aligned_alloc, (size_t alignment, size_t size), (alignment, size), size, NULL)
WRAPPED(int, posix_memalign, (void **to, size_t alignment, size_t size), (to, alignment, size),
        size, ENOMEM)
"""

PROGRAM = """
import copy, ctypes, pickle, sys
import numpy as np
from snapshot import parameters, same
import cep

library = ctypes.CDLL(None)
library.fail.argtypes = [ctypes.c_long, ctypes.c_size_t]
library.requests.restype = ctypes.c_long
LEAST = 4096

options = {
    "tied": {},
    "untied": {"setting": "real-time", "feedback": "untied", "dtype": "float64"},
}[sys.argv[1]]
random = np.random.default_rng(0)
# An index of every sample is stored somewhere: 600 of them exceed the smallest failing size.
x = random.random((600, 40)).astype(options.get("dtype", "float32"))
y = np.arange(600) % 10

def create():
    net = cep.Network([40, 50, 30, 10], seed=0, **options)
    net.free_phase(x[:7], 3)
    return net

def make():
    # Trained before: new networks are checked for LearningWarning with NumPy, which ends the
    # process if memory for a comparison is refused.
    net = create()
    cep.fit(net, (x[:1], y[:1]), cep.EP(1, 1, 0.5, 0.0), 1, seed=0, progress=False)
    net.free_phase(x[:7], 3)
    return net

def training(rule):
    return lambda net: cep.train_batch(net, x, y, rule)

calls = {
    "create": lambda net: create(),
    "free phase": lambda net: net.free_phase(x, 5),
    "nudged phase": lambda net: net.nudged_phase(np.zeros((7, 10)), 0.5, 3),
    "EP": training(cep.EP(5, 3, 0.5, 0.01)),
    "EP, accumulated": training(cep.EP(5, 3, 0.5, 0.01, accumulate=True)),
    "EP, symmetric": training(cep.EP(5, 3, 0.5, 0.01, beta_sign="symmetric")),
    "C-EP": training(cep.CEP(5, 3, 0.5, 0.01)),
    "C-EP, written": training(cep.CEP(5, 3, 0.5, 0.01, write_every_step=True)),
    "BPTT": training(cep.BPTT(5, learning_rates=0.01)),
    "RBP": training(cep.RBP(50, tolerance=0.01, learning_rates=0.01)),
    "fit": lambda net: cep.fit(
        net, (x, y), cep.CEP(5, 3, 0.5, 0.01), 1, batch_size=600, seed=0, progress=False
    ),
    "evaluate": lambda net: cep.evaluate(net, (x, y), 5),
    "predict": lambda net: net.predict(x, 5),
    "gradient": lambda net: cep.gradient(net, x, y, cep.CEP(5, 3, 0.5, 0.01)),
    "gdu": lambda net: cep.gdu_check(
        net, x[:20], y[:20], free_steps=200, nudged_steps=3, beta=0.01
    ),
    "copy": lambda net: net.copy(),
    "deepcopy": copy.deepcopy,
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
}
if sys.argv[1] == "tied":
    calls["energy"] = lambda net: (net.free_phase(x, 1), net.energy())

for name, call in calls.items():
    whole = make()
    call(whole)
    number = refused = 0
    while True:
        number += 1
        net = make()
        before = parameters(net)
        library.fail(number, LEAST)
        try:
            call(net)
            error = None
        except MemoryError as caught:
            error = caught
        requests = library.requests()
        library.fail(0, 0)
        if requests < number:
            break  # Fewer allocations are made: all have failed once.
        refused += error is not None
        if error is not None:
            assert same(parameters(net), before), (name, number)
            call(net)  # It works again.
            assert same(parameters(net), parameters(whole)), (name, number)
    assert error is None and same(parameters(net), parameters(whole))
    # Others have alternatives: threads are optional, and NumPy tries twice.
    assert refused >= 0.8 * (number - 1), (name, refused, number)
    print(name, refused)
"""


@pytest.mark.parametrize("feedback", ["tied", "untied"])
def test_every_request_for_memory_may_fail(feedback: str, tmp_path: Path) -> None:
    source, library = tmp_path / "failing.c", tmp_path / "failing.so"
    source.write_text(FAILING)
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", source, "-o", library, "-ldl"], check=True)
    environment = {"LD_PRELOAD": str(library), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, feedback],
        env=os.environ | environment,
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:] + done.stderr[-3000:]
    failures = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert len(failures) >= 18
    assert int(failures["fit"]) > 10, "nothing was refused"
