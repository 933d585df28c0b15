"""Values as words: each has one, different values have different words, and each is read back."""

import dataclasses
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cep
from cep.experiments import overrides as spelling
from cep.training.diagnostics import KINDS

FIELDS = [field.name for field in dataclasses.fields(cep.Configuration)]
INTEGERS = st.integers(-(2**63), 2**63)
REALS = st.floats(allow_nan=False, allow_infinity=False)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "clamp": st.booleans(),
    "seed": INTEGERS,
    "patience": st.none() | INTEGERS,
    "beta": REALS,
    "hidden": st.lists(INTEGERS, min_size=1),
    "learning_rates": REALS | st.lists(REALS, min_size=2),
    "bias_learning_rates": st.none() | REALS | st.lists(REALS, min_size=2),
    "learning_rate_schedule": st.lists(st.tuples(INTEGERS, REALS).map(list)),
    "diagnostics_kinds": st.lists(st.sampled_from(KINDS)),
    "rule": st.sampled_from(["ep", "c-ep", "bptt"]),
}


@pytest.mark.parametrize("field", VALUES)
@given(data=st.data())
def test_what_is_spelled_is_read_again(field: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(VALUES[field], min_size=1, max_size=3))
    words = [spelling.spelled(value) for value in values]
    assert spelling.read(field, ",".join(words)) == values
    for word in words:
        # Suitable for file names and shells.
        assert re.fullmatch(r"[\w.+:-]+", word)


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_can_be_spelled_and_read(field: str) -> None:
    value = getattr(cep.Configuration(), field)
    (again,) = spelling.read(field, spelling.spelled(spelling.plain(value)))
    assert cep.Configuration().replace(**{field: again}) == cep.Configuration()


@pytest.mark.parametrize(
    ("field", "text", "values"),
    [
        ("beta", "0.05,0.1,.2", [0.05, 0.1, 0.2]),
        ("beta", "1e-2", [0.01]),
        ("seed", "0:5", [0, 1, 2, 3, 4]),
        ("seed", "0:3,7,10:12", [0, 1, 2, 7, 10, 11]),
        ("epochs", "10:50:20", [10, 30]),
        ("epochs", "3:0:-1", [3, 2, 1]),
        ("patience", "none,2:4", [None, 2, 3]),
        ("hidden", "64,128", [[64], [128]]),
        ("hidden", "64,128+64", [[64], [128, 64]]),
        ("learning_rates", "0.1,0.05+0.02", [0.1, [0.05, 0.02]]),
        ("learning_rate_schedule", "none,50:0.1+80:0.01", [[], [[50, 0.1], [80, 0.01]]]),
        ("clamp", "true,false", [True, False]),
        ("rule", "ep,c-ep", ["ep", "c-ep"]),
    ],
)
def test_what_is_written_on_the_command_line(field: str, text: str, values: list[Any]) -> None:
    found = spelling.read(field, text)
    assert found == values
    assert list(map(type, found)) == list(map(type, values))


@pytest.mark.parametrize(
    ("value", "word"),
    [(1, "1"), (1.0, "1"), (0.1, "0.1"), (1e-5, "1e-05"), (1e20, "1e20"), (None, "none"),
     (True, "true"), ([128, 64], "128+64"), ([[50, 0.1], [80, 1.0]], "50:0.1+80:1"), ([], "none")],
)  # fmt: skip
def test_words(value: Any, word: str) -> None:
    assert spelling.spelled(value) == word


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3),
        (np.float64(0.1), 0.1),
        (np.array([1, 2]), [1, 2]),
        (range(2), [0, 1]),
        (((50, np.float64(0.5)),), [[50, 0.5]]),
        (True, True),
        ("ep", "ep"),
    ],
)
def test_numbers_and_sequences_of_any_kind(value: Any, plain: Any) -> None:
    found = spelling.plain(value)
    assert found == plain
    assert repr(found) == repr(plain)


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("betta", "1", "unknown parameter 'betta'; did you mean 'beta'"),
        ("beta", "0:5", "beta must be a number, got '0:5'"),
        ("beta", "", "beta must be a number, got ''"),
        ("seed", "0:", "seed must be an integer or a range such as 0:5, got '0:'"),
        ("seed", "1:2:3:4", "a range such as 0:5, got '1:2:3:4'"),
        ("seed", "0:5:0", "a range such as 0:5, got '0:5:0'"),
        ("seed", "1.5", "an integer or a range such as 0:5, got '1.5'"),
        ("clamp", "yes", "clamp must be true or false, got 'yes'"),
        ("hidden", "64;64", r"hidden must be layers joined by \+, got '64;64'"),
        ("learning_rates", "none,x", r"a number or numbers joined by \+, got 'x'"),
        ("patience", "never", "patience must be none or an integer or .* got 'never'"),
        ("learning_rate_schedule", "50", r"pairs such as 50:0.1 joined by \+, got '50'"),
    ],
)
def test_refused_arguments(field: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spelling.read(field, text)
