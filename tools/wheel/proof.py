"""Check in an environment that its cep needs nothing from outside the environment.

python proof.py [PLACE ...], with the places that are hidden. Prints what it found, or fails.
"""

import ctypes
import shutil
import sys
import sysconfig
from pathlib import Path

import numpy as np

import cep

HERE = Path(sysconfig.get_path("platlib")).resolve()
LIBRARIES = HERE / "equilibrium_propagation.libs"
NAMES = ("openblas", "gfortran", "quadmath", "swift", "_cep")


def expect(holds: bool, otherwise: str) -> None:
    """Exit with a message if a condition does not hold."""
    if not holds:
        sys.exit(f"FAILED: {otherwise}")


def mapped() -> list[Path]:
    """The files that are mapped into this process."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return sorted({Path(line.split(None, 5)[5]) for line in lines if "/" in line})


def use_everything() -> None:
    """Compute products large enough for OpenBLAS, in cep and in NumPy."""
    random = np.random.default_rng(0)
    x, y = random.random((64, 300)), random.integers(0, 10, 64)
    net = cep.Network([300, 200, 10], dtype="float64", seed=0)
    cep.train_batch(net, x, y, cep.EP(20, 5, 0.5, 0.01))
    np.dot(x, x.T)


def main() -> None:
    places = [Path(argument) for argument in sys.argv[1:]]
    for place in places:
        bare = not any(place.iterdir()) if place.is_dir() else place.is_char_device()
        expect(bare, f"{place} is not hidden")
    expect(shutil.which("swift") is None, f"swift is visible: {shutil.which('swift')}")
    use_everything()
    files = [file for file in mapped() if any(name in file.name for name in NAMES)]
    for file in files:
        expect(file.is_relative_to(HERE), f"{file} is loaded, but lies outside {HERE}")
    ours = [file for file in files if file.parent == LIBRARIES]
    expect(any("openblas" in file.name for file in ours), f"OpenBLAS is not in {LIBRARIES}")
    expect(Path(cep.__file__).is_relative_to(HERE), f"cep is {cep.__file__}")
    for library in ("libopenblas.so.0", "libswiftCore.so") if places else ():
        try:
            ctypes.CDLL(library)
        except OSError as error:
            print(f"as expected: {error}")
        else:
            expect(False, f"the system's {library} can be loaded")
    print(f"cep {cep.__version__} on CPython {sys.version.split()[0]} and NumPy {np.__version__}")
    for file in files:
        print(f"  has {file.relative_to(HERE)}")
    for place in places:
        print(f"  not needed: {place}")


if __name__ == "__main__":
    main()
