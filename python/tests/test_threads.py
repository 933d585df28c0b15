"""Threads, signals, forks: results are consistent, and nothing hangs or waits unnecessarily."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from snapshot import fingerprint, parameters, same

import cep
from cep.io import tensor_files

RULE = cep.CEP(30, 10, 0.5, [0.04, 0.015])


def train(seed: int, data: Any) -> cep.Network:
    net = cep.Network([64, 48, 10], seed=seed)
    cep.fit(net, data, RULE, epochs=2, seed=seed, progress=False)
    return net


def test_networks_train_side_by_side_as_one_after_another(digits: Any) -> None:
    data = digits[0][:600], digits[1][:600]
    one_after_another = [train(seed, data) for seed in range(8)]
    with ThreadPoolExecutor(max_workers=8) as pool:
        side_by_side = list(pool.map(lambda seed: train(seed, data), range(8)))
    for alone, together in zip(one_after_another, side_by_side, strict=True):
        assert fingerprint(alone) == fingerprint(together)


def insisting(call: Callable[[], Any]) -> Any:
    """Repeats a call until no other thread is using the network."""
    while True:
        try:
            return call()
        except RuntimeError as error:
            if "in use by another thread" not in str(error):
                raise
            time.sleep(0)


def test_threads_that_retry_train_in_turn(digits: Any) -> None:
    """Every batch is refused or completed: two threads train as many equal batches as one."""
    x, y = digits[0][:100], digits[1][:100]
    net, expected = (cep.Network([64, 48, 10], seed=0) for _ in range(2))

    def work(_: int) -> None:
        for _ in range(50):
            insisting(lambda: cep.train_batch(net, x, y, RULE))

    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(work, range(2)))
    for _ in range(100):
        cep.train_batch(expected, x, y, RULE)
    assert fingerprint(net) == fingerprint(expected)


def digest(arrays: list[Any]) -> bytes:
    return sha256(b"".join(array.tobytes() for array in arrays)).digest()


COPIES: dict[str, Callable[[cep.Network, Path], cep.Network]] = {
    "copy": lambda net, path: net.copy(),
    "save": lambda net, path: (net.save(path), cep.load(path))[1],  # type: ignore[func-returns-value]
    "to_torch": lambda net, path: cep.from_torch(net.to_torch()),
}


@pytest.mark.parametrize("way", COPIES)
def test_copies_are_of_one_moment(
    way: str, digits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if another thread trains a batch between two reads of the network.

    Here this thread trains the batch at the moments when the other thread could run.
    """
    if way == "to_torch":
        pytest.importorskip("torch")
    net = cep.Network([64, 48, 30, 10], seed=0)
    moments = [digest(parameters(net))]
    view, checksum = cep.Network._view, tensor_files.checksum
    is_copying = True

    def take_turn() -> None:
        nonlocal is_copying
        if is_copying:
            is_copying = False
            cep.train_batch(net, digits[0][:20], digits[1][:20], cep.EP(2, 2, 0.5, 0.05))
            moments.append(digest(parameters(net)))
            is_copying = True

    def view_later(self: cep.Network, kind: int, index: int) -> Any:
        take_turn()
        return view(self, kind, index)

    def checksum_early(state: str, tensors: Any) -> str:
        result = checksum(state, tensors)
        take_turn()
        return result

    monkeypatch.setattr(cep.Network, "_view", view_later)
    monkeypatch.setattr(tensor_files, "checksum", checksum_early)
    copied = COPIES[way](net, tmp_path / "net.safetensors")
    is_copying = False
    assert len(set(moments)) == len(moments) > 5
    assert digest(parameters(copied)) in moments


def test_what_is_pickled_is_of_one_moment(digits: Any) -> None:
    """It is a copy: a training thread does not write to it while pickle reads it."""
    net = cep.Network([64, 48, 10], seed=0)
    net.free_phase(digits[0][:20], 3)
    before = digest(parameters(net))
    state = net.__getstate__()
    cep.train_batch(net, digits[0][:20], digits[1][:20], RULE)
    assert digest(state["parameters"]) == before != digest(parameters(net))
    for kept in (*state["parameters"], *state["states"]):
        assert not any(np.shares_memory(kept, live) for live in (*net.parameters(), *net.states))


