"""C programs: Tests/CProgram checks arguments of cep.h, Examples/C/digits.c learns the digits.

Both link the library in .build, which tools/c_program.sh rebuilds: they are in one file so that
they do not run at the same time.
"""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from places import REPOSITORY
from swift_toolchain import needs_swift, run

EXAMPLE = REPOSITORY / "Examples" / "C" / "digits.c"
DATA = REPOSITORY / "Examples" / "Digits" / "digits.csv"
WARNINGS = ("-pedantic", "-Wall", "-Wextra", "-Werror", f"-I{REPOSITORY}/Sources/CCEP/include")

pytestmark = needs_swift


def test_every_argument_is_checked() -> None:
    done = subprocess.run(
        [REPOSITORY / "tools" / "c_program.sh"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = re.search(r"^(\d+) passed, 0 failed$", done.stdout, re.MULTILINE)
    assert counts is not None
    assert int(counts[1]) > 5_000
    assert "declared, defined and called are the same" in done.stdout


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    build = ("swift", "build", "-c", "release", "--quiet", "--product", "cep-static")
    run(*build, folder=REPOSITORY)
    run("clang", "-std=c99", "-O1", *WARNINGS, "-c", EXAMPLE, "-o", "digits.o", folder=folder)
    library = REPOSITORY / ".build" / "release" / "libcep-static.a"
    openblas = shlex.split(run("pkg-config", "--libs", "openblas", folder=folder))
    link = ("swiftc", "-static-stdlib", "digits.o", library, *openblas, "-o", "digits")
    run(*link, folder=folder)
    return folder / "digits"


def test_it_compiles_as_cxx(tmp_path: Path) -> None:
    run("clang++", "-std=c++11", *WARNINGS, "-fsyntax-only", "-x", "c++", EXAMPLE, folder=tmp_path)


def test_it_learns_the_digits(program: Path) -> None:
    """With seeds 0 to 4 the training error is 5.8 to 6.6 %, the test error 9.4 to 11.9 %."""
    output = run(program, DATA, folder=program.parent)
    epochs = re.findall(
        r"^epoch (\d+): training error (\d+\.\d) %, test error (\d+\.\d) %$", output, re.MULTILINE
    )
    assert [int(epoch) for epoch, _, _ in epochs] == list(range(1, 16))
    assert float(epochs[-1][1]) < 10
    assert float(epochs[-1][2]) < 16
    assert output.splitlines()[:4] == [
        "weights 0: 128 64",
        "biases 0: 128",
        "weights 1: 10 128",
        "biases 1: 10",
    ]
