"""Characters of charts are correct Unicode, and tables fit into a terminal."""

import re

import pytest

from cep._util.tables import table
from cep.training.live.charts import Curve, bars, braille, resampled


@pytest.mark.parametrize(
    ("level", "character"),
    [(3, "\u2809"), (2, "\u2812"), (1, "\u2824"), (0, "\u28c0")],  # dots 14, 25, 36, 78
)
def test_a_level_is_a_row_of_dots(level: int, character: str) -> None:
    assert braille([Curve([level, level])], 3, 1, 0, 3) == [character * 3]


@pytest.mark.parametrize(
    ("levels", "character"),
    [([0, 3], "\u2848"), ([1, 2], "\u2814"), ([2, 1], "\u2822"), ([3, 0], "\u2881")],
)  # dots 74, 35, 26, 18
def test_a_value_is_a_dot(levels: list[int], character: str) -> None:
    assert braille([Curve(levels, dashed=True)], 1, 1, 0, 3) == [character]


def test_a_slope_goes_from_corner_to_corner() -> None:
    above, below = braille([Curve([0, 7])], 4, 2, 0, 7)
    assert above[0] == "\u2800" == below[3]
    assert above[3] != "\u2800" != below[0]


def test_a_jump_has_no_gap() -> None:
    (row,) = braille([Curve([0, 0, 3, 3])], 2, 1, 0, 3)
    dots = [ord(character) - 0x2800 for character in row]
    columns = [dots[0] & 0x47, dots[0] & 0xB8, dots[1] & 0x47, dots[1] & 0xB8]
    assert any(bin(column).count("1") >= 2 for column in columns)


def test_dashes_leave_every_other_character_out() -> None:
    (row,) = braille([Curve([0, 0], dashed=True)], 6, 1, 0, 3)
    assert row == "\u28c0\u2800" * 3


def test_one_value_is_a_point_at_the_left() -> None:
    assert braille([Curve([1])], 3, 1, 0, 1) == ["\u2809\u2800\u2800"]


def test_values_outside_are_at_the_edge() -> None:
    assert braille([Curve([9, 9])], 1, 1, 0, 3) == braille([Curve([3, 3])], 1, 1, 0, 3)


def test_equal_ends_are_drawn() -> None:
    assert len(braille([Curve([2, 2])], 4, 2, 2, 2)) == 2
    assert bars([0, 0], 0, 0) == "  "


def test_bars_have_eight_heights() -> None:
    assert bars(list(range(9)), 0, 8) == " ▁▂▃▄▅▆▇█"
    assert bars([0.01, 0], 0, 8) == "▁ "


def test_values_are_spread_along_straight_lines() -> None:
    assert list(resampled([0, 2, 4], 5)) == [0, 1, 2, 3, 4]
    assert list(resampled([0, 1, 2, 3, 4], 3)) == [0, 2, 4]
    assert list(resampled([7], 3)) == [7, 7, 7]


@pytest.mark.parametrize("width", [20, 30, 80, None])
def test_a_table_has_place_in_a_terminal(width: int | None) -> None:
    headings = ["run", "status", "validation error", "seconds"]
    rows = [["seed=0", "finished", "12.34%", "1.5"], ["seed=1", "diverged", "", "0.1"]]
    text = table(headings, rows, width)
    blocks = [block.splitlines() for block in text.split("\n\n")]
    assert all(len(block) == 3 for block in blocks)
    for line, words in enumerate([headings, *rows]):
        # The first column begins every block, and no word is broken.
        found = [re.split(" {2,}", block[line].strip()) for block in blocks]
        assert all(cells[0] == words[0] for cells in found)
        rest = [cell for cells in found for cell in cells[1:]]
        assert rest == [word for word in words[1:] if word]
    assert (len(blocks) == 1) == (width in (80, None))
    widest = max(map(len, text.splitlines()))
    assert width is None or widest <= max(width, len("seed=0  validation error"))
