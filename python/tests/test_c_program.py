"""Arguments of cep.h are checked: Tests/CProgram is built and run."""

import re
import shutil
import subprocess

import pytest
from places import REPOSITORY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("swiftc") is None, reason="there is no Swift toolchain"),
]


def test_every_argument_is_checked() -> None:
    run = subprocess.run(
        [REPOSITORY / "tools" / "c_program.sh"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout + run.stderr
    counts = re.search(r"^(\d+) passed, 0 failed$", run.stdout, re.MULTILINE)
    assert counts is not None
    assert int(counts[1]) > 5_000
    assert "declared, defined and called are the same" in run.stdout
