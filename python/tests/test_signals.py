"""Ctrl-C within an epoch leaves whole batches; signals go to the program's threads."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

# A very long epoch. The states after each of its batches, computed by partial epochs, are the
# possible results of an interruption.
PROGRAM = """
import hashlib, os, signal, sys, threading, time
import numpy as np
import cep

x = np.random.default_rng(0).random((400_000, 64), dtype=np.float32)
y = np.arange(len(x)) % 10
rule = {
    "EP": cep.EP(40, 10, 0.5, 0.01),
    "C-EP": cep.CEP(40, 10, 0.5, 0.01),
    "C-VF": cep.CEP(40, 10, 0.5, 0.01, write_every_step=True),
    "BPTT": cep.BPTT(20, learning_rates=0.01),
}[sys.argv[1]]
feedback = "untied" if sys.argv[1] == "C-VF" else "tied"

def make():
    return cep.Network([64, 128, 10], feedback=feedback, seed=0)

def digest(net):
    return hashlib.sha256(b"".join(p.tobytes() for p in net.parameters())).digest()

def press(delay):
    time.sleep(delay)
    os.kill(os.getpid(), signal.SIGINT)

# On a busy machine the first batch may come later than a short delay.
for delay in (0.3, 1, 3, 9):
    net = make()
    thread = threading.Thread(target=press, args=[delay])
    thread.start()
    try:
        cep.fit(net, (x, y), rule, 1, seed=0, progress=False)
        raise AssertionError("the epoch was too short")
    except KeyboardInterrupt:
        pass
    thread.join()
    if digest(net) != digest(make()):
        break
left = digest(net)
class UntilThere(cep.Callback):
    def on_batch_end(self, training):
        if digest(training.net) == left:
            print(training.position.batch)
            return cep.STOP

cep.fit(make(), (x, y), rule, 1, seed=0, progress=False, callbacks=[UntilThere()])
"""


@pytest.mark.parametrize("rule", ["EP", "C-EP", "C-VF", "BPTT"])
def test_control_c_leaves_whole_batches(rule: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, rule],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert 0 < int(done.stdout) < 20_000


WAITING = """
import os
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # It starts its threads when it is imported.
import signal
from pathlib import Path
import numpy as np
import cep

def threads():
    return set(os.listdir("/proc/self/task"))

def blocked(thread):
    lines = Path(f"/proc/self/task/{thread}/status").read_text().splitlines()
    mask = int(dict(line.split(":", 1) for line in lines)["SigBlk"], 16)
    return {number for number in signal.valid_signals() if mask >> (number - 1) & 1}

before = threads()
cep.set_num_threads(2)
cep.Network([600, 900, 900, 10], seed=0).free_phase(np.ones((64, 600)), 3)
(worker,) = threads() - before
assert blocked(os.getpid()) == set(), "the caller's own are as they were"
faults = {signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGTRAP}
taken = signal.valid_signals() - blocked(worker)
assert taken == {*faults, signal.SIGKILL, signal.SIGSTOP}, taken

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
os.kill(os.getpid(), signal.SIGUSR1)
print(signal.sigwait({signal.SIGUSR1}).name)
"""


def test_workers_take_no_signals(run_script: Callable[..., str]) -> None:
    """A program that blocks a signal waits for it; a thread that accepted it would end it."""
    assert run_script(WAITING) == "SIGUSR1\n"
