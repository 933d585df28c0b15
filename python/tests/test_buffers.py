"""Parameters and states are read in place: buffers over the engine's memory."""

import ctypes
import gc
from typing import Any

import numpy as np
import pytest
from numpy_model import NumpyModel
from snapshot import fingerprint, parameters, same

import cep

SIZES = (6, 5, 3)
X = np.random.default_rng(0).random((4, 6))
SHAPES = {"weights": [(5, 6), (3, 5)], "biases": [(5,), (3,)], "states": [(4, 6), (4, 5), (4, 3)]}
ARRAYS = [(name, index) for name, shapes in SHAPES.items() for index in range(len(shapes))]
CODES = {"float32": "f", "float64": "d"}

# CPython's flags of buffer requests.
SIMPLE, WRITABLE, FORMAT, ND, STRIDES = 0x0, 0x1, 0x4, 0x8, 0x18
C_CONTIGUOUS, F_CONTIGUOUS, ANY_CONTIGUOUS, INDIRECT = 0x38, 0x58, 0x98, 0x118


def network(dtype: str = "float32") -> cep.Network:
    net = cep.Network(SIZES, dtype=dtype, seed=1)
    net.free_phase(X, 5)
    return net


def fill_memory() -> None:
    """Reuses freed memory, so that a view of it would change."""
    for _ in range(300):
        other = cep.Network(SIZES, seed=9)
        other.free_phase(X + 1, 2)


@pytest.mark.parametrize(("name", "index"), ARRAYS)
@pytest.mark.parametrize("dtype", CODES)
def test_arrays_share_the_memory_of_the_engine(name: str, index: int, dtype: str) -> None:
    net = network(dtype)
    array = np.asarray(getattr(net, name)[index])
    assert array.shape == SHAPES[name][index]
    assert array.dtype == dtype
    assert array.flags.writeable
    assert array.flags.c_contiguous
    assert array.flags.aligned
    again = np.asarray(getattr(net, name)[index])
    assert np.shares_memory(array, again)
    array.flat[-1] = 0.125
    assert again.flat[-1] == 0.125


@pytest.mark.parametrize(("name", "index"), ARRAYS)
def test_different_arrays_share_nothing(name: str, index: int) -> None:
    net = network()
    array = getattr(net, name)[index]
    for other in ARRAYS:
        if other != (name, index):
            assert not np.shares_memory(array, getattr(net, other[0])[other[1]])


@pytest.mark.parametrize("name", ["weights", "biases"])
@pytest.mark.parametrize("index", [0, 1])
def test_the_next_phase_sees_what_was_written(name: str, index: int) -> None:
    net = network("float64")
    before = fingerprint(net)
    array = np.asarray(getattr(net, name)[index])
    array[1] += 0.7
    net.free_phase(X, 20)
    for state, expected in zip(net.states, NumpyModel.of(net).free_phase(X, 20), strict=True):
        assert np.abs(state - expected).max() <= 1e-10
    assert fingerprint(net) != before


def test_a_continued_phase_sees_written_states() -> None:
    net = network("float64")
    model = NumpyModel.of(net)
    net.states[1][...] = 0.25
    net.states[2][2, 1] = 0.75
    start = [np.array(state) for state in net.states]
    net.free_phase(X, 1, reset=False)
    for state, expected in zip(net.states, model.step(start), strict=True):
        assert np.abs(state - expected).max() <= 1e-10


@pytest.mark.parametrize("name", ["weights", "biases", "states"])
def test_memoryviews(name: str) -> None:
    net = network()
    array = getattr(net, name)[0]
    with memoryview(array) as view:
        assert not view.readonly
        assert view.format == "f"
        assert view.shape == SHAPES[name][0]
        view[(1,) * view.ndim] = 0.5
    assert array[(1,) * array.ndim] == 0.5


@pytest.mark.parametrize(("name", "index"), ARRAYS)
def test_views_outlive_their_network(name: str, index: int) -> None:
    net = network()
    view = getattr(net, name)[index]
    raw = memoryview(net._engine.array(name, index))
    kept = view.copy()
    del net
    gc.collect()
    fill_memory()
    np.testing.assert_array_equal(view, kept)
    assert raw.tolist() == kept.tolist()
    view += 1
    np.testing.assert_array_equal(view, kept + 1)


def test_views_keep_old_states_when_the_batch_size_changes() -> None:
    net = network()
    views = list(net.states)
    kept = [view.copy() for view in views]
    for rows in (7, 1, 4):
        net.free_phase(np.ones((rows, 6)), 3)
        assert [state.shape[0] for state in net.states] == [rows] * 3
    fill_memory()
    assert same(views, kept)
    assert not any(np.shares_memory(v, s) for v, s in zip(views, net.states, strict=True))


def test_views_follow_the_states_of_the_same_batch_size() -> None:
    net = network()
    views = list(net.states)
    net.free_phase(np.ones((4, 6)), 3)
    np.testing.assert_array_equal(views[0], np.ones((4, 6)))
    assert all(np.shares_memory(v, s) for v, s in zip(views, net.states, strict=True))


