"""Invalid data are refused with a message, and nothing changes."""

from typing import Any

import numpy as np
import pytest
from bad_values import (
    CALLS_WITH_ANY_TARGETS,
    CALLS_WITH_INPUTS,
    EP,
    LABELS,
    ROWS,
    TARGETS,
    WRONG_TYPES,
    Call,
    X,
    fit,
    network,
)
from hypothesis import given
from hypothesis import strategies as st
from snapshot import refused

import cep

with_inputs = pytest.mark.parametrize("call", CALLS_WITH_INPUTS.values(), ids=CALLS_WITH_INPUTS)
with_targets = pytest.mark.parametrize(
    "call", CALLS_WITH_ANY_TARGETS.values(), ids=CALLS_WITH_ANY_TARGETS
)
NOT_FINITE = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}


def test_good_data_is_not_refused() -> None:
    for call in CALLS_WITH_INPUTS.values():
        call(network(), X, LABELS)
    for call in CALLS_WITH_ANY_TARGETS.values():
        call(network(), X, TARGETS)


@with_inputs
def test_inputs_of_another_shape(call: Call) -> None:
    net = network()
    for columns in (1, 3, 5, 400):
        message = rf"^x has {columns} columns; the network's input layer has 4 units"
        with refused(net, ValueError, message):
            call(net, np.zeros((ROWS, columns)), LABELS)
    for shape in ((), (4,), (ROWS,), (ROWS, 4, 1), (1, ROWS, 4), (2, 2, 2, 2)):
        with refused(net, ValueError, r"^x must be 2-dimensional.*got shape \("):
            call(net, np.zeros(shape), LABELS)
    for rows, columns in ((0, 4), (ROWS, 0), (0, 0)):
        with refused(net, ValueError, r"^x .*(row|column)"):
            call(net, np.zeros((rows, columns)), LABELS[:rows])


@with_inputs
def test_inputs_of_another_type(call: Call) -> None:
    net = network()
    for wrong in WRONG_TYPES.values():
        with refused(net, TypeError, "^x must hold float32, float64 or integers, got dtype"):
            call(net, wrong, LABELS)


@pytest.mark.parametrize("kind", ["float16", "complex128", "datetime"])
def test_the_message_names_the_type(kind: str) -> None:
    net = network()
    with refused(net, TypeError, kind):
        net.free_phase(WRONG_TYPES[kind], 5)


@with_inputs
def test_ragged_inputs(call: Call) -> None:
    net = network()
    with refused(net, ValueError, "^x cannot be read as an array"):
        call(net, [[0.0] * 4] * 4 + [[0.0] * 3], LABELS)


@with_inputs
@pytest.mark.parametrize("value", NOT_FINITE.values(), ids=NOT_FINITE)
def test_inputs_that_are_not_finite(call: Call, value: float) -> None:
    for net in (network(), network("float64")):
        for dtype, place in (("float32", (0, 0)), ("float64", (4, 3))):
            x = X.astype(dtype)
            x[place] = value
            with refused(net, ValueError, rf"^x .*not finite.*row {place[0]}, column {place[1]}"):
                call(net, x, LABELS)


@given(
    rows=st.integers(1, 40),
    columns=st.integers(1, 70),
    value=st.sampled_from([np.nan, np.inf, -np.inf, 1e39, -1e300]),
    places=st.data(),
)
def test_values_that_are_not_finite_are_found_anywhere(
    rows: int, columns: int, value: float, places: Any
) -> None:
    net = cep.Network((columns, 2, columns), seed=0)
    good, bad = np.zeros((2, rows, columns))
    row, column = places.draw(st.integers(0, rows - 1)), places.draw(st.integers(0, columns - 1))
    bad[row, column] = value
    with refused(net, ValueError, rf"^x .*row {row}, column {column}$"):
        net.free_phase(bad, 1)
    with refused(net, ValueError, rf"^y .*row {row}, column {column}$"):
        cep.train_batch(net, good, bad, EP)


@with_inputs
def test_inputs_too_large_for_the_dtype(call: Call) -> None:
    net = network()
    for value in (1e39, -1e308):
        x = X.copy()
        x[3, 2] = value
        with refused(net, ValueError, r"^x .*too large for.*row 3, column 2"):
            call(net, x, LABELS)
        network("float64").free_phase(x, 5)