def test_threads_may_share_a_network_in_turn(digits: Any) -> None:
    x, y = digits[0][:100], digits[1][:100]
    net, expected = (cep.Network([64, 48, 10], seed=0) for _ in range(2))
    for _ in range(3):
        cep.train_batch(expected, x, y, RULE)
        thread = threading.Thread(target=cep.train_batch, args=(net, x, y, RULE))
        thread.start()
        thread.join()
    assert fingerprint(net) == fingerprint(expected)


def test_a_second_thread_is_refused(digits: Any, tmp_path: Path) -> None:
    """A callback pauses the training while the second thread tries all calls."""
    training, tried = threading.Event(), threading.Event()

    class Holding(cep.Callback):
        batch_interval = None

        def on_progress(self, state: cep.Training) -> None:
            # After the first batch, whose results are checked, the network is free for a moment.
            if state.position.batch > 1:
                training.set()
                assert tried.wait(timeout=60)

    x, y = np.tile(digits[0], (10, 1)), np.tile(digits[1], 10)
    net = cep.Network([64, 128, 10], seed=0)
    net.free_phase(x[:5], 1)

    def fit(net: cep.Network, holds: bool) -> None:
        callbacks = [Holding()] if holds else []
        cep.fit(net, (x, y), RULE, epochs=1, seed=0, progress=False, callbacks=callbacks)

    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(fit, net, True)
        try:
            assert training.wait(timeout=60)
            attempts: list[Callable[[], Any]] = [
                lambda: net.free_phase(x[:5], 3),
                lambda: net.nudged_phase(y[:20], 0.5, 3),
                lambda: cep.train_batch(net, x[:5], y[:5], RULE),
                lambda: cep.evaluate(net, (x[:5], y[:5]), 3),
                lambda: net.predict(x[:5], 3),
                lambda: cep.gradient(net, x[:5], y[:5], RULE),
                lambda: cep.gdu_check(net, x[:5], y[:5], free_steps=9, nudged_steps=3, beta=0.1),
                net.energy,
                net.feedback_angles,
                net.copy,
                lambda: net.save(tmp_path / "net.safetensors"),
                lambda: net.weights[0],
                lambda: net.random_state,
                lambda: fit(net, False),
            ]
            for attempt in attempts:
                with pytest.raises(RuntimeError, match="in use by another thread"):
                    attempt()
        finally:
            tried.set()
        future.result(timeout=60)
    undisturbed = cep.Network([64, 128, 10], seed=0)
    fit(undisturbed, False)
    assert all(np.isfinite(array).all() for array in parameters(net))
    assert same(parameters(net), parameters(undisturbed))


SHARED_STEPS = """
import threading
import numpy as np
import cep

x, y = np.random.default_rng(0).random((3, 4), dtype=np.float32), np.arange(3)
rule = cep.CEP(3, 20, 0.5, 0.01)
# The middle weights are large, so that it takes a while to compute them.
net, recorded = (cep.Network([4, 1500, 1500, 3], seed=1) for _ in range(2))
with cep.trace(recorded, layers=()) as trace:
    cep.train_batch(recorded, x, y, rule)
expected = trace.nudged.weights[1]
threads, equal, refused, unexpected = [], [], [], []
threading.excepthook = lambda arguments: unexpected.append(arguments.exc_value)

def take(step, connection):
    try:
        return np.asarray(step.array("weights", connection))
    except RuntimeError as error:
        assert "the step is in use by another thread" in str(error), error

def take_most(step, moment):
    while (array := take(step, 1)) is None:
        pass
    equal.append(np.array_equal(array, expected[moment]))

def leave_it_to_another(step):
    moment, _, _, weights_move = step.summary()
    if not weights_move:
        return
    threads.append(threading.Thread(target=take_most, args=(step, moment)))
    threads[-1].start()
    while threads[-1].is_alive():
        if take(step, 0) is None:
            refused.append(moment)
            break

net._observer = leave_it_to_another
cep.train_batch(net, x, y, rule)
for thread in threads:
    thread.join()
assert not unexpected, unexpected
assert refused
assert equal == [True] * 21, equal
assert all(map(np.array_equal, net.parameters(), recorded.parameters()))
print("fine")
"""


