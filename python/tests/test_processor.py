"""Instruction sets differ by rounding only; results do not depend on the number of threads."""

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cep

# Trains networks of both kinds, prints a hash of the parameters, and saves them.
PROGRAM = """
import hashlib, sys
import numpy as np
import cep
random = np.random.default_rng(0)
x, y = random.random((64, 300)), random.integers(0, 10, 64)
parameters = []
for feedback, sizes, dtype in (
    ("tied", [300, 520, 515, 10], "float32"),
    ("tied", [300, 256, 10], "float32"),
    ("untied", [300, 256, 10], "float64"),
    ("untied", [300, 250, 250, 10], "float32"),
):
    net = cep.Network(sizes, feedback=feedback, dtype=dtype, seed=0)
    for kind in (cep.EP, cep.CEP):
        cep.fit(net, (x, y), kind(12, 6, 0.5, 0.01), 1, batch_size=32, seed=0, progress=False)
    parameters += [p.astype(np.float64).ravel() for p in net.parameters()]
everything = np.concatenate(parameters)
digest = hashlib.sha256(everything.tobytes()).hexdigest()
print(cep.instruction_set(), cep.get_num_threads(), digest)
np.save(sys.argv[1], everything)
"""


def run(path: os.PathLike[str], **environment: str) -> tuple[list[str], np.ndarray]:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, os.fspath(path)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.split(), np.load(path)


def test_threads_and_time_change_no_bit(tmp_path) -> None:
    """The same program repeatedly, each time in its own process."""
    counts = ["1", "1", "2", "2", "3", "8"]
    runs = [run(tmp_path / "p.npy", CEP_NUM_THREADS=count)[0] for count in counts]
    assert [threads for _, threads, _ in runs] == counts
    assert len({digest for _, _, digest in runs}) == 1


OF_EACH_RULE = {
    "EP": lambda rates: cep.EP(5, 3, 0.5, rates),
    "EP, summed": lambda rates: cep.EP(5, 3, 0.5, rates, accumulate=True),
    "C-EP": lambda rates: cep.CEP(5, 3, 0.5, rates),
    "C-EP, written": lambda rates: cep.CEP(5, 3, 0.5, rates, write_every_step=True),
    "EP, symmetric": lambda rates: cep.EP(5, 3, 0.5, rates, beta_sign="symmetric"),
    "BPTT": lambda rates: cep.BPTT(5, learning_rates=rates),
    "RBP": lambda rates: cep.RBP(5, tolerance=0.5, learning_rates=rates),
}


@settings(max_examples=60)
@given(
    sizes=st.tuples(
        st.integers(1, 400),
        st.lists(st.sampled_from([1, 9, 17, 64, 100, 513, 2000]), min_size=1, max_size=2),
        st.integers(1, 20),
    ),
    batch=st.integers(1, 150),
    rule=st.sampled_from(sorted(OF_EACH_RULE)),
    setting=st.sampled_from(["prototypical", "real-time"]),
    feedback=st.sampled_from(["tied", "untied"]),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_networks_of_any_shape_do_not_depend_on_threads(
    sizes: tuple[int, list[int], int],
    batch: int,
    rule: str,
    setting: str,
    feedback: str,
    dtype: str,
) -> None:
    """Rows are divided among threads differently each time; no bit may depend on it."""
    units = [sizes[0], *sizes[1], sizes[2]]
    random = np.random.default_rng(0)
    x, y = random.random((batch, units[0])), random.integers(0, units[-1], batch)
    before = cep.get_num_threads()
    outcomes = set()
    try:
        for threads in (1, 2, 3, 5, 8):
            cep.set_num_threads(threads)
            net = cep.Network(units, setting=setting, feedback=feedback, dtype=dtype, seed=0)
            # The terms of RBP may grow; its progress then leaves no trace.
            with contextlib.suppress(cep.DivergenceError):
                cep.train_batch(net, x, y, OF_EACH_RULE[rule](0.01))
            net.free_phase(x, 3)
            everything = [*net.parameters(), *net.states]
            outcomes.add(hashlib.sha256(b"".join(a.tobytes() for a in everything)).hexdigest())
    finally:
        cep.set_num_threads(before)
    assert len(outcomes) == 1


@pytest.mark.parametrize("name", ["baseline", "avx2", "avx512"])
def test_instruction_sets_agree(name: str, tmp_path) -> None:
    (widest, _, _), reference = run(tmp_path / "reference.npy", CEP_INSTRUCTION_SET="baseline")
    assert widest == "baseline"
    try:
        (used, _, _), parameters = run(tmp_path / "parameters.npy", CEP_INSTRUCTION_SET=name)
    except AssertionError as error:
        assert "this processor has" in str(error)  # noqa: PT017
        pytest.skip(f"this processor does not have {name}")
    assert used == name
    # As stated in docs/robustness.md. Parameters are below 0.1, where float32 numbers are 7e-9
    # apart; states are sums of some hundred products, and affect parameters in four batches.
    assert np.abs(parameters - reference).max() < 1e-5
    assert name == "baseline" or not np.array_equal(parameters, reference)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CEP_INSTRUCTION_SET", "mmx", "asks for mmx; this processor has baseline"),
        ("CEP_NUM_THREADS", "many", "asks for many threads; expected 1 to 1024"),
        ("CEP_NUM_THREADS", "0", "asks for 0 threads; expected 1 to 1024"),
        ("CEP_NUM_THREADS", "1025", "asks for 1025 threads; expected 1 to 1024"),
    ],
)
def test_invalid_settings_are_refused(name: str, value: str, message: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "import cep; cep.Network([2, 3, 2])"],
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert f"ValueError: {name} {message}" in result.stderr


