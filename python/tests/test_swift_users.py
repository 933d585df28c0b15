"""Swift programs use the engine: another package, networks in files, and the digits."""

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
def test_another_package_uses_the_engine(tmp_path: Path) -> None:
    """The example of the page, then a rule, an optimizer and an observer of that package."""
    manifest, program = listings(REPOSITORY / "docs" / "how_to" / "use_from_swift.md", "swift")
    (tmp_path / "cep").symlink_to(REPOSITORY)
    package = tmp_path / "xor"
    (package / "Sources" / "xor").mkdir(parents=True)
    (package / "Package.swift").write_text(manifest)
    (package / "Sources" / "xor" / "main.swift").write_text(program)
    assert run("swift", "run", "--quiet", folder=package) == "0 of 4 are wrong\n"
    assert cep.load(package / "xor.safetensors").sizes == (2, 32, 2)
    extensions = REPOSITORY / "Tests" / "ExternalPackage" / "main.swift"
    (package / "Sources" / "xor" / "main.swift").write_text(extensions.read_text())
    assert run("swift", "run", "--quiet", "xor", tmp_path / "net", folder=package) == "done\n"


def test_networks_of_swift_are_loaded(tmp_path: Path) -> None:
    """Tests/CEPEngineTests/NetworksAreSavedAndLoaded.swift writes the one file from the other."""
    files = REPOSITORY / "Tests" / "Files"
    net = cep.load(files / "written_by_swift.safetensors")
    options = {**net.options, "loss": None, "nudging": None}  # Swift writes the values in use.
    assert options == cep.load(files / "written_by_python.safetensors").options
    assert net.random_state == (1, 2, 3, 2**64 - 1)
    for k, parameter in enumerate(net.parameters()):
        np.testing.assert_array_equal(parameter.ravel(), np.arange(parameter.size) / 8 - k)
    net.save(tmp_path / "again.safetensors")
    assert cep.load(tmp_path / "again.safetensors").options == net.options


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
