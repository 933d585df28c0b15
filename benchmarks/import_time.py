"""The time of `import cep` and of `import numpy`.

Each import runs in several processes, and the fastest counts. Also prints the processor time, which
includes waiting threads.

    python benchmarks/import_time.py
"""

import subprocess
import sys

REPEATS = 10
PROGRAM = """
import time
start = time.perf_counter(), time.process_time()
import {name}
print(time.perf_counter() - start[0], time.process_time() - start[1])
"""


def main() -> None:
    numpy, cep = map(import_ms, ("numpy", "cep"))
    more = cep[0] - numpy[0], cep[1] - numpy[1]
    for what, (time, processor) in {"numpy": numpy, "cep": cep, "cep alone": more}.items():
        print(f"import {what:9}  {time:6.1f} ms, processor {processor:6.1f} ms")


def import_ms(name: str) -> tuple[float, float]:
    """Milliseconds of importing a package: wall-clock time and processor time.

    The minimum of each.
    """
    times, processor = zip(*(import_once(name) for _ in range(REPEATS)), strict=True)
    return 1000 * min(times), 1000 * min(processor)


def import_once(name: str) -> tuple[float, float]:
    """Seconds in one process."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(name=name)],
        capture_output=True,
        text=True,
        check=True,
    )
    time, processor = map(float, done.stdout.split())
    return time, processor


if __name__ == "__main__":
    main()
