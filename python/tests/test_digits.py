"""The built-in digits, and the split of a data set."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cep import datasets


def test_digits() -> None:
    """They are scikit-learn's, in our types."""
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    x, y = datasets.digits()
    assert (x.shape, x.dtype, x.flags.c_contiguous) == ((1797, 64), np.float32, True)
    assert (y.shape, y.dtype) == ((1797,), np.int64)
    assert (x.min(), x.max()) == (0, 1)
    assert set(y) == set(range(10))
    bunch = sklearn_datasets.load_digits()
    np.testing.assert_array_equal(x * 16, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)


def labelled(samples: int, classes: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return samples with their row and class as features, in alternating classes."""
    y = np.arange(samples, dtype=np.int64) % classes
    return np.stack([np.arange(samples), y], axis=1).astype(np.float32), y


@given(
    classes=st.integers(2, 5), per_class=st.integers(2, 12), seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)  # fmt: skip
def test_split_is_a_stratified_partition(
    classes: int, per_class: int, seed: int, data: st.DataObject
) -> None:
    """Every sample is on one side, with its class, and classes keep their proportions."""
    pytest.importorskip("sklearn")
    samples = classes * per_class
    x, y = labelled(samples, classes)
    size = data.draw(st.integers(classes, samples - classes))
    (x_train, y_train), (x_test, y_test) = datasets.split((x, y), size, seed=seed)
    assert (len(x_test), len(y_test)) == (size, size)
    rows = np.concatenate([x_train, x_test])[:, 0]
    np.testing.assert_array_equal(np.sort(rows), np.arange(samples))
    for part_x, part_y in ((x_train, y_train), (x_test, y_test)):
        assert (part_x.dtype, part_y.dtype) == (np.float32, np.int64)
        np.testing.assert_array_equal(part_x[:, 1], part_y)
        assert np.ptp(np.bincount(part_y, minlength=classes)) <= 1


def test_split_keeps_unequal_proportions() -> None:
    """Stratified means the proportions of the data, not equal ones."""
    pytest.importorskip("sklearn")
    y = np.repeat(np.arange(3), [60, 30, 10])
    (_, y_train), (_, y_test) = datasets.split((np.zeros((100, 1), np.float32), y), 20)
    assert np.bincount(y_train).tolist() == [48, 24, 8]
    assert np.bincount(y_test).tolist() == [12, 6, 2]


def test_split_depends_on_the_seed_alone() -> None:
    """Two runs of an experiment see the same sets; seed 0 is the default."""
    pytest.importorskip("sklearn")
    data = labelled(100, 4)
    state: Any = np.random.get_state()
    first, again = datasets.split(data, 20), datasets.split(data, 20, seed=0)
    other = datasets.split(data, 20, seed=1)
    np.testing.assert_array_equal(first[1][0], again[1][0])
    assert not np.array_equal(first[1][0], other[1][0])
    after: Any = np.random.get_state()
    np.testing.assert_array_equal(after[1], state[1])
    assert after[2] == state[2]


def test_split_returns_contiguous_copies() -> None:
    """The engine reads rows; a Fortran-ordered x must not keep its layout."""
    pytest.importorskip("sklearn")
    x, y = labelled(20, 2)
    (x_train, _), (x_test, _) = datasets.split((np.asfortranarray(x), y), 6)
    assert x_train.flags.c_contiguous
    assert x_test.flags.c_contiguous
    assert not np.shares_memory(x, x_train)


SAMPLES, LABELS = labelled(20, 4)


@pytest.mark.parametrize(
    ("data", "size", "seed", "message"),
    [
        ((SAMPLES, LABELS), 0.2, 0, "test_size must be a whole number from 4 to 16; it is 0.2"),
        ((SAMPLES, LABELS), 5.0, 0, "test_size"),
        ((SAMPLES, LABELS), True, 0, "test_size"),
        ((SAMPLES, LABELS), "5", 0, "test_size"),
        ((SAMPLES, LABELS), None, 0, "test_size"),
        ((SAMPLES, LABELS), 0, 0, "test_size"),
        ((SAMPLES, LABELS), -1, 0, "test_size"),
        ((SAMPLES, LABELS), 3, 0, "test_size"),
        ((SAMPLES, LABELS), 17, 0, "test_size"),
        ((SAMPLES, LABELS), 20, 0, "test_size"),
        ((SAMPLES, LABELS), 5, None, "seed must be a whole number from 0 to 4294967295"),
        ((SAMPLES, LABELS), 5, -1, "seed"),
        ((SAMPLES, LABELS), 5, True, r"seed must be a whole number .* it is True"),
        ((SAMPLES, LABELS), 5, 2**32, "seed"),
        ((SAMPLES, LABELS[:-1]), 5, 0, r"\(20, 2\).*\(19,\)"),
        ((SAMPLES, LABELS / 2), 5, 0, "float64"),
        ((SAMPLES, np.eye(4)[LABELS].astype(int)), 5, 0, r"\(20, 4\)"),
        ((np.ones(()), LABELS), 5, 0, "x of shape"),
        ((SAMPLES, np.append(LABELS[:-1], 9)), 6, 0, "class 9 has 1"),
        ((SAMPLES, LABELS, LABELS), 5, 0, "pair"),
        (((SAMPLES, LABELS), (SAMPLES, LABELS)), 5, 0, "pair"),
        (SAMPLES, 5, 0, "pair"),
        ((SAMPLES[:0], LABELS[:0]), 0, 0, "test_size"),
    ],
)
def test_split_refuses(data: Any, size: Any, seed: Any, message: str) -> None:
    """Every mistake is a ValueError that names it."""
    pytest.importorskip("sklearn")
    with pytest.raises(ValueError, match=message):
        datasets.split(data, size, seed=seed)


def test_split_takes_numpy_integers() -> None:
    """A size computed with NumPy is accepted."""
    pytest.importorskip("sklearn")
    size: Any = np.int32(8)
    seed: Any = np.int64(3)
    _, (x_test, _) = datasets.split((SAMPLES, LABELS), size, seed=seed)
    assert len(x_test) == 8
