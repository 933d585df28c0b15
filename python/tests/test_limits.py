"""Sizes that are too large are refused, and failing allocations leave everything usable."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import cep

pytestmark = pytest.mark.once

RULE = cep.CEP(2, 2, 0.5, 0.1)


@pytest.mark.parametrize("size", [2**31 - 1, 2**31, 2**32 + 1, 2**62, 2**63 - 1, 2**63, 2**64])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_layers_that_are_too_large(size: int, place: int) -> None:
    sizes = [10_000, 10_000, 10_000]
    sizes[place] = size
    error = MemoryError if size == 2**31 - 1 else ValueError
    with pytest.raises(error, match=f"{size}"):
        cep.Network(sizes)


# All rows are the same, so any number of them takes no memory.
def rows(count: int) -> Any:
    return as_strided(np.zeros((1, 4), dtype=np.float32), (count, 4), (0, 4))


def test_batches_that_are_too_large() -> None:
    net = cep.Network([4, 5, 3], seed=0)
    with pytest.raises((MemoryError, ValueError)):
        net.free_phase(rows(2**40), 2)
    with pytest.raises((MemoryError, ValueError)):
        cep.fit(net, (rows(2**40), np.zeros(4, dtype=int)), RULE, 1, progress=False)
    for size in (2**31, 2**62, 2**63 - 1):
        # Batches larger than the data use all of it.
        cep.fit(net, (rows(4), [0, 1, 2, 0]), RULE, 1, batch_size=size, progress=False)
    with pytest.raises(ValueError, match="9223372036854775808"):
        cep.fit(net, (rows(4), [0, 1, 2, 0]), RULE, 1, batch_size=2**63, progress=False)


def at_rest(feedback: str) -> cep.Network:
    """A network in a steady state: phases of any length end at once."""
    net = cep.Network([4, 5, 3], feedback=feedback, activation="hard_sigmoid", seed=0)
    for parameter in net.parameters():
        parameter[...] = 0
    return net


@pytest.mark.parametrize("steps", [2**31, 2**62, 2**63 - 1])
@pytest.mark.parametrize("feedback", ["tied", "untied"])
def test_any_number_of_steps_that_has_an_end(steps: int, feedback: str) -> None:
    net, x, y = at_rest(feedback), np.zeros((2, 4)), np.zeros((2, 3))
    assert net.free_phase(x, steps).steps < 10
    assert net.nudged_phase(y, 0.5, steps).steps < 10
    for rule in (
        cep.EP(steps, steps, 0.5, 0.1),
        cep.CEP(steps, steps, 0.5, 0.1),
        cep.EP(steps, steps, 0.5, 0.1, accumulate=True),
        cep.RBP(steps, max_iterations=steps, learning_rates=0.1),
    ):
        cep.train_batch(net, x, y, rule)
        cep.gradient(net, x, y, rule)
    # These store every step.
    for refused in (
        lambda: cep.gradient(net, x, y, cep.BPTT(steps)),
        lambda: cep.gdu_check(net, x, y, free_steps=steps, nudged_steps=steps, beta=0.1),
    ):
        with pytest.raises(MemoryError, match="steps"):
            refused()


@pytest.mark.parametrize("steps", [2**63, 2**64])
def test_steps_that_are_too_many(steps: int) -> None:
    net, x, y = at_rest("tied"), np.zeros((2, 4)), np.zeros((2, 3))
    for refused in (
        lambda: net.free_phase(x, steps),
        lambda: cep.train_batch(net, x, y, cep.EP(steps, 1, 0.5, 0.1)),
        lambda: cep.train_batch(net, x, y, cep.EP(1, steps, 0.5, 0.1)),
    ):
        with pytest.raises(ValueError, match=f"{steps}"):
            refused()


@pytest.mark.parametrize("label", [-(2**63), -(2**31), 3, 2**31, 2**32, 2**63 - 1, 2**63])
def test_labels_that_are_too_large(label: int) -> None:
    net = cep.Network([4, 5, 3], seed=0)
    labels = np.array([0, label], dtype=np.uint64 if label >= 2**63 else np.int64)
    with pytest.raises(ValueError, match=f"{label}|64"):
        cep.train_batch(net, rows(2), labels, RULE)
    with pytest.raises(ValueError, match=f"{label}|64"):
        cep.evaluate(net, (rows(2), labels), 2)


LIMITED = """
import os, sys
import numpy as np
import cep

x, y = np.ones((20, 784), dtype=np.float32), np.arange(20) % 10
rules = cep.CEP(5, 3, 0.5, 0.01), cep.BPTT(5, learning_rates=0.01)
met = set()
for sizes in ([784, 3000, 2400, 10], [784, 500, 10], [784, 20, 10]):
    for rule in rules:
        try:
            net = cep.Network(sizes, seed=0)
            cep.train_batch(net, x, y, rule)
            cep.gradient(net, x, y, cep.BPTT(3))
        except MemoryError as error:
            assert "memory" in str(error)
            met.add(tuple(sizes))
cep.train_batch(cep.Network([784, 20, 10]), x, y, rules[0])
print((784, 3000, 2400, 10) in met)
"""
# The memory of the interpreter, NumPy and OpenBLAS before the first network.
TAKEN = """
import numpy, psutil, cep
print(psutil.Process().memory_info().vms >> 10)
"""


@pytest.mark.parametrize("megabytes", [10, 45, 100])
def test_ten_million_parameters_under_ulimit(
    megabytes: int, run_script: Callable[..., str], tmp_path: Path
) -> None:
    """Too little for the network; too little to train it; and too little for other products."""
    limit = int(run_script(TAKEN)) + 1024 * megabytes
    (tmp_path / "program.py").write_text(LIMITED)
    done = subprocess.run(
        ["sh", "-c", f"ulimit -v {limit}; exec {sys.executable} program.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("True\n", 0), done.stderr