@pytest.mark.parametrize("name", ["weights", "biases", "states"])
@pytest.mark.parametrize("index", [0, 1, -1])
def test_assigning_an_item_copies_into_it(name: str, index: int) -> None:
    net = network()
    arrays = getattr(net, name)
    view = arrays[index]
    values = np.random.default_rng(3).random(view.shape).astype(np.float32)
    for given in (values, values.astype(np.float64), values.tolist(), np.asfortranarray(values)):
        view[...] = 0
        arrays[index] = given
        np.testing.assert_array_equal(view, values)
    assert np.shares_memory(view, arrays[index])
    assert not np.shares_memory(view, values)


@pytest.mark.parametrize("name", ["weights", "biases", "states"])
def test_assigning_another_shape_is_refused(name: str) -> None:
    net = network()
    arrays = getattr(net, name)
    before = fingerprint(net)
    right = SHAPES[name][0]
    for shape in [(), (1,), (99,), (*right[::-1], 1), (*right, 1), (1, *right), right[:-1]]:
        with pytest.raises(ValueError, match="shape") as caught:
            arrays[0] = np.zeros(shape)
        assert str(right) in str(caught.value)
        assert str(shape) in str(caught.value)
    with pytest.raises(IndexError):
        arrays[len(arrays)] = arrays[0]
    with pytest.raises((TypeError, ValueError)):
        arrays[0] = np.full(right, "one")
    assert fingerprint(net) == before


@pytest.mark.parametrize("name", ["weights", "biases", "states"])
def test_arrays_are_a_sequence(name: str) -> None:
    net = network()
    arrays, count = getattr(net, name), len(SHAPES[name])
    assert len(arrays) == count
    assert [array.shape for array in arrays] == SHAPES[name]
    assert [array.shape for array in reversed(arrays)] == SHAPES[name][::-1]
    assert [array.shape for array in arrays[1:]] == SHAPES[name][1:]
    assert [array.shape for array in arrays[::-1]] == SHAPES[name][::-1]
    assert arrays[5:] == []
    assert arrays[-1].shape == SHAPES[name][-1]
    assert arrays[np.int64(1)].shape == SHAPES[name][1]
    assert all(np.shares_memory(a, b) for a, b in zip(arrays[:], arrays, strict=True))
    for index in (count, -count - 1, 2**70):
        with pytest.raises(IndexError):
            arrays[index]
    with pytest.raises(TypeError):
        arrays["0"]


def test_states_before_any_phase() -> None:
    net = cep.Network(SIZES)
    assert len(net.states) == 3
    for layer in range(3):
        with pytest.raises(RuntimeError, match="free phase"):
            net.states[layer]
    with pytest.raises(RuntimeError, match="free phase"):
        net.states[1] = np.zeros((4, 5))


def test_copies_are_independent_of_the_network() -> None:
    net = network()
    copies = parameters(net)
    kept = [copy.copy() for copy in copies]
    cep.train_batch(net, X, [0, 1, 2, 0], cep.EP(10, 5, 0.5, 1.0))
    assert same(copies, kept)
    assert not same(parameters(net), kept)


class PyBuffer(ctypes.Structure):
    """CPython's Py_buffer."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.c_void_p),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.POINTER(ctypes.c_ssize_t)),
        ("strides", ctypes.POINTER(ctypes.c_ssize_t)),
        ("suboffsets", ctypes.POINTER(ctypes.c_ssize_t)),
        ("internal", ctypes.c_void_p),
    ]


@pytest.mark.parametrize(
    "flags",
    [
        *(SIMPLE, WRITABLE, ND, ND | WRITABLE, STRIDES, C_CONTIGUOUS, ANY_CONTIGUOUS, INDIRECT),
        *(ND | FORMAT, STRIDES | FORMAT | WRITABLE, INDIRECT | FORMAT | WRITABLE),
    ],
    ids=hex,
)
@pytest.mark.parametrize(("name", "index"), ARRAYS)
@pytest.mark.parametrize("dtype", CODES)
def test_buffer_requests_get_what_they_ask_for(
    name: str, index: int, dtype: str, flags: int
) -> None:
    net = network(dtype)
    raw: Any = net._engine.array(name, index)
    view, shape, itemsize = PyBuffer(), SHAPES[name][index], np.dtype(dtype).itemsize
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(raw), ctypes.byref(view), flags)
    try:
        assert view.buf == getattr(net, name)[index].ctypes.data
        assert (view.len, view.itemsize) == (int(np.prod(shape)) * itemsize, itemsize)
        assert not view.readonly
        assert view.format == (CODES[dtype].encode() if flags & FORMAT else None)
        assert bool(view.shape) is bool(flags & ND)
        if flags & ND:
            assert tuple(view.shape[: view.ndim]) == shape
        assert bool(view.strides) is (flags & STRIDES == STRIDES)
        if flags & STRIDES == STRIDES:
            expected = tuple(itemsize * int(np.prod(shape[k + 1 :])) for k in range(len(shape)))
            assert tuple(view.strides[: view.ndim]) == expected
        assert not view.suboffsets
    finally:
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))


def test_column_major_requests_are_refused() -> None:
    raw: Any = network()._engine.array("weights", 0)
    view = PyBuffer(obj=1)
    with pytest.raises(BufferError, match="row-major"):
        ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(raw), ctypes.byref(view), F_CONTIGUOUS)
    assert view.obj is None, "CPython's documentation demands it of a request that fails"
