"""Compare the published rows with another revision of this repository, interleaved in one run.

    python benchmarks/against.py REVISION [--rounds 5] [--threads 2]

Builds the revision in a temporary folder with its own virtual environment, and prints the
milliseconds per batch of both and their ratio: the median of all rounds, and the fastest round,
which other work on the machine disturbs less. A ratio below 1 is faster than REVISION.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from rows import ROWS

REPOSITORY = Path(__file__).resolve().parents[1]
NAMES = [row.name for row in ROWS]


def build(revision: str, folder: Path) -> Path:
    """Install a revision into an environment in a folder; returns its interpreter."""
    source = folder / "source"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, source], check=True)
    subprocess.run(["git", "-C", source, "checkout", "--quiet", revision], check=True)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", source], check=True)
    return python


def measure(python: Path | str, threads: int) -> dict[str, float]:
    """Milliseconds per batch of each row, with the cep of an interpreter."""
    done = subprocess.run(
        [python, REPOSITORY / "benchmarks" / "ablation.py", "--child", "--rows", ",".join(NAMES)],
        env=os.environ | {"CEP_NUM_THREADS": str(threads)},
        cwd=tempfile.gettempdir(),
        capture_output=True,
        text=True,
        check=True,
    )
    times: dict[str, float] = json.loads(done.stdout)
    return times


def main() -> None:
    """Build, measure in turn, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        other = build(arguments.revision, Path(folder))
        before, now = [], []
        for _ in range(arguments.rounds):
            before.append(measure(other, arguments.threads))
            now.append(measure(sys.executable, arguments.threads))
    for title, choose in (("median", statistics.median), ("fastest round", min)):
        print(f"{title:14}{arguments.revision:>10}{'now':>12}{'ratio':>8}")
        totals = [0.0, 0.0]
        for name in NAMES:
            pair = [choose(each[name] for each in times) for times in (before, now)]
            totals = [total + time for total, time in zip(totals, pair, strict=True)]
            print(f"{name:10}{pair[0]:14.3f}{pair[1]:12.3f}{pair[1] / pair[0]:8.2f}")
        print(f"{'sum':10}{totals[0]:14.3f}{totals[1]:12.3f}{totals[1] / totals[0]:8.2f}\n")


if __name__ == "__main__":
    main()
