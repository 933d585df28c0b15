"""The cost of diagnostics and checkpoints: milliseconds each, and seconds per epoch with them.

    CEP_DATA=folder/with/mnist python benchmarks/recording.py [PRESET …]

Uses C-EP-1h if no preset is named. All times are wall-clock times, without the loading of data.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cep
from cep.experiments import checkpoints
from cep.experiments.configuration import Configuration
from cep.training.diagnostics import KINDS
from cep.training.sources import Position

REPEATS = 20


def main() -> None:
    data = cep.datasets.mnist()
    for name in sys.argv[1:] or ["C-EP-1h"]:
        configuration = cep.presets.get(name).configuration.replace(epochs=1)
        print(name)
        for kinds in (KINDS, *([kind] for kind in KINDS)):
            recorded = configuration.replace(diagnostics_every=1, diagnostics_kinds=kinds)
            label = "all" if len(kinds) > 1 else kinds[0]
            print(f"  a record of {label:16} {1000 * record_seconds(recorded, data):7.1f} ms")
        print(f"  a checkpoint                 {1000 * checkpoint_seconds(configuration):7.1f} ms")
        for every in (None, 1000, 100):
            recorded = configuration.replace(diagnostics_every=every)
            seconds = timed(lambda recorded=recorded: cep.run(recorded, data=data, progress=False))
            print(f"  an epoch, diagnostics_every={every!s:5} {seconds:7.2f} s")
        with tempfile.TemporaryDirectory() as folder:
            seconds = timed(
                lambda configuration=configuration, folder=folder: cep.run(
                    configuration, folder, data=data, progress=False, checkpoint_every=100
                )
            )
        print(f"  an epoch, checkpoint_every=100 {seconds:5.2f} s")


def record_seconds(configuration: Configuration, data: tuple) -> float:
    net, rule = configuration.make_network(), configuration.make_rule()
    x, y = (part[: REPEATS * configuration.batch_size] for part in data[0])

    def seconds(*callbacks: cep.Callback) -> float:
        return timed(lambda: cep.fit(net, (x, y), rule, 1, progress=False, callbacks=callbacks), 3)

    diagnostics = cep.Diagnostics(1, configuration.diagnostics_kinds)
    return (seconds(diagnostics) - seconds(cep.Callback())) / REPEATS


def checkpoint_seconds(configuration: Configuration) -> float:
    net = configuration.make_network()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "last.safetensors"
        return timed(
            lambda: checkpoints.save(
                path, checkpoints.Checkpoint.of(net, configuration, cep.History(), Position())
            ),
            REPEATS,
        )


def timed(work: Callable[[], object], repeats: int = 1) -> float:
    """Seconds of one of several repetitions; the first of several is not counted."""
    if repeats > 1:
        work()
    start = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - start) / repeats


if __name__ == "__main__":
    main()