def test_one_thread_at_a_time_reads_a_step(run_script: Callable[..., str]) -> None:
    """A second one is refused, and the phase waits for a call still running in the step
    function.
    """
    assert run_script(SHARED_STEPS) == "fine\n"


# Endless calls: 0.5 − 10 s changes its sign for ever, so that no phase ends early.
ENDLESS = """
import sys, threading, time
import numpy as np
import cep

net = cep.Network([64, 128, 10], seed=0)
oscillator = cep.Network([1, 1, 1], activation="tanh", seed=0)
untied_oscillator = cep.Network([1, 1, 1], activation="tanh", feedback="untied", seed=0)
for network in (oscillator, untied_oscillator):
    for connection, weight in enumerate([0, -10]):
        network.weights[connection][...] = weight
        network.biases[connection][...] = 0.5
untied_oscillator.feedback_weights[1][...] = -10
x, y = np.random.default_rng(0).random((100_000, 64), dtype=np.float32), np.arange(100_000) % 10
rule = cep.CEP(30, 10, 0.5, 0.01)
calls = {
    "fit": lambda: cep.fit(net, (x, y), rule, 10**6, progress=False),
    "fit with a bar": lambda: cep.fit(net, (x, y), rule, 10**6),
    "train_batch": lambda: cep.train_batch(oscillator, [[0.0]], [0], cep.EP(2**62, 1, 0.1, 0.1)),
    "free_phase": lambda: oscillator.free_phase([[0.0]], 2**62),
    "evaluate": lambda: cep.evaluate(oscillator, ([[0.0]], [0]), 2**62),
    "predict": lambda: oscillator.predict([[0.0]], 2**62),
    "nudged_phase": lambda: oscillator.nudged_phase([[0.0]], 0.1, 2**62),
    "train_batch, C-EP": lambda: cep.train_batch(
        oscillator, [[0.0]], [0], cep.CEP(2, 2**62, 0.1, 1e-30)
    ),
    "train_batch, C-VF": lambda: cep.train_batch(
        untied_oscillator, [[0.0]], [0], cep.CEP(2, 2**62, 0.1, 1e-30)
    ),
    "gradient": lambda: cep.gradient(oscillator, [[0.0]], [0], cep.BPTT(2**62, last_steps=2)),
    "recurrent gradient": lambda: cep.gradient(
        oscillator, [[0.0]], [0], cep.RBP(2**62)
    ),
    "gdu_check": lambda: cep.gdu_check(
        oscillator, [[0.0]], [0], free_steps=2**62, nudged_steps=2, beta=0.1
    ),
}
oscillator.free_phase([[0.0]], 2)
call = calls[sys.argv[1]]
"""
CALLS = [
    *("fit", "fit with a bar", "train_batch", "free_phase", "evaluate", "predict", "nudged_phase"),
    *("train_batch, C-EP", "train_batch, C-VF", "gradient", "recurrent gradient", "gdu_check"),
]

INTERRUPTED = """
ticks, done = [], threading.Event()

def tick():
    while not done.is_set():
        ticks.append(time.monotonic())
        time.sleep(0.001)

threading.Thread(target=tick, daemon=True).start()
print("ready", flush=True)
try:
    call()
except KeyboardInterrupt:
    print(time.monotonic())
    done.set()
    print(len(ticks), np.diff(ticks).max())
    for network in (net, oscillator):
        assert all(np.isfinite(array).all() for array in (*network.weights, *network.biases))
        network.predict(np.zeros((1, network.sizes[0])), 5)  # It can be used again.
    print("usable")
"""


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(
            call, marks=[pytest.mark.slow] * (call not in ("fit", "evaluate", "gdu_check"))
        )
        for call in CALLS
    ],
)
def test_control_c_interrupts(call: str, tmp_path: Path) -> None:
    """Another thread ticks every millisecond; the GIL is never held for long."""
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS + INTERRUPTED, call],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        assert process.poll() is None, "the call was to be an endless one"
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, err
    interrupted, ticking, usable = out.splitlines()
    ticks, longest_silence = ticking.split()
    assert int(ticks) > 35
    assert float(longest_silence) < 0.4
    assert float(interrupted) - sent < 1.5  # All processes use one clock.
    assert usable == "usable"