@pytest.mark.parametrize(
    ("cep_threads", "openmp_threads", "expected"),
    [
        ("3", "5", 3),
        ("", "6,2", 6),
        *(
            pytest.param("", text, expected, marks=pytest.mark.slow)
            for text, expected in [
                ("5", 5),
                ("99999", 1024),
                ("0", None),
                ("many", None),
                ("", None),
            ]
        ),
    ],
)
def test_the_environment_sets_the_number_of_threads(
    cep_threads: str, openmp_threads: str, expected: int | None
) -> None:
    # Without a valid number, the default is the same as with neither variable.
    program = "import cep; print(cep.get_num_threads())"
    counts = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"CEP_NUM_THREADS": own, "OMP_NUM_THREADS": openmp},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for own, openmp in ((cep_threads, openmp_threads), ("", ""))
    ]
    assert int(counts[0]) == (int(counts[1]) if expected is None else expected)


def test_the_number_of_threads_is_set() -> None:
    before = cep.get_num_threads()
    try:
        cep.set_num_threads(3)
        assert cep.get_num_threads() == 3
        for wrong, error in (
            (0, ValueError),
            (-1, ValueError),
            (1025, ValueError),
            (1.0, TypeError),
        ):
            with pytest.raises(error):
                cep.set_num_threads(wrong)
        assert cep.get_num_threads() == 3
    finally:
        cep.set_num_threads(before)


def test_threads_survive_a_fork() -> None:
    """A forked child has none of the parent's threads."""
    program = (
        "import os, numpy as np, cep\n"
        "cep.set_num_threads(2)\n"
        "net = cep.Network([600, 900, 900, 10], seed=0)\n"
        "x = np.random.default_rng(0).random((64, 600))\n"
        "net.free_phase(x, 5)\n"
        "wanted = net.states[1].tobytes()\n"
        "child = os.fork()\n"
        "net.free_phase(x, 5)\n"
        "same = net.states[1].tobytes() == wanted\n"
        "if child == 0:\n"
        "    os._exit(0 if same else 3)\n"
        "print(same, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, timeout=60
    )
    assert result.stdout.split() == ["True", "0"], result.stderr


FEWER = """
import pathlib
import cep, numpy as np

def seconds():
    tasks = pathlib.Path("/proc/self/task").iterdir()
    return {task.name: int((task / "schedstat").read_text().split()[0]) / 1e9 for task in tasks}

net = cep.Network([300, 520, 515, 10], seed=0)
x, y = np.random.default_rng(0).random((640, 300)), np.arange(640) % 10

def threads_at_work(count):
    cep.set_num_threads(count)
    before = seconds()
    cep.fit(net, (x, y), cep.CEP(12, 30, 0.5, 0.01), 1, batch_size=32, seed=0, progress=False)
    after = seconds()
    work = {name: after[name] - before.get(name, 0) for name in after}
    return sum(spent > 0.02 * max(work.values()) for spent in work.values())

print(threads_at_work(8), threads_at_work(2), threads_at_work(1), threads_at_work(3))
"""


def test_surplus_threads_wait(run_script: Callable[..., str]) -> None:
    """Threads of a larger number set before stay for later use."""
    eight, two, one, three = map(int, run_script(FEWER, timeout=100).split())
    assert eight > 3, "the test's own premise: there are more threads than will be asked for"
    assert two <= 2
    assert one == 1
    assert three <= 3
