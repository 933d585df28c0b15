"""Milliseconds per batch of cep, of the same equations in PyTorch and JAX, and of the floor.

    pip install torch jax        (the peers; missing ones are skipped)
    python benchmarks/run.py     prints a table, writes it into benchmarks/results.json
    python benchmarks/run.py --instruction-set avx2    limits cep, OpenBLAS and the peers to AVX2
    python benchmarks/run.py --rows EP-1h,P-conv       measures some rows and writes nothing
    python benchmarks/run.py --sweep    the same over batch sizes, widths and depths (sweep.json),
                                        drawn by benchmarks/plot.py

results.json has a table for each instruction set; a run replaces the table of its set.

Contestants take turns in rounds, so that changes of the machine's speed affect all of them; the
medians over the rounds are reported. Before each turn there is a pause, because threads of the
libraries poll for more work for up to 0.2 s and would slow the next contestant. The floor is the
arithmetic that the algebra leaves (rows.py), divided by the rate of a large float32 matrix product
on the same number of threads in the same run.
"""

import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

PARSER = argparse.ArgumentParser(description=__doc__.splitlines()[0])
PARSER.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
PARSER.add_argument("--rounds", type=int, default=7)
PARSER.add_argument("--batch", type=int, default=20)
PARSER.add_argument("--rows", default="", help="names separated by commas; default: all")
PARSER.add_argument("--instruction-set", choices=["avx2", "avx512"], help="default: the widest")
PARSER.add_argument("--sweep", action="store_true", help="batch sizes, widths and depths instead")
PARSER.add_argument("--output", type=Path, help="default: results.json or sweep.json here")
ARGUMENTS = PARSER.parse_args()

# What limits each library to an instruction set.
LIMITS = {
    "avx2": {
        "CEP_INSTRUCTION_SET": "avx2",
        "OPENBLAS_CORETYPE": "Haswell",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    },
    "avx512": {"CEP_INSTRUCTION_SET": "avx512", "OPENBLAS_CORETYPE": "SkylakeX"},
}

# Libraries read their environment when they are loaded, so a new process gets it.
if ARGUMENTS.instruction_set and os.environ.get("CEP_BENCHMARK") != ARGUMENTS.instruction_set:
    os.environ.update(LIMITS[ARGUMENTS.instruction_set], CEP_BENCHMARK=ARGUMENTS.instruction_set)
    os.execv(sys.executable, [sys.executable, *sys.argv])

