"""Whole epochs, concurrent networks, and memory.

    CEP_DATA=<folder of the MNIST files> python benchmarks/throughput.py

Prints the seconds of a C-EP-1h epoch on MNIST with data handling and evaluation, the speed of two
networks in two Python threads relative to one, and the memory of a training step in addition to the
parameters.
"""

import os
import resource
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
from rows import ROWS, Row

import cep

ROUNDS = 5


def network(row: Row, seed: int = 0) -> cep.Network:
    """A network of a row."""
    return cep.Network(row.sizes, feedback="untied" if row.untied else "tied", seed=seed)


def rule(row: Row) -> cep.EP | cep.CEP:
    """The row's learning rule."""
    kind = cep.CEP if row.continual else cep.EP
    return kind(row.free_steps, row.nudged_steps, row.beta, row.learning_rates)


def seconds(work: Callable[[], object]) -> float:
    """Seconds of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def epochs() -> None:
    """Two epochs of C-EP-1h and of EP-1h on MNIST, each with an evaluation on the test images."""
    training_data, test_data = cep.datasets.mnist()
    for row in (ROWS[1], ROWS[0]):
        history = cep.fit(
            network(row), training_data, rule(row), 2, 20, test_data, seed=0, progress=False
        )
        times = ", ".join(f"{value:.2f} s" for value in history.seconds)
        error = history.validation_error[-1]
        print(f"{row.name}: epochs of {times}; test error {error:.2%} after two")


def side_by_side() -> None:
    """Train two networks at once from Python threads, and one at a time."""
    random = np.random.default_rng(0)
    for row, batches in ((ROWS[1], 500), (ROWS[3], 25)):
        x = random.random((20 * batches, row.sizes[0]), dtype=np.float32)
        y = random.integers(0, row.sizes[-1], len(x))
        nets = [network(row, seed) for seed in range(2)]

        def train(net: cep.Network, row: Row = row, x: np.ndarray = x, y: np.ndarray = y) -> None:
            cep.fit(net, (x, y), rule(row), 1, 20, seed=0, progress=False)

        def both(nets: list[cep.Network] = nets, train: Callable = train) -> None:
            threads = [threading.Thread(target=train, args=(net,)) for net in nets]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        one, two = [], []
        threads = cep.get_num_threads()
        for _ in range(ROUNDS):
            cep.set_num_threads(1)
            one.append(seconds(lambda train=train, nets=nets: train(nets[0])))
            cep.set_num_threads(threads)
            two.append(seconds(both))
        ratio = 2 * statistics.median(one) / statistics.median(two)
        print(f"{row.name}: two networks in two threads train {ratio:.2f} times as fast as one")


def resident() -> float:
    """Peak memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory_of(row: Row) -> tuple[float, float]:
    """The parameters of a row, and all memory that creating and training the network adds, in
    MB.
    """
    random = np.random.default_rng(0)
    x, y = random.random((20, row.sizes[0]), dtype=np.float32), np.arange(20) % row.sizes[-1]
    before = resident()
    net = network(row)
    for _ in range(3):
        cep.train_batch(net, x, y, rule(row))
    return sum(array.nbytes for array in net.parameters()) / 1e6, resident() - before


def memory() -> None:
    """The memory of training, each row in its own process."""
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        for row, (parameters, added) in zip(ROWS, processes.map(memory_of, ROWS), strict=True):
            print(f"{row.name}: training takes {added:.1f} MB, {parameters:.1f} of it parameters")


def main() -> None:
    """Print everything."""
    memory()
    side_by_side()
    if "CEP_DATA" in os.environ:
        epochs()
    else:
        print("CEP_DATA is not set: no epochs on MNIST")


if __name__ == "__main__":
    main()
