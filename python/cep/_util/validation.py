"""Convert arguments to the types of the engine.

Types are checked here; the engine checks values (shapes, ranges, finiteness), because it knows the
network.
"""

import difflib
import math
import operator
import secrets
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Float = np.float32 | np.float64


def integer(name: str, value: object, highest: int = 2**63 - 1) -> int:
    """An integer of any kind (not a float, not a bool) that fits into 64 bits."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(
            f"{name} must be an integer, got {type(value).__name__} {value!r}"
        ) from None
    if not -(2**63) <= number <= highest:
        raise ValueError(f"{name} must fit into 64 bits, got {number}")
    return number


def count(name: str, value: object, lowest: int = 1) -> int:
    """An integer of at least `lowest`."""
    number = integer(name, value)
    if number < lowest:
        raise ValueError(f"{name} must be {lowest} or more, got {number}")
    return number


def real(name: str, value: object) -> float:
    """A real number of any kind."""
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise TypeError(
            f"{name} must be a real number, got {type(value).__name__} {value!r}"
        ) from None


def flag(name: str, value: object) -> bool:
    """True or False, including NumPy's; other values with a truth value are refused."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {type(value).__name__} {value!r}")
    return bool(value)


def kind(name: str, value: object, expected: type, made_by: str) -> None:
    """Raise a TypeError unless the value has the type that `made_by` returns."""
    if not isinstance(value, expected):
        made_of = value if isinstance(value, type) else type(value)
        given = f"the class {made_of.__name__}" if made_of is value else made_of.__name__
        raise TypeError(f"{name} must be made by {made_by}, got {given}")


def seed(value: object) -> int:
    """A seed; None draws one from the operating system."""
    if value is None:
        return secrets.randbits(63)
    number = integer("seed", value, highest=2**64 - 1)
    if number < 0:
        raise ValueError(f"seed must be 0 or more, got {number}")
    return number


def choice(name: str, value: object, choices: Iterable[str]) -> str:
    """One of a few words."""
    known = list(choices)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be {' or '.join(map(repr, known))}, got {value!r}")
    return value


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """The message for an unknown name, with the most similar known one."""
    names = list(known)
    lower = {each.lower(): each for each in names}
    near = difflib.get_close_matches(str(name).lower(), lower, n=1)
    hint = f"did you mean {lower[near[0]]!r}? " if near else ""
    return f"unknown {kind} {name!r}; {hint}known: {', '.join(names)}"


def matrix(
    name: str, value: ArrayLike, dtype: np.dtype[Any], shape: tuple[int, ...] = ()
) -> NDArray[Float]:
    """A C-contiguous float32 or float64 matrix, copied only if necessary.

    Samples that are images of the given shape are flattened, channel first.

    Integers and booleans are converted to ``dtype``; the engine converts between float types row by
    row. Types that would lose their meaning or precision silently are refused.
    """
    array = array_of(name, value)
    if len(shape) == 3:
        array = _flat_images(name, array, shape)
    if array.ndim != 2:
        raise ValueError(f"{name} must be 2-dimensional, samples × units, got shape {array.shape}")
    if array.dtype.kind in "biu":
        return np.require(array, dtype=dtype, requirements=["C", "A"])
    if array.dtype.kind == "f" and array.dtype.itemsize >= 4:
        native = np.float32 if array.dtype.itemsize == 4 else np.float64
        return np.require(array, dtype=native, requirements=["C", "A"])
    raise TypeError(
        f"{name} must hold float32, float64 or integers, got dtype {array.dtype}; "
        "convert it with astype first"
    )


def _flat_images(name: str, array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    units = math.prod(shape)
    if array.shape[1:] not in (shape, (units,)):
        image = " × ".join(map(str, shape))
        raise ValueError(
            f"{name} must be samples × {image}, or samples × {units}, got shape {array.shape}"
        )
    return array.reshape(len(array), units)


def targets(value: ArrayLike, dtype: np.dtype[Any]) -> NDArray[Float] | NDArray[np.int64]:
    """Labels as int64, or a matrix of target values."""
    array = array_of("y", value)
    if array.ndim == 2:
        return matrix("y", array, dtype)
    if array.ndim != 1:
        raise ValueError(
            "y must be 1-dimensional (integer classes) or 2-dimensional (one-hot, samples × "
            f"output units), got shape {array.shape}"
        )
    if array.dtype.kind not in "iu":
        raise TypeError(f"y must hold integer classes if it is 1-dimensional, got {array.dtype}")
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"y has a label that is too large: {array.max()}")
    return np.require(array, dtype=np.int64, requirements=["C", "A"])


def samples(
    x: ArrayLike, y: ArrayLike, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> tuple[NDArray[Float], NDArray[Float] | NDArray[np.int64]]:
    """Convert inputs and targets together."""
    return matrix("x", x, dtype, shape), targets(y, dtype)


def pair(name: str, data: object) -> tuple[ArrayLike, ArrayLike]:
    """The two parts of ``(x, y)``."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        raise TypeError(f"{name} must be a pair (x, y), got {type(data).__name__}")
    return data[0], data[1]


def array_of(name: str, value: Any) -> NDArray[Any]:
    """Convert a value to an array without a copy, by NumPy or else by DLPack."""
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{name} has masked values; fill them first")
    try:
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            return np.from_dlpack(value)
        return np.asarray(value)
    except TypeError as error:
        raise TypeError(f"{name} cannot be read as an array: {error}") from error
    except (ValueError, RuntimeError, BufferError) as error:
        raise ValueError(f"{name} cannot be read as an array: {error}") from error
