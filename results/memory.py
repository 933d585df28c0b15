"""Measure resident memory over a long training run, and over 10,000 networks that are deleted.

A line is fitted to the resident memory after each of many rounds. The first fifth of the rounds is
left out, because memory pools of the interpreter and of the C library grow during this time. Prints
the slopes with twice their standard errors, and writes memory.md beside this file:

    python results/memory.py

It exits with status 1 if memory grows: if a slope is larger than twice its standard error and adds
up to more than a megabyte over the whole run.
"""

import gc
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

import cep

HERE = Path(__file__).resolve().parent
POINTS = 200
LARGEST_GROWTH = 2**20


@dataclass(frozen=True)
class Fit:
    """Resident memory against rounds."""

    rounds: int
    first: float
    last: float
    slope: float
    error: float

    @property
    def grows(self) -> bool:
        growth = self.slope * self.rounds
        return self.slope > 2 * self.error and growth > LARGEST_GROWTH


def main() -> None:
    works: dict[str, tuple[int, Callable[[int, Callable[[], None]], None]]] = {
        "epochs of one training run": (2_000, long_run),
        "networks created, trained and deleted": (10_000, many_networks),
    }
    lines = [
        "| | rounds | first | last | bytes per round | over all rounds | |",
        "|---|---|---|---|---|---|---|",
    ]
    grows = False
    for name, (rounds, work) in works.items():
        fit = measured(rounds, work)
        grows |= fit.grows
        lines.append(
            f"| {name} | {fit.rounds:,} | {fit.first / 2**20:.1f} MiB | {fit.last / 2**20:.1f} MiB "
            f"| {fit.slope:+.1f} ± {2 * fit.error:.1f} | {fit.slope * fit.rounds / 1024:+.0f} KiB "
            f"| {'GROWS' if fit.grows else 'no growth'} |"
        )
        print(lines[-1], flush=True)
    comment = f"""# Memory over time

Written by `python results/memory.py`. The resident memory of one process was measured {POINTS}
times, and a line was fitted to the last four fifths of the values. The table shows its slope ±
twice the standard error. In the first row, a round is one epoch of C-EP on 360 of the digits with
evaluation. Its history stores five numbers, which are 160 bytes. In the second row, a round
creates a network 784-128-10, runs a free phase and a batch of C-EP, of EP and of BPTT, copies the
network and deletes it.
"""
    (HERE / "memory.md").write_text("\n".join([comment, *lines]) + "\n")
    sys.exit(grows)


def long_run(rounds: int, ended: Callable[[], None]) -> None:
    """Train C-EP on the digits, one epoch at a time."""
    data, test = cep.datasets.split(cep.datasets.digits(), 1437)
    cep.fit(
        cep.Network([64, 32, 10], seed=0),
        data,
        cep.CEP(20, 8, 0.5, [0.03, 0.008]),
        rounds,
        validation_data=(test[0][:100], test[1][:100]),
        seed=0,
        progress=False,
        on_epoch_end=lambda history: ended(),
    )


def many_networks(rounds: int, ended: Callable[[], None]) -> None:
    """Train networks with each kind of rule, copy them and delete them."""
    x = np.random.default_rng(0).random((20, 784), dtype=np.float32)
    y = np.arange(20) % 10
    rules = (cep.CEP(3, 2, 0.5, 0.1), cep.EP(3, 2, 0.5, 0.1), cep.BPTT(3, learning_rates=0.1))
    for seed in range(rounds):
        net = cep.Network([784, 128, 10], seed=seed)
        net.free_phase(x, 2)
        for rule in rules:
            cep.train_batch(net, x, y, rule)
        net.copy()
        ended()


def measured(rounds: int, work: Callable[[int, Callable[[], None]], None]) -> Fit:
    process = psutil.Process(os.getpid())
    resident, number = [], 0

    def ended() -> None:
        nonlocal number
        number += 1
        if number % (rounds // POINTS) == 0:
            gc.collect()
            resident.append(process.memory_info().rss)

    work(rounds, ended)
    at = np.arange(1, POINTS + 1) * (rounds // POINTS)
    return fitted(rounds, at[POINTS // 5 :], np.array(resident[POINTS // 5 :]))


def fitted(rounds: int, at: NDArray[np.int64], resident: NDArray[np.int64]) -> Fit:
    """Least squares, and the standard error of the slope."""
    centred = at - at.mean()
    slope = float(centred @ resident / (centred @ centred))
    rest = resident - resident.mean() - slope * centred
    error = float(np.sqrt(rest @ rest / (len(at) - 2) / (centred @ centred)))
    return Fit(rounds, float(resident[0]), float(resident[-1]), slope, error)


if __name__ == "__main__":
    main()
