"""How long `import cep` takes beside `import numpy`.

Each is imported in processes of their own; the milliseconds are those that `python -X importtime`
measures, which is slower than an import without it. The fastest of several is the least disturbed.
Ends with a status other than 0 where `import cep` takes 100 ms or more beside NumPy.

    python benchmarks/import_time.py
"""

import subprocess
import sys

REPEATS = 10
LIMIT = 100.0


def main() -> None:
    numpy, cep = (min(import_ms(name) for _ in range(REPEATS)) for name in ("numpy", "cep"))
    print(f"import numpy  {numpy:6.1f} ms")
    print(f"import cep    {cep:6.1f} ms, of which {cep - numpy:.1f} ms are not NumPy's")
    if cep - numpy >= LIMIT:
        sys.exit(f"expected less than {LIMIT:.0f} ms")


def import_ms(name: str) -> float:
    """Milliseconds of importing a package and all that it imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {name}"],
        capture_output=True,
        text=True,
        check=True,
    )
    # The last line is the package itself: microseconds alone | with what it imports | name.
    _, cumulative, imported = done.stderr.splitlines()[-1].split("|")
    if imported.strip() != name:
        raise RuntimeError(f"expected the line of {name}, found {imported.strip()}")
    return int(cumulative) / 1000


if __name__ == "__main__":
    main()
