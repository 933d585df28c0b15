"""Add the licences of the shared libraries and of Swift's run time to a wheel."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from contents import libraries
from hiding import original_name, system_libraries


def add_licences(wheel: Path, place: Path) -> None:
    """Write the wheel with the licences in its folder `licenses`."""
    with tempfile.TemporaryDirectory(prefix="cep-licences-") as folder:
        tool = [sys.executable, "-m", "wheel"]
        subprocess.run([*tool, "unpack", "--dest", folder, wheel], check=True, cwd=folder)
        (unpacked,) = Path(folder).iterdir()
        (information,) = unpacked.glob("*.dist-info")
        kept = information / "licenses"
        kept.mkdir(exist_ok=True)
        for library in libraries(wheel):
            source, text = of_library(original_name(library))
            shutil.copyfile(text, kept / f"{source}.txt")
        shutil.copyfile(of_swift(), kept / "swift.txt")
        subprocess.run([*tool, "pack", "--dest-dir", place, unpacked], check=True, cwd=folder)


def of_library(name: str) -> tuple[str, Path]:
    """The Debian package of a library, and its file of copyright and licence."""
    found = subprocess.run(
        ["dpkg", "-S", system_libraries()[name]], check=True, capture_output=True, text=True
    )
    package = found.stdout.partition(":")[0]
    return package, Path("/usr/share/doc") / package / "copyright"


def of_swift() -> Path:
    """The licence of the Swift toolchain."""
    command = shutil.which("swiftc")
    if command is None:
        sys.exit("swiftc is not on PATH; install a Swift toolchain")
    return Path(command).resolve().parents[1] / "share" / "swift" / "LICENSE.txt"
