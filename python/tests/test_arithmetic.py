"""Results do not depend on the caller's floating-point mode, which the engine restores."""

import subprocess
import sys
from pathlib import Path

import pytest

# Reads and sets the register of rounding, traps and denormals.
REGISTER = """
#include <immintrin.h>
unsigned get(void) { return _mm_getcsr() & ~0x3fu; } /* without the flags of what has happened */
void set(unsigned control) { _mm_setcsr(control); }
"""
PROGRAM = """
import ctypes, hashlib, sys
import numpy as np
import cep

register = ctypes.CDLL(sys.argv[1])
USUAL, FLUSHING, UPWARDS, TRAPPING = 0x1F80, 0x9FC0, 0x5F80, 0x1F80 & ~0x0400 & ~0x0800
random = np.random.default_rng(0)
x, y = random.random((64, 300), dtype=np.float32), random.integers(0, 10, 64)
x[:, ::2] *= np.float32(1e-38)  # Products of these with weights are denormal.
RULES = [
    *(kind(9, 6, 0.5, 0.01) for kind in (cep.EP, cep.CEP)),
    cep.BPTT(5, learning_rates=0.01),
]

class Look(cep.Callback):
    def __init__(self, seen):
        self.seen = seen

    def on_progress(self, training):
        self.seen.append(register.get())

def train(control):
    seen, digest = [], hashlib.sha256()
    for setting, feedback in (("prototypical", "tied"), ("real-time", "untied")):
        net = cep.Network([300, 256, 10], setting=setting, feedback=feedback, seed=0)
        register.set(control)
        try:
            for rule in RULES:
                cep.fit(net, (x, y), rule, 30, 32, seed=0, progress=False, callbacks=[Look(seen)])
            after = register.get()
        finally:
            register.set(USUAL)
        assert after == control, hex(after)
        for parameter in net.parameters():
            digest.update(parameter.tobytes())
    assert seen and set(seen) == {control}, {hex(each) for each in seen}
    return digest.digest()

expected = None
for threads in (1, 2):
    cep.set_num_threads(threads)
    for control in (USUAL, FLUSHING, UPWARDS, TRAPPING):
        digest = train(control)
        expected = expected or digest
        assert digest == expected, (threads, hex(control))

watched = cep.Network([300, 256, 10], seed=0)
with cep.trace(watched) as trace:
    register.set(UPWARDS)
    try:
        cep.train_batch(watched, x, y, cep.CEP(9, 6, 0.5, 0.01))
    finally:
        register.set(USUAL)
for recorded, left in zip(trace.nudged.weights, watched.weights, strict=True):
    assert np.array_equal(recorded[-1], left), "weights at a step are those that the phase leaves"

tiny = cep.Network([1, 1, 1], activation="tanh")
tiny.weights[0][...] = 1e-40
tiny.weights[1][...] = tiny.biases[0][...] = tiny.biases[1][...] = 0
tiny.free_phase([[1.0]], 1)
assert tiny.states[1][0, 0] == 0, "denormal numbers count as zeros"
tiny.weights[0][...] = 2e-38
tiny.free_phase([[1.0]], 1)
assert tiny.states[1][0, 0] == np.float32(2e-38)
print("fine")
"""


def test_any_floating_point_mode_of_the_caller(tmp_path: Path) -> None:
    source, library = tmp_path / "register.c", tmp_path / "register.so"
    source.write_text(REGISTER)
    compiled = subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O1", source, "-o", library],
        capture_output=True,
        text=True,
        check=False,
    )
    if "immintrin.h" in compiled.stderr:
        pytest.skip("this is a test of x86")
    assert compiled.returncode == 0, compiled.stderr
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, library],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr
