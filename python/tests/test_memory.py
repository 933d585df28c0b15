"""Memory: no leaks, training fits, and requests that do not fit are refused."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

# Each program runs in its own process and prints the growth in bytes, resident and allocated,
# between its second and last round.
GROWTH = """
import gc, os
import numpy as np
import psutil
import cep

def measure(action, rounds):
    process = psutil.Process()
    def size():
        gc.collect()
        memory = process.memory_info()
        return np.array([memory.rss, memory.vms])
    for _ in range(rounds // 4):
        action()
    before = size()
    for _ in range(rounds):
        action()
    print(*(size() - before))

x = np.random.default_rng(0).random((20, 784), dtype=np.float32)
y = np.arange(20) % 10

def refused(error, function, *arguments, **options):
    try:
        function(*arguments, **options)
    except error:
        return
    raise AssertionError("not refused")
"""
ACTIONS = {
    "networks": (
        1000,
        """
def action():
    net = cep.Network([784, 128, 10])
    net.free_phase(x, 2)
    cep.train_batch(net, x, y, cep.CEP(2, 2, 0.5, 0.1))
""",
    ),
    "networks that views outlive": (
        1000,
        """
def action():
    net = cep.Network([784, 128, 10])
    net.free_phase(x, 1)
    views = [*net.weights, *net.biases, *net.states]
    del net
    assert all(np.isfinite(view).all() for view in views)
""",
    ),
    "constructors that fail": (
        10_000,
        """
def action():
    refused(ValueError, cep.Network, [784, 0, 10])
    refused(ValueError, cep.Network, [784, 128, 10], setting="real-time", dt=7)
""",
    ),
    "constructors that find no memory": (
        200,
        """
def action():
    refused(MemoryError, cep.Network, [784, 1000, 2**31 - 1, 10])
""",
    ),
    "refused calls": (
        5000,
        """
net = cep.Network([784, 128, 10])
net.free_phase(x, 1)
bad = x.copy()
bad[3, 5] = np.nan
rule = cep.EP(2, 2, 0.5, [0.1, 0.1, 0.1])
def action():
    refused(ValueError, net.free_phase, bad, 1)
    refused(ValueError, net.free_phase, x[:, :5], 1)
    refused(ValueError, net.nudged_phase, y[:7], 0.5, 1)
    refused(ValueError, cep.train_batch, net, x, y, rule)
    refused(ValueError, cep.train_batch, net, x, y + 5, rule)
""",
    ),
    "changing batch sizes": (
        1000,
        """
net = cep.Network([784, 128, 10])
sizes = iter(range(10**9))
def action():
    rows = 1 + next(sizes) % 20
    net.free_phase(x[:rows], 1)
    net.predict(x[:rows], 1)
    cep.evaluate(net, (x[:rows], y[:rows]), 1)
""",
    ),
    "converted inputs": (
        1000,
        """
net = cep.Network([784, 128, 10])
wide = np.asfortranarray(x.astype(np.float64))
def action():
    net.free_phase(wide, 1)
    cep.train_batch(net, wide.tolist()[:1], y.astype(np.int8)[:1], cep.EP(1, 1, 0.5, 0.1))
""",
    ),
    "epochs": (
        300,
        """
net = cep.Network([784, 32, 10])
rule = cep.CEP(1, 1, 0.5, 0.001)
def stop(history):
    raise KeyError
def action():
    cep.fit(net, (x, y), rule, 2, 7, progress=False)
    refused(KeyError, cep.fit, net, (x, y), rule, 2, progress=False, on_epoch_end=stop)
""",
    ),
}
MEGABYTE = 2**20


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name not in ("networks", "epochs")))
        for name in ACTIONS
    ],
)
def test_memory_does_not_grow(
    name: str, run_script: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Otherwise the C library reserves 64 MB of addresses for each thread at its first allocation.
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    rounds, action = ACTIONS[name]
    resident, asked_for = map(int, run_script(f"{GROWTH}{action}measure(action, {rounds})").split())
    assert resident < 4 * MEGABYTE
    assert asked_for < 16 * MEGABYTE


LIMITED = """
import resource
import numpy as np
import psutil
import cep

small = cep.Network([4, 3, 2], seed=0)
small.free_phase(np.ones((5, 4)), 3)
wide = cep.Network([1, 1_000_000, 2], seed=0)
wide.free_phase(np.ones((1, 1)), 1)
limit = psutil.Process().memory_info().vms + 1_000_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

def refused(function, *arguments):
    try:
        function(*arguments)
    except MemoryError as error:
        assert "memory" in str(error), error
        return
    raise AssertionError(f"{function} was not refused")

refused(cep.Network, [1000, 1_000_000, 10])
x, y, rule = np.ones((1000, 1)), np.zeros(1000, dtype=int), cep.EP(2, 2, 0.5, 0.1)
kept = [array.copy() for array in (*wide.weights, *wide.biases, *wide.states)]
refused(wide.free_phase, x, 2)
refused(cep.train_batch, wide, x, y, rule)
refused(lambda: cep.fit(wide, (x, y), rule, 1, batch_size=1000, progress=False))
for array, old in zip((*wide.weights, *wide.biases, *wide.states), kept, strict=True):
    assert np.array_equal(array, old)
wide.free_phase(np.ones((1, 1)), 1)
small.free_phase(np.ones((5, 4)), 3)
print("fine")
"""


def test_memory_that_cannot_be_had_is_refused(run_script: Callable[..., str]) -> None:
    """With an address space that is nearly full, on any machine."""
    assert run_script(LIMITED) == "fine\n"


# Not ru_maxrss: a process inherits it from its parent, here from all earlier tests.
MNIST = """
import pathlib, re, sys
import cep

data, test = cep.datasets.mnist(sys.argv[1])
net = cep.Network([784, 512, 10], seed=0)
x, y = data
# All the data are read; a few steps are enough to measure memory.
history = cep.fit(net, data, cep.EP(2, 2, 0.1, [0.08, 0.04]), 1, validation_data=test, seed=0)
assert len(x) == 60_000
status = pathlib.Path("/proc/self/status").read_text()
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) * 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_training_on_mnist_stays_under_600_megabytes(
    mnist_folder: Path, run_script: Callable[..., str]
) -> None:
    assert int(run_script(MNIST, mnist_folder)) < 600_000_000
