"""Calls longer than a millisecond let other threads run: the GIL is released in all of them."""

import copy
import pickle
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cep
from cep import _cep

pytestmark = pytest.mark.once

RELEASED = {
    "Network": {
        *("copy", "free_phase", "nudged_phase", "train_batch", "train_epoch", "gradient"),
        *("check_theorem", "energy", "feedback_angle", "check_samples", "evaluate", "predict"),
        *("array", "prepare_optimizer"),
    },
    "Theorem": {"summary", "compare"},
    "Step": {"array"},
}
# Their duration does not depend on the size of networks or data.
HELD = {
    "Network": {
        *("get_random_state", "set_random_state"),
        *("optimizer", "set_optimizer_steps", "optimizer_array", "parameters", "devices"),
    },
    "Gradient": {"array"},
    "Step": {"summary"},
}


def test_it_is_known_of_every_function_of_the_engine() -> None:
    """A new function must be tested below, or take microseconds."""
    for name in ("Network", "Gradient", "Theorem", "Array", "Step"):
        methods = {method for method in vars(getattr(_cep, name)) if not method.startswith("__")}
        assert methods == RELEASED.get(name, set()) | HELD.get(name, set())
    functions = {name for name, value in vars(_cep).items() if callable(value)}
    types = {"Network", "Gradient", "Theorem", "Array", "Step", "DivergenceError"}
    settings = {
        "instruction_set",
        "get_num_threads",
        "set_num_threads",
        "option_words",
        "pulse_response",
    }
    assert {name for name in functions if not name.startswith("__")} == types | settings


X, Y = np.random.default_rng(0).random((500, 784), dtype=np.float32), np.arange(500) % 10
SIZES = [784, 2000, 2000, 10]
NOT_FINITE = np.tile(X, (100, 1))
NOT_FINITE[-1, -1] = np.nan


def refused(function: Callable[..., Any], *arguments: Any) -> None:
    with pytest.raises(ValueError, match="not finite"):
        function(*arguments)


CALLS: dict[str, Callable[[cep.Network, Path], object]] = {
    "create": lambda net, path: net.like(),
    "free_phase": lambda net, path: net.free_phase(X, 4),
    "nudged_phase": lambda net, path: net.nudged_phase(Y[:500], 0.5, 4),
    "train_batch": lambda net, path: cep.train_batch(net, X, Y, cep.CEP(2, 2, 0.5, 0.01)),
    "fit": lambda net, path: cep.fit(
        net, (X, Y), cep.EP(2, 2, 0.5, 0.01), 1, batch_size=100, progress=False
    ),
    "evaluate": lambda net, path: cep.evaluate(net, (X, Y), 4),
    "predict": lambda net, path: net.predict(X, 4),
    "gradient": lambda net, path: cep.gradient(net, X[:50], Y[:50], cep.BPTT(4)),
    "gdu_check": lambda net, path: cep.gdu_check(
        cep.Network([784, 400, 10], seed=0), X[:20], Y[:20], free_steps=60, nudged_steps=3, beta=0.1
    ),
    "energy": lambda net, path: net.energy(),
    "feedback_angles": lambda net, path: untied.feedback_angles(),
    "inputs that are refused": lambda net, path: refused(net.free_phase, NOT_FINITE, 1),
    "data that is refused": lambda net, path: refused(
        lambda: cep.fit(
            net, (NOT_FINITE, np.zeros(50_000, int)), cep.EP(1, 1, 1, 0.1), 1, progress=False
        )
    ),
    "copy": lambda net, path: net.copy(),
    "copy, the engine's part": lambda net, path: net._frozen(),
    "deepcopy": lambda net, path: copy.deepcopy(net),
    "save": lambda net, path: net.save(path),
    "load": lambda net, path: cep.load(path),
}
untied = cep.Network(SIZES, feedback="untied", seed=0)


@pytest.fixture(scope="module")
def net() -> cep.Network:
    net = cep.Network(SIZES, seed=0)
    net.free_phase(X, 1)
    return net


@pytest.fixture(autouse=True)
def others_run_only_where_they_may() -> Iterator[None]:
    """The engine leaves a processor free, and Python threads do not have to give up the GIL."""
    threads, interval = cep.get_num_threads(), sys.getswitchinterval()
    cep.set_num_threads(1)
    sys.setswitchinterval(60)
    yield
    sys.setswitchinterval(interval)
    cep.set_num_threads(threads)


@contextmanager
def ticking() -> Iterator[list[float]]:
    """The times at which another thread could run; it tries every half millisecond."""
    ticks: list[float] = []
    done = threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.0005)

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield ticks
    finally:
        done.set()
        thread.join()


def least_silence(prepare: Callable[[], Callable[[], object]], enough: float) -> float:
    """The longest time of a call in which no other thread could run, as a share of its duration.

    If the GIL is held throughout, it is 1. Because the processors may be busy, the result is the
    minimum of ten attempts, or the first one that is small enough.
    """
    shares = []
    for _ in range(10):
        call = prepare()
        with ticking() as ticks:
            time.sleep(0.002)
            start = time.perf_counter()
            result = call()
            end = time.perf_counter()
        del result  # The time of freeing memory is not part of the call.
        assert end - start > 0.002, "the test's own premise: a call that takes long"
        moments = [start, *(tick for tick in ticks if start < tick < end), end]
        shares.append(float(np.diff(moments).max() / (end - start)))
        if shares[-1] < enough:
            break
    return min(shares)


@pytest.mark.parametrize("name", CALLS)
def test_other_threads_run_during(name: str, net: cep.Network, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    net.save(path)
    assert least_silence(lambda: partial(CALLS[name], net, path), enough=0.5) < 0.5


def test_pickling_lets_other_threads_run_where_it_copies(net: cep.Network) -> None:
    """pickle itself holds the GIL; its arguments are copied without it."""
    assert least_silence(lambda: partial(pickle.dumps, net), enough=1) < 1
    assert len(pickle.dumps(net)) > 20_000_000


def test_other_threads_run_while_memory_is_given_back() -> None:
    """Large memory is returned to the system at once; small arrays would be returned later."""
    assert least_silence(lambda: [cep.Network([10, 9_000_000, 1])].clear, enough=0.5) < 0.5
