"""Data that can be converted without loss are converted: results equal those of plain arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from bad_values import (
    CALLS_WITH_ANY_TARGETS,
    CALLS_WITH_INPUTS,
    LABELS,
    ROWS,
    TARGETS,
    X,
    fit,
    network,
)
from snapshot import parameters, same, states

import cep

# Values that all floating-point types represent exactly.
EIGHTHS = np.round(X * 8) / 8
DIGITS = np.arange(ROWS * 4).reshape(ROWS, 4) % 3


def padded(array: Any) -> Any:
    """The same values as every second element of a larger array."""
    shape = tuple(3 * size + 2 for size in array.shape)
    large = np.full(shape, 77, dtype=array.dtype)
    view = large[tuple(slice(1, 1 + 2 * size, 2) for size in array.shape)]
    view[...] = array
    return view


def reversed_view(array: Any) -> Any:
    flip = (slice(None, None, -1),) * array.ndim
    return array[flip].copy()[flip]


def read_only(array: Any) -> Any:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def unaligned(array: Any) -> Any:
    """The same values with an offset of one byte, as in files and packets."""
    memory = bytearray(array.nbytes + 1)
    view = np.frombuffer(memory, array.dtype, offset=1).reshape(array.shape)
    view[...] = array
    assert not view.flags.aligned
    return view


class Wrapped:
    """Arrays of other libraries, as NumPy sees them."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.array.astype(dtype or self.array.dtype)


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "padded": padded,
    "reversed": reversed_view,
    "Fortran order": lambda a: np.asfortranarray(a.copy()),
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "read-only": read_only,
    "unaligned": unaligned,
    "list": lambda a: a.tolist(),
    "tuple": lambda a: tuple(map(tuple, a.tolist())) if a.ndim == 2 else tuple(a.tolist()),
    "list of arrays": list,
    "memoryview": memoryview,
    "subclass": lambda a: (
        a.view(np.recarray) if a.dtype.names else a.view(type("Sub", (np.ndarray,), {}))
    ),
    "array interface": Wrapped,
    "big-endian": lambda a: a.astype(a.dtype.newbyteorder(">")),
    "big-endian and padded": lambda a: padded(a.astype(a.dtype.newbyteorder(">"))),
}
INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">i2", ">i4", ">i8", ">u4"]


def assert_same_results(plain: tuple[Any, Any], other: tuple[Any, Any], dtype: str) -> None:
    """Every call with inputs or targets gives the same result for both."""
    calls = {**CALLS_WITH_INPUTS, **CALLS_WITH_ANY_TARGETS}
    for name, call in calls.items():
        expected, net = network(dtype), network(dtype)
        wanted, result = call(expected, *plain), call(net, *other)
        assert same(parameters(net), parameters(expected)), name
        assert same(states(net), states(expected)), name
        if isinstance(wanted, cep.History):
            assert isinstance(result, cep.History)
            assert len(result) == len(wanted)
        else:
            np.testing.assert_array_equal(result, wanted, err_msg=name)  # type: ignore[arg-type]