# Set before the import of libraries that start threads.
for variable in ("CEP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = str(ARGUMENTS.threads)

import numpy as np  # noqa: E402
import peer_jax  # noqa: E402
from rows import CONVOLUTION_ROWS, ROWS, ConvolutionRow, Row, floor_flops  # noqa: E402

import cep  # noqa: E402

PAUSE = 0.3  # seconds


class Cep:
    """The engine, one epoch per call."""

    def __init__(self, row: Row, dtype: str = "float32") -> None:
        self.name = "cep" if dtype == "float32" else f"cep, {dtype}"
        feedback = "untied" if row.untied else "tied"
        self.net = cep.Network(row.sizes, feedback=feedback, dtype=dtype, seed=0)
        kind = cep.CEP if row.continual else cep.EP
        self.rule = kind(row.free_steps, row.nudged_steps, row.beta, row.learning_rates)

    def run(self, x, y, batch: int) -> None:
        """Train on all samples once."""
        cep.fit(self.net, (x, y), self.rule, 1, batch, seed=0, progress=False)


class CepConvolution(Cep):
    """The engine on a convolutional network."""

    def __init__(self, row: ConvolutionRow, *, alternating: bool = False) -> None:
        self.name = "cep, alternating" if alternating else "cep"
        maps = [cep.Conv2d(channels, row.kernel, pool="max") for channels in row.channels]
        self.net = cep.Network(
            [cep.Input(*row.image), *maps, row.classes],
            activation="hard_sigmoid",
            relaxation="alternating" if alternating else "synchronous",
            seed=0,
        )
        self.rule = cep.EP(row.free_steps, row.nudged_steps, row.beta, row.learning_rate)


def convolution_contestants(row: ConvolutionRow):
    """All available contestants for a convolutional row."""
    import peers_convolution

    found = [CepConvolution(row), CepConvolution(row, alternating=True)]
    try:
        found.append(peers_convolution.Torch(row, ARGUMENTS.threads))
    except ImportError:
        print("PyTorch is not installed: skipped")
    try:
        peer_jax.configure(ARGUMENTS.threads)
        found.append(peers_convolution.Jax(row))
    except ImportError:
        print("JAX is not installed: skipped")
    return found


def contestants(row: Row | ConvolutionRow):
    """All available contestants, by name."""
    if isinstance(row, ConvolutionRow):
        return convolution_contestants(row)
    found = [Cep(row), Cep(row, "float64")]
    try:
        peer_jax.configure(ARGUMENTS.threads)
        found += [peer_jax.Jax(row), peer_jax.Jax(row, algebra=True)]
    except ImportError:
        print("JAX is not installed: skipped")
    try:
        from peer_torch import Torch

        found.append(Torch(row, ARGUMENTS.threads))
    except (ImportError, ValueError):
        print("PyTorch is not installed: skipped")
    return found


def sgemm_peak() -> float:
    """Floating-point operations per second of a 2048³ float32 product."""
    a = np.ones((2048, 2048), dtype=np.float32)
    times = []
    for _ in range(7):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return 2 * 2048**3 / min(times)


def measure(row: Row | ConvolutionRow, batch: int) -> dict:
    """Milliseconds per batch of every contestant: the median of rounds taken in turn."""
    random = np.random.default_rng(0)

    def samples(batches: int):
        count = batches * batch
        labels = random.integers(0, row.sizes[-1], count)
        x = random.random((count, row.sizes[0]), dtype=np.float32)
        return x, np.eye(row.sizes[-1], dtype=np.float32)[labels]

    everyone = contestants(row)
    times: dict[str, list[float]] = {contestant.name: [] for contestant in everyone}
    counts = {}
    for contestant in everyone:
        contestant.run(*samples(2), batch)  # compiles, warms up
        x, y = samples(1)
        start = time.perf_counter()
        contestant.run(x, y, batch)
        counts[contestant.name] = max(2, min(500, int(0.4 / (time.perf_counter() - start))))
    peaks = []
    for _ in range(ARGUMENTS.rounds):
        time.sleep(PAUSE)
        peaks.append(sgemm_peak())
        for contestant in everyone:
            count = counts[contestant.name]
            x, y = samples(count)
            time.sleep(PAUSE)
            contestant.run(x[: 2 * batch], y[: 2 * batch], batch)
            start = time.perf_counter()
            contestant.run(x, y, batch)
            times[contestant.name].append((time.perf_counter() - start) / count * 1e3)
    peak = statistics.median(peaks)
    is_convolution = isinstance(row, ConvolutionRow)
    flops = row.floor_flops(batch) if is_convolution else floor_flops(row, batch)
    return {
        "row": row.name,
        "sizes": row.sizes,
        "batch": batch,
        "milliseconds": {name: statistics.median(values) for name, values in times.items()},
        "spread": {name: [min(values), max(values)] for name, values in times.items()},
        "sgemm_peak": peak,
        "floor": flops / peak * 1e3,
    }


def machine() -> dict:
    """The machine of the measurement."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    installed = (name for name in ("numpy", "jax", "torch") if importlib.util.find_spec(name))
    versions = {name: importlib.metadata.version(name) for name in installed}
    return {
        "date": datetime.date.today().isoformat(),
        "system": f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}",
        "memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "processor": model,
        "processors": len(os.sched_getaffinity(0)),
        "threads": ARGUMENTS.threads,
        "python": platform.python_version(),
        "cep": cep.__version__,
        "instruction_set": cep.instruction_set(),
        **versions,
    }


def print_row(result: dict) -> None:
    """One line of the table."""
    own = result["milliseconds"]["cep"]
    others = "  ".join(
        f"{name} {value:8.2f} ({value / own:5.1f}×)"
        for name, value in result["milliseconds"].items()
        if name != "cep"
    )
    print(
        f"{result['row']:10} {'-'.join(map(str, result['sizes'])):18} batch {result['batch']:3}  "
        f"cep {own:8.3f} ms  floor {result['floor']:7.3f} ({own / result['floor']:4.2f}×)  "
        + others,
        flush=True,
    )


def sweep() -> list[tuple[Row, int]]:
    """The rows of the sweep: batch sizes, widths, depths."""
    ep, cep_one, cep_two = ROWS[3], ROWS[1], ROWS[4]
    cases = [(row, batch) for row in (cep_one, cep_two) for batch in (1, 5, 20, 64, 128)]
    cases += [(row, batch) for row in ROWS if row not in (cep_one, cep_two) for batch in (1, 128)]
    for width in (32, 128, 512, 1024, 2048):
        sizes = (784, width, width, 10)
        cases += [
            (replace(row, name=f"{row.name[:-3]} wide", sizes=sizes), 20) for row in (ep, cep_two)
        ]
    for depth in (1, 2, 3, 4):
        sizes, rates = (784, *[512] * depth, 10), (1e-3,) * (depth + 1)
        cases.append((replace(cep_two, name="C-EP deep", sizes=sizes, learning_rates=rates), 20))
    return cases


def main() -> None:
    """Measure, print, write."""
    print(json.dumps(machine()))
    wanted = [name for name in ARGUMENTS.rows.split(",") if name]
    rows = [*ROWS, *CONVOLUTION_ROWS]
    cases = sweep() if ARGUMENTS.sweep else [(row, ARGUMENTS.batch) for row in rows]
    results = []
    for row, batch in cases:
        if not wanted or row.name in wanted:
            results.append(measure(row, batch))
            print_row(results[-1])
    measured = {"machine": machine(), "results": results}
    folder = Path(__file__).parent
    if ARGUMENTS.output or ARGUMENTS.sweep:
        output = ARGUMENTS.output or folder / "sweep.json"
    elif not wanted:
        output = folder / "results.json"
        tables = json.loads(output.read_text())
        measured = tables | {cep.instruction_set(): measured}
    else:
        return
    output.write_text(json.dumps(measured, indent=1) + "\n")
    print(f"written to {output}")


if __name__ == "__main__":
    main()