BACKWARDS = """
import _thread, threading, time
import cep
net = cep.Network([1, 1, 1], activation="tanh", seed=0)
check = lambda steps: cep.gdu_check(
    net, [[0.3]], [0], free_steps=steps, nudged_steps=steps, beta=0.1)
check(1000)
start = time.monotonic()
check(100_000)
whole = time.monotonic() - start
# About a third of the time each: the free phase, the gradients, the nudged phase.
for share in (0.1, 0.3, 0.5, 0.7, 0.9):
    sent = []
    def interrupt():
        sent.append(time.monotonic())
        _thread.interrupt_main()
    timer = threading.Timer(share * whole, interrupt)
    timer.start()
    try:
        check(100_000)
        print(0)  # Faster than the time before.
    except KeyboardInterrupt:
        print((time.monotonic() - sent[0]) / whole)
    timer.cancel()
    timer.join()
"""


def test_control_c_interrupts_a_theorem_check_wherever_it_is(
    run_script: Callable[..., str],
) -> None:
    late = [float(line) for line in run_script(BACKWARDS, timeout=100).split()]
    assert len(late) == 5
    assert max(late) < 0.1


DAEMON = """
import threading, time
import numpy as np
import cep
net = cep.Network([64, 128, 10], seed=0)
x, y = np.random.default_rng(0).random((2000, 64)), np.arange(2000) % 10
rule = cep.EP(30, 10, 0.5, 0.01)
work = lambda: cep.fit(net, (x, y), rule, 10**6, progress=False)
threading.Thread(target=work, daemon=True).start()
time.sleep(0.3)
print("ends")
"""


def test_the_interpreter_ends_while_a_daemon_thread_trains(run_script: Callable[..., str]) -> None:
    for _ in range(5):
        assert run_script(DAEMON, timeout=60) == "ends\n"


FORKED = """
import hashlib, os, sys
import numpy as np
import cep

def train():
    net = cep.Network([64, 128, 10], seed=0)
    x, y = np.random.default_rng(0).random((600, 64)), np.arange(600) % 10
    cep.fit(net, (x, y), cep.CEP(30, 10, 0.5, 0.01), 2, seed=0, progress=False)
    return hashlib.sha256(net.weights[0].tobytes()).hexdigest()

before = train()
child = os.fork()
if child == 0:
    os._exit(0 if train() == before else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), train() == before)
"""


def test_a_forked_process_trains_the_same(run_script: Callable[..., str]) -> None:
    assert run_script(FORKED, timeout=60) == "0 True\n"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one processor")
def test_numpy_keeps_its_threads(run_script: Callable[..., str]) -> None:
    """Two OpenBLAS are in one process: that of cep uses one thread, and leaves the other alone."""
    program = """
import os
os.environ["OPENBLAS_NUM_THREADS"] = "2"
import numpy as np
from threadpoolctl import threadpool_info
def threads():
    pools = threadpool_info()
    return {each["filepath"]: each["num_threads"] for each in pools if "openblas" in each["prefix"]}
numpys = threads()
import cep
both = threads()
cep.set_num_threads(1)
net = cep.Network([300, 200, 10], seed=0)
cep.gradient(net, np.zeros((64, 300)), np.zeros(64, int), cep.BPTT(5))
after = threads()
(numpy,), (ours,) = numpys, both.keys() - numpys
print(numpys[numpy] == after[numpy], both[ours], after[ours])
"""
    assert run_script(program) == "True 2 2\n"
