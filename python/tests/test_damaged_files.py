"""Damaged files are read correctly, or refused by name, and nothing is half done.

The default is a short search, the same in every run. HYPOTHESIS_PROFILE=long searches more, and
`make fuzz` searches for files that reach new code.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from damaged_files import KINDS, check
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.once

FOUND = Path(__file__).parents[2] / "fuzzing" / "found" / "files"
of_each_kind = pytest.mark.parametrize("kind", KINDS)
of_json = pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if "json" in kind or kind in ("network", "checkpoint")]
)

NUMBERS = st.sampled_from([0, -1, 1.5, 2**31, 2**63, 2**64, 10**400, 1e308, -1e308, 5e-324])
WORDS = st.sampled_from(["", "NaN", "0", "float64", "untied", "weights.0", "\0", "\ud800", "ß"])
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | WORDS | st.sampled_from([float("nan"), float("inf")]),
    lambda values: st.lists(values, max_size=4) | st.dictionaries(WORDS, values, max_size=3),
    max_leaves=4,
)


@st.composite
def edited(draw: Any, content: bytes) -> bytes:
    """Some bytes changed, removed, inserted or repeated."""
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(changed)))
        length = draw(st.integers(0, 9) | st.integers(0, len(changed)))
        piece = bytes(changed[start : start + length])
        others = [st.binary(max_size=8), st.just(piece * 2), st.just(piece[::-1])]
        others.append(st.sampled_from([b"[" * 100_000, b'{"":' * 9_999, b"9" * 9_999]))
        numbers = st.integers(0, 2**64 - 1) | st.integers(0, 9)
        others.append(numbers.map(lambda number: number.to_bytes(8, "little")))
        changed[start : start + length] = draw(st.one_of(others))
    return bytes(changed)


@st.composite
def other_json(draw: Any, text: bytes) -> bytes:
    """A value anywhere in a line is changed or removed, or another one added."""
    return b"".join(
        json.dumps(draw(other_value(json.loads(line)))).encode() + b"\n"
        for line in (text.splitlines() if text.count(b"{\n") == 0 else [text])
    )


@st.composite
def other_value(draw: Any, value: Any) -> Any:
    if not isinstance(value, (dict, list)) or not value or draw(st.integers(0, 5)) == 0:
        return draw(VALUES)
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = draw(st.sampled_from(keys))
    change = draw(st.sampled_from(["inside", "inside", "inside", "lose", "add"]))
    if change == "inside":
        value[key] = draw(other_value(value[key]))
    elif change == "lose":
        del value[key]
    elif isinstance(value, dict):
        value[draw(WORDS)] = draw(VALUES)
    else:
        value.insert(key, draw(VALUES))
    return value


@of_each_kind
def test_whole_files_pass(kind: str) -> None:
    """The test's own premise."""
    examine, whole = KINDS[kind]
    examine(whole())


@of_each_kind
@settings(max_examples=settings.default.max_examples // 2)
@given(data=st.data())
def test_edited(kind: str, data: Any) -> None:
    examine, whole = KINDS[kind]
    examine(data.draw(edited(whole())))


@of_json
@settings(max_examples=settings.default.max_examples // 2)
@given(data=st.data())
def test_other_values(kind: str, data: Any) -> None:
    examine, whole = KINDS[kind]
    examine(data.draw(other_json(whole())))


@pytest.mark.parametrize("path", sorted(FOUND.iterdir()), ids=lambda path: path.name)
def test_what_was_found(path: Path) -> None:
    """Inputs that were once neither read correctly nor refused."""
    check(path.read_bytes())
