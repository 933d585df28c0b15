"""Parameters and states as NumPy arrays in the engine's memory."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike

from cep._util import validation

View = TypeVar("View")


class Arrays(Sequence[View]):
    """Parameters or states of a network, each a NumPy array in the engine's memory.

    Writing to an array changes the network; so does assigning to an item, which copies the values.
    The arrays stay valid after the network is deleted. Pickled or deep-copied, they become a list.
    """

    def __init__(self, count: int, array: Callable[[int], View]) -> None:
        self._count = count
        self._array = array

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> View: ...
    @overload
    def __getitem__(self, index: slice) -> list[View]: ...
    def __getitem__(self, index: int | slice) -> View | list[View]:
        if isinstance(index, slice):
            return [self._array(k) for k in range(self._count)[index]]
        return self._array(range(self._count)[index])

    def __setitem__(self, index: int, values: ArrayLike) -> None:
        array: Any = self._array(range(self._count)[index])
        if array is None:
            raise ValueError(f"array {index} does not exist, so values cannot be assigned to it")
        new = validation.array_of("the value", values)
        if not np.can_cast(new.dtype, array.dtype, "same_kind"):
            raise TypeError(f"expected real numbers, got dtype {new.dtype}")
        if new.shape != array.shape:
            raise ValueError(f"expected an array of shape {array.shape}, got {new.shape}")
        array[...] = new

    def __iter__(self) -> Iterator[View]:
        return map(self._array, range(self._count))

    def __repr__(self) -> str:
        try:
            return f"[{', '.join(repr(array) for array in self)}]"
        except RuntimeError as error:
            return f"<{self._count} arrays that cannot be read: {error}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)
