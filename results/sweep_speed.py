"""Time a sweep of 20 short runs: one after the other, two at a time, and with Dask.

C-EP on the digits, with four values of β and five seeds. Wall times include the start of the
workers and of the cluster. Prints the times with hashes of all final parameters, and
writes sweep_speed.md beside this file:

    python results/sweep_speed.py
"""

import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import joblib
from dask.distributed import Client, LocalCluster
from safetensors.numpy import load_file

import cep

HERE = Path(__file__).resolve().parent
CONFIGURATION = cep.presets.defaults("digits", "c-ep").replace(epochs=120)
PARAMETERS = {"beta": [0.2, 0.3, 0.4, 0.5], "seed": range(5)}
FASTER = 1.7


def main() -> None:
    ways: dict[str, Callable[[Path], cep.SweepResult]] = {
        "one after the other": lambda folder: sweep(folder, jobs=1),
        "two at a time": lambda folder: sweep(folder, jobs=2),
        "Dask, two processes": through_dask,
    }
    lines = ["| | seconds | times as fast | SHA-256 of all final parameters |", "|---|---|---|---|"]
    seconds, hashes = [], []
    for way, run in ways.items():
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            result = run(Path(folder))
            seconds.append(time.perf_counter() - start)
            hashes.append(parameter_hash(result))
        lines.append(
            f"| {way} | {seconds[-1]:.1f} | {seconds[0] / seconds[-1]:.2f} | `{hashes[-1]}` |"
        )
        print(lines[-1], flush=True)
    longest = max(outcome.seconds for outcome in result)
    comment = f"""# Speed of a sweep

Written by `python results/sweep_speed.py`: {len(result)} runs of C-EP on the digits,
{CONFIGURATION.epochs} epochs each, none longer than {longest:.1f} s, on a machine with
{joblib.cpu_count()} processors. Each run uses one thread of the engine. Times include the start of
the workers and of the cluster. The hash is the same on machines with the same instruction set.
"""
    (HERE / "sweep_speed.md").write_text("\n".join([comment, *lines]) + "\n")
    equal, ratio = len(set(hashes)) == 1, seconds[0] / seconds[1]
    print(f"parameters {'equal' if equal else 'NOT EQUAL'}; {ratio:.2f} times as fast")
    sys.exit(not (equal and ratio >= FASTER))


def sweep(folder: Path, jobs: int | None = None) -> cep.SweepResult:
    result = cep.sweep(CONFIGURATION, PARAMETERS, folder, jobs=jobs, progress=False)
    if any(outcome.stop_reason != "finished" for outcome in result):
        raise RuntimeError(f"not all runs finished:\n{result.table()}")
    return result


def through_dask(folder: Path) -> cep.SweepResult:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        return sweep(folder)


def parameter_hash(result: cep.SweepResult) -> str:
    digest = hashlib.sha256()
    for outcome in result:
        digest.update(outcome.name.encode())
        for name, array in sorted(load_file(outcome.directory / "last.safetensors").items()):
            digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
            digest.update(array.tobytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
