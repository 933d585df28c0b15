"""The engine works in several interpreters of one process at once.

This holds for the extension only: NumPy, which `import cep` needs, refuses interpreters with their
own GIL. The extension is one file that all versions of Python can load.
"""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

VERSIONS = [f"python3.{minor}" for minor in (12, 13, 14)]

# Without NumPy, which other versions of Python may not have.
TRAIN = """
import array, hashlib, importlib.util, sys

def load():
    spec = importlib.util.spec_from_file_location("cep._cep", {extension!r})
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

def train(engine, seed, batches=40):
    x = memoryview(array.array("f", [(7 * i % 11) / 11 for i in range(20 * 64)]))
    x = x.cast("B").cast("f", shape=[20, 64])
    y = memoryview(array.array("q", [i % 10 for i in range(20)]))
    net = engine.Network(dict(sizes=(64, 128, 10), seed=seed))
    rule = dict(rule="cep", free_steps=30, nudged_steps=10, beta=0.5, learning_rates=(0.01, 0.01))
    for _ in range(batches):
        net.train_batch(x, y, rule, None)
    try:
        net.free_phase(x, 0, False, None)
    except ValueError as error:
        assert "steps" in str(error)
    try:
        net.nudged_phase(y, 1e30, 100, None)
    except engine.DivergenceError:
        pass
    return hashlib.sha256(memoryview(net.array("weights", 0)).tobytes()).hexdigest()
"""
TOGETHER = """
import threading
try:
    import _interpreters as interpreters
    create = lambda: interpreters.create("isolated")
    execute = lambda number, code: interpreters.exec(number, code)
except ImportError:
    import _xxsubinterpreters as interpreters
    create = interpreters.create
    execute = interpreters.run_string

engine = load()
expected = [train(engine, seed) for seed in range(3)]
failures = []

def work(seed):
    for _ in range(3):
        number = create()
        code = SOURCE + f"assert train(load(), {seed}) == {expected[seed]!r}"
        error = execute(number, code)
        if error is not None:
            failures.append(error)
        interpreters.destroy(number)

threads = [threading.Thread(target=work, args=(seed,)) for seed in range(2)]
for thread in threads:
    thread.start()
assert train(engine, 2) == expected[2]
for thread in threads:
    thread.join()
assert not failures, failures
assert train(engine, 0) == expected[0], "the main interpreter still works"
print("fine")
"""


def run(python: str, program: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [python, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


def source() -> str:
    spec = importlib.util.find_spec("cep._cep")
    assert spec is not None
    return TRAIN.replace("{extension!r}", repr(spec.origin))


@pytest.mark.parametrize("python", [sys.executable, *VERSIONS], ids=["this", *VERSIONS])
def test_two_interpreters_at_once(python: str) -> None:
    if shutil.which(python) is None or run(python, "").returncode != 0:
        pytest.skip(f"{python} is not installed")
    done = run(python, f"SOURCE = {source()!r}\n{source()}{TOGETHER}")
    assert (done.stdout, done.returncode) == ("fine\n", 0), done.stderr


IMPORTING = """
try:
    import _interpreters as interpreters
    number = interpreters.create("legacy")
    error = interpreters.exec(number, CODE)
    assert error is None, error
except ImportError:
    import _xxsubinterpreters as interpreters
    number = interpreters.create()
    interpreters.run_string(number, CODE)
"""
CODE = """
try:
    import cep
    import numpy as np
    cep.Network([4, 5, 3], seed=0).free_phase(np.zeros((2, 4)), 3)
except ImportError:
    pass
"""


def test_importing_the_package_works_or_says_that_it_does_not(tmp_path: Path) -> None:
    """NumPy decides by its version; it never crashes."""
    done = run(sys.executable, f"CODE = {CODE!r}\n{IMPORTING}")
    assert done.returncode == 0, done.stderr
