"""Forked and spawned processes train as their parent does, in any state of the parent."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

TRAINING = """
import hashlib, multiprocessing, os, sys, threading
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import cep

random = np.random.default_rng(0)
x, y = random.random((200, 300)), np.arange(200) % 10

def train(seed):
    # Wide enough for two threads, and with a rule that multiplies with OpenBLAS too.
    net = cep.Network([300, 400, 10], seed=seed)
    for rule in (cep.CEP(10, 5, 0.5, 0.01), cep.BPTT(5, learning_rates=0.01)):
        cep.fit(net, (x, y), rule, 1, batch_size=50, seed=seed, progress=False)
    return hashlib.sha256(b"".join(p.tobytes() for p in net.parameters())).hexdigest()
"""
POOLS = """
if __name__ == "__main__":
    cep.set_num_threads(2)
    expected = [train(seed) for seed in range(4)]
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        assert pool.map(train, range(4), chunksize=1) == expected
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        assert list(executor.map(train, range(4))) == expected
    assert [train(seed) for seed in range(4)] == expected
    print("fine")
"""
# The child has only the forking thread, not those that were training.
FORKING = """
cep.set_num_threads(2)
expected = train(0)
net, done = cep.Network([300, 400, 10], seed=1), threading.Event()

def keep_training():
    while not done.is_set():
        cep.fit(net, (x, y), cep.BPTT(5, learning_rates=1e-4), 1, progress=False)

thread = threading.Thread(target=keep_training)
thread.start()
busy = 0
for _ in range(8):
    child = os.fork()
    if child == 0:
        try:
            status = 0 if train(0) == expected else 3
            try:
                net.free_phase(x[:5], 3)
            except RuntimeError as error:
                status += 100 * ("in use by another thread" in str(error))
            os._exit(status)
        finally:
            os._exit(4)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, 100), status
    busy += status == 100
done.set()
thread.join()
assert train(0) == expected
assert busy > 0, "the test's own premise: it forked in the middle of a call"
print("fine")
"""


def run(program: str, folder: Path, *arguments: str) -> None:
    path = folder / "program.py"
    path.write_text(TRAINING + program)
    done = subprocess.run(
        # From 3.12 on Python warns of any fork with several threads.
        [sys.executable, "-W", "ignore::DeprecationWarning", path, *arguments],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_of_processes(method: str, tmp_path: Path) -> None:
    run(POOLS, tmp_path, method)


def test_forks_while_another_thread_trains(tmp_path: Path) -> None:
    run(FORKING, tmp_path)