@with_targets
def test_targets_of_another_shape(call: Call) -> None:
    net = network()
    for count in (1, 4, 6):
        for y in (np.zeros(count, dtype=int), np.zeros((count, 2))):
            with refused(net, ValueError, rf"^y has {count} targets for the {ROWS} rows of x"):
                call(net, X, y)
    for y in (np.zeros(0, dtype=int), np.zeros((0, 2))):
        with refused(net, ValueError, "^y "):
            call(net, X, y)
    for columns in (1, 3):
        message = rf"^y has {columns} columns; the network's output layer has 2 units"
        with refused(net, ValueError, message):
            call(net, X, np.zeros((ROWS, columns)))
    for shape in ((), (ROWS, 2, 1)):
        with refused(net, ValueError, r"^y must be 1-dimensional.*or 2-dimensional.*got shape"):
            call(net, X, np.zeros(shape))


@with_targets
def test_labels_out_of_range(call: Call) -> None:
    net = network()
    for label in (-1, 2, 10, -(2**63), 2**63 - 1):
        for row in (0, 3, 4):
            y = LABELS.copy()
            y[row] = label
            message = rf"^y has the label {label} in row {row}.*labels 0 to 1"
            with refused(net, ValueError, message):
                call(net, X, y)
    beyond = LABELS.astype(np.uint64)
    beyond[3] = 2**64 - 1
    with refused(net, ValueError, rf"^y .*label.*{2**64 - 1}"):
        call(net, X, beyond)


@with_targets
@pytest.mark.parametrize("value", NOT_FINITE.values(), ids=NOT_FINITE)
def test_targets_that_are_not_finite(call: Call, value: float) -> None:
    net = network()
    for dtype, place in ((np.float32, (0, 0)), (np.float64, (4, 1))):
        y = TARGETS.astype(dtype)
        y[place] = value
        with refused(net, ValueError, rf"^y .*not finite.*row {place[0]}, column {place[1]}"):
            call(net, X, y)


@with_targets
def test_targets_too_large_for_the_dtype(call: Call) -> None:
    net = network()
    y = TARGETS.copy()
    y[3, 1] = 1e39
    with refused(net, ValueError, r"^y .*too large for.*row 3, column 1"):
        call(net, X, y)


@with_targets
def test_targets_of_another_type(call: Call) -> None:
    net = network()
    for wrong in WRONG_TYPES.values():
        matrix = np.asarray(wrong)[:, :2]
        with refused(net, TypeError, "^y must hold float32, float64 or integers, got dtype"):
            call(net, X, matrix)
        with refused(net, TypeError, "^y must hold integer classes"):
            call(net, X, matrix[:, 0])
    for dtype in (np.float32, np.float64, np.bool_):
        with refused(net, TypeError, "^y must hold integer classes"):
            call(net, X, LABELS.astype(dtype))


@with_targets
def test_ragged_targets(call: Call) -> None:
    net = network()
    with refused(net, ValueError, "^y cannot be read as an array"):
        call(net, X, [[0, 1]] * 4 + [[1]])


@pytest.mark.parametrize(
    "data", [X, None, 5, (X,), (X, LABELS, LABELS), {}], ids=lambda d: str(type(d))
)
def test_data_must_be_a_pair(data: Any) -> None:
    net = network()
    for name, call in {
        "data": lambda: fit(net, data),
        "validation_data": lambda: fit(net, (X, LABELS), validation_data=data),
    }.items():
        if name == "data" or isinstance(data, tuple):
            with refused(net, TypeError, rf"^{name} must be a pair \(x, y\)"):
                call()
    with refused(net, TypeError, r"^data must be a pair \(x, y\)"):
        cep.evaluate(net, data, 5)


def test_continuing_with_another_batch_size() -> None:
    net = network()
    with refused(net, ValueError, rf"x has 3 rows; the states to continue from have {ROWS}"):
        net.free_phase(X[:3], 5, reset=False)


def test_phases_in_the_wrong_order() -> None:
    net = cep.Network((4, 3, 2), seed=0)
    with refused(net, RuntimeError, "no states to nudge yet: run a free phase first"):
        net.nudged_phase(LABELS, 0.5, 3)
    with refused(net, RuntimeError, "no states to continue from yet: run a free phase"):
        net.free_phase(X, 5, reset=False)


def test_invalid_rules() -> None:
    net = network()
    for rule in (None, "ep", cep.EP, {"beta": 1}, (5, 3, 0.5, 0.1)):
        with refused(net, TypeError, "^rule must be a learning rule such as cep.CEP"):
            cep.train_batch(net, X, LABELS, rule)  # type: ignore[arg-type]
        with refused(net, TypeError, "^rule must be a learning rule such as cep.CEP"):
            cep.fit(net, (X, LABELS), rule, 1, progress=False)  # type: ignore[arg-type]
