"""The contents of wheels, and their differences."""

import hashlib
import subprocess
import tempfile
from pathlib import Path
from zipfile import ZipFile

# The sections of an extension that differ between builds: hashes by Swift and by the linker.
BUILD_HASHES = (".swift_modhash", ".note.gnu.build-id")


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel, without the list of them."""
    with ZipFile(wheel) as archive:
        return {
            name: archive.read(name)
            for name in archive.namelist()
            if not name.endswith((".dist-info/RECORD", "/"))
        }


def libraries(wheel: Path) -> list[str]:
    """The file names of the shared libraries in a wheel."""
    return [
        Path(name).name
        for name in contents(wheel)
        if name.startswith("equilibrium_propagation.libs/")
    ]


def of_package(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of the package, without compiled ones."""
    return {name: files[name] for name in files if name.startswith("cep/") and name[-3:] != ".so"}


def files_of(package: Path) -> dict[str, bytes]:
    """The same from the package's folder in the source tree."""
    return {
        path.relative_to(package.parent).as_posix(): path.read_bytes()
        for path in package.rglob("*")
        if path.is_file()
    }


def differences(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """The names of files that only one has, or that differ in more than build hashes."""
    return [
        name
        for name in sorted(one.keys() | other)
        if name not in one or name not in other or lasting(name, one) != lasting(name, other)
    ]


def lasting(name: str, files: dict[str, bytes]) -> str:
    """A hash of a file, without the parts that differ between builds."""
    content = files[name]
    if name.endswith(".so"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "extension"
            path.write_bytes(content)
            remove = [f"--remove-section={section}" for section in BUILD_HASHES]
            subprocess.run(["objcopy", *remove, path], check=True)
            content = path.read_bytes()
    return hashlib.sha256(content).hexdigest()
