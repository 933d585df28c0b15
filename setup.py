"""Build the extension: the Swift engine as a static library, linked with python/src."""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import SetupError

ROOT = Path(__file__).resolve().parent
ARCHIVE = ROOT / ".build" / "release" / "libcep-static.a"


class BuildWithSwift(build_ext):
    """build_ext that builds the Swift package first and links with swiftc.

    swiftc links Swift's run time statically, so the installed extension needs neither Swift nor its
    libraries.
    """

    def build_extensions(self):
        swift = shutil.which("swift")
        if swift is None:
            raise SetupError(
                "cep is built with a Swift toolchain (6.2 or newer), but `swift` is not on "
                "PATH. See https://www.swift.org/install"
            )
        command = [
            swift,
            "build",
            "-c",
            "release",
            "--product",
            "cep-static",
            "--package-path",
            str(ROOT),
        ]
        # The archiver keeps the objects of deleted files.
        ARCHIVE.unlink(missing_ok=True)
        subprocess.run(command, check=True)
        self.compiler.linker_so = ["swiftc", "-emit-library", "-static-stdlib"]
        super().build_extensions()


def openblas(kind):
    """The values that pkg-config gives for OpenBLAS, without the leading -l or -L."""
    command = ["pkg-config", f"--libs-only-{kind}", "openblas"]
    try:
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupError(
            "cep needs OpenBLAS and pkg-config: apt-get install libopenblas-dev pkg-config"
        ) from error
    return [word[2:] for word in answer.split()]


def sources(*folders, suffixes):
    return sorted(
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes
    )


os.chdir(ROOT)
setup(
    cmdclass={"build_ext": BuildWithSwift},
    ext_modules=[
        Extension(
            "cep._cep",
            sources("python/src", suffixes={".c"}),
            include_dirs=["Sources/CCEP/include"],
            define_macros=[("Py_LIMITED_API", "0x030B0000")],
            extra_objects=[str(ARCHIVE)],
            library_dirs=openblas("L"),
            libraries=openblas("l"),
            extra_compile_args=[
                "-std=c11",
                "-Wall",
                "-Wextra",
                "-Werror=implicit-function-declaration",
            ],
            extra_link_args=[
                "-Xlinker",
                "--version-script=python/src/exports.map",
                "-Xlinker",
                "--gc-sections",
                "-Xlinker",
                "-s",
            ],
            depends=[
                "Package.swift",
                *sources("Sources", suffixes={".swift", ".c", ".h", ".modulemap"}),
                *sources("python/src", suffixes={".h", ".map"}),
            ],
            py_limited_api=True,
        )
    ],
)
