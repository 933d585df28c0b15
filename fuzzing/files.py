"""Fuzz the readers of files with Atheris: IDX, networks, checkpoints, run directories.

The bytes become a file of the kind that the first byte selects. `python/tests/damaged_files.py` has
the invariants. Arguments are those of libFuzzer.
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "python" / "tests"))
with atheris.instrument_imports(include=["cep"]):
    from damaged_files import KINDS, check

if __name__ == "__main__":
    if sys.argv[1] == "--seeds":  # Writes a valid file of each kind.
        for number, (name, (_, whole)) in enumerate(KINDS.items()):
            (Path(sys.argv[2]) / name).write_bytes(bytes([number]) + whole())
    else:
        atheris.Setup(sys.argv, check)
        atheris.Fuzz()
