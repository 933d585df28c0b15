"""The table of planted defects (tools/planted_defects.toml) fits the present sources.

`make mutation` checks that tests catch them.
"""

import importlib.util
import sys
from pathlib import Path

import pytest
from places import REPOSITORY

SPECIFICATION = importlib.util.spec_from_file_location(
    "planted_defects", REPOSITORY / "tools" / "planted_defects.py"
)
assert SPECIFICATION is not None
assert SPECIFICATION.loader is not None
planted_defects = importlib.util.module_from_spec(SPECIFICATION)
sys.modules["planted_defects"] = planted_defects
SPECIFICATION.loader.exec_module(planted_defects)

DEFECTS = planted_defects.load()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.what)
def test_every_defect_can_be_planted(defect: planted_defects.Defect) -> None:
    text = (REPOSITORY / defect.file).read_text()
    assert defect.plant(REPOSITORY) != text
    for test in defect.tests:
        assert (REPOSITORY / test).is_file()


def test_no_two_are_the_same() -> None:
    assert len({defect.what for defect in DEFECTS}) == len(DEFECTS)
    places = [(defect.file, defect.original, defect.planted) for defect in DEFECTS]
    assert len(set(places)) == len(DEFECTS)


def test_python_defects_name_their_tests() -> None:
    for defect in DEFECTS:
        if not defect.file.startswith("Sources/"):
            assert defect.tests, defect.what


@pytest.mark.parametrize("text", ["", "beta beta"])
def test_a_text_that_is_not_there_once_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "file.swift").write_text(text)
    defect = planted_defects.Defect("a wrong sign", "file.swift", "beta", "-beta")
    with pytest.raises(ValueError, match=r"file\.swift has 'beta' \d times, not once"):
        defect.plant(tmp_path)
