"""The engine serves Swift programs: README's example, in a package of its own, and the digits."""

import re
from pathlib import Path

import numpy as np
import pytest
from listings import listings
from places import REPOSITORY
from swift_toolchain import needs_swift, run

import cep

EXAMPLE = REPOSITORY / "Examples" / "Digits"


@pytest.mark.slow
@needs_swift
def test_readme_example_is_a_package(tmp_path: Path) -> None:
    manifest, program = listings(REPOSITORY / "README.md", "swift")
    (tmp_path / "cep").symlink_to(REPOSITORY)
    package = tmp_path / "xor"
    (package / "Sources" / "xor").mkdir(parents=True)
    (package / "Package.swift").write_text(manifest)
    (package / "Sources" / "xor" / "main.swift").write_text(program)
    assert run("swift", "run", "--quiet", folder=package) == "0 of 4 are wrong\n"


@pytest.mark.slow
@needs_swift
def test_the_digits_are_learned() -> None:
    lines = run("swift", "run", "--quiet", "-c", "release", "digits", folder=REPOSITORY)
    epochs = re.findall(
        r"^epoch (\d+): training error (\d+\.\d) %, test error (\d+\.\d) %$", lines, re.MULTILINE
    )
    assert [int(epoch) for epoch, _, _ in epochs] == list(range(1, 101))
    assert float(epochs[-1][2]) < 5
    assert float(epochs[-1][1]) < float(epochs[0][1]) / 5


def test_its_digits_are_those_of_scikit_learn() -> None:
    table = np.loadtxt(EXAMPLE / "digits.csv", delimiter=",")
    x, labels = cep.datasets.digits()
    np.testing.assert_array_equal(table[:, :64] / 16, x)
    np.testing.assert_array_equal(table[:, 64], labels)