def test_another_input_has_other_results() -> None:
    """Otherwise the comparisons here would prove nothing."""
    for other in ((X + 0.5, LABELS), (X, 1 - LABELS)):
        with pytest.raises(AssertionError):
            assert_same_results((X, LABELS), other, "float64")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("given", ["float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_inputs_in_any_layout(layout: str, given: str, dtype: str) -> None:
    x = EIGHTHS.astype(given)
    assert_same_results((EIGHTHS, LABELS), (LAYOUTS[layout](x), LABELS), dtype)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("given", ["float32", "float64"])
def test_targets_in_any_layout(layout: str, given: str) -> None:
    y = TARGETS.astype(given)
    assert_same_results((X, TARGETS), (X, LAYOUTS[layout](y)), "float32")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_labels_in_any_layout(layout: str) -> None:
    assert_same_results((X, LABELS), (X, LAYOUTS[layout](LABELS)), "float32")


@pytest.mark.parametrize("integer", INTEGERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_integers_of_any_width(integer: str, dtype: str) -> None:
    plain = DIGITS.astype(np.float64)
    assert_same_results((plain, LABELS), (DIGITS.astype(integer), LABELS), dtype)
    assert_same_results((X, LABELS), (X, LABELS.astype(integer)), dtype)
    assert_same_results((X, TARGETS), (X, TARGETS.astype(integer)), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_booleans_are_0_and_1(dtype: str) -> None:
    bits = DIGITS > 0
    assert_same_results((bits.astype(np.float64), LABELS), (bits, LABELS), dtype)
    assert_same_results((X, TARGETS), (X, TARGETS.astype(bool)), dtype)


def test_float64_is_rounded_to_float32() -> None:
    assert_same_results((X.astype(np.float32), LABELS), (X, LABELS), "float32")


def test_float32_is_widened_to_float64() -> None:
    narrow = X.astype(np.float32)
    assert_same_results((narrow.astype(np.float64), LABELS), (narrow, LABELS), "float64")


def test_long_doubles_are_rounded() -> None:
    assert_same_results((X, LABELS), (X.astype(np.longdouble), LABELS), "float64")


def test_broadcast_inputs() -> None:
    row = EIGHTHS[:1]
    plain = np.repeat(row, ROWS, axis=0)
    assert_same_results((plain, LABELS), (np.broadcast_to(row, (ROWS, 4)), LABELS), "float32")


@pytest.mark.parametrize("value", [np.finfo("f4").max, -np.finfo("f4").max, np.finfo("f4").tiny])
def test_extreme_values_that_the_dtype_holds(value: float) -> None:
    """The largest float32 is finite; a nudged phase uses it as a target unchanged."""
    net = network()
    net.free_phase(np.zeros((1, 4)), 1)
    net.nudged_phase(np.array([[0, float(value)]]), 1e-3, 1)
    output = net.states[-1].copy()
    assert output[0, 1] == pytest.approx(float(value) * 1e-3, rel=1e-5, abs=1)


@pytest.mark.parametrize("pair", [tuple, list])
def test_data_is_any_pair(pair: Any) -> None:
    net = network()
    assert cep.evaluate(net, pair((X, LABELS)), 5) == cep.evaluate(net, (X, LABELS), 5)
    history = fit(net, pair((X, LABELS)), validation_data=pair((X, LABELS)))
    assert len(history.validation_error) == len(history)


def test_arrays_that_were_handed_in_are_left_alone() -> None:
    x, y, soft = X.astype(np.float32), LABELS.copy(), TARGETS.astype(np.float32)
    kept = [x.copy(), y.copy(), soft.copy()]
    for call in (*CALLS_WITH_INPUTS.values(), *CALLS_WITH_ANY_TARGETS.values()):
        call(network(), x, y)
        call(network(), x, soft)
    assert same([x, y, soft], kept)


def test_arrays_that_were_handed_in_are_not_kept() -> None:
    net, expected = network(), network()
    x = X.astype(np.float32)
    for each in (net, expected):
        each.free_phase(x, 3)
    x[...] = 9  # Must not affect the clamped input.
    net.free_phase(X, 3, reset=False)
    expected.free_phase(X, 3, reset=False)
    net.nudged_phase(LABELS, 0.5, 3)
    expected.nudged_phase(LABELS, 0.5, 3)
    assert same(states(net), states(expected))
    assert not np.shares_memory(net.states[0], x)


def test_masked_values_are_refused() -> None:
    net = cep.Network([8, 6, 3])
    values = np.ma.masked_less(np.arange(16.0).reshape(2, 8), 3)
    with pytest.raises(ValueError, match="x has masked values; fill them first"):
        net.free_phase(values, 1)
    net.free_phase(values.filled(0), 1)


def test_values_need_an_array_that_is_there() -> None:
    """Connection 0 has no feedback weights, nor have tied networks."""
    net = cep.Network([8, 6, 3], feedback="untied", feedback_angle=30)
    with pytest.raises(ValueError, match="array 0 does not exist"):
        net.feedback_weights[0] = np.zeros((8, 6))
