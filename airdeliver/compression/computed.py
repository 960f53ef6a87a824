"""Levels of a large payload that are worked out where they are asked for: a rule in place of memory for all of them."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Integer
from numpy.typing import DTypeLike

PIECE = 1 << 16
"""Levels that are worked out at a time."""

_HELD = 6
"""Pieces of which the levels are held: a codec comes back to what it has just looked at."""


class Computed:
    """Integers that follow from a rule, as an array of them that nobody holds.

    It has what a codec asks an array of levels for: length, shape, dtype, slices of consecutive levels, and those as an
    array. NumPy makes an array of it, as of anything else.

    Args:
        rule: the levels from one place up to another.
        size: of all of them.
        dtype: that holds every one.

    >>> squares = Computed(lambda first, end: np.arange(first, end) ** 2, 10, np.int8)
    >>> squares[2:5].astype(np.int64), len(squares[2:5][1:])
    (array([ 4,  9, 16]), 2)
    """

    def __init__(self, rule: Callable[[int, int], Integer[np.ndarray, "_"]], size: int, dtype: DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._pieces = _Pieces(rule, size, self.dtype)
        self._first, self._end = 0, size

    def __len__(self) -> int:
        return self._end - self._first

    @property
    def shape(self) -> tuple[int]:
        """Number of levels."""
        return (len(self),)

    def __getitem__(self, some: slice) -> "Computed":
        first, end, step = some.indices(len(self))
        if step != 1:
            raise ValueError(f"levels that are worked out are asked for one after the other, not every {step} of them")
        part = object.__new__(Computed)
        part.dtype, part._pieces = self.dtype, self._pieces
        part._first, part._end = self._first + first, self._first + max(first, end)
        return part

    def astype(self, dtype: DTypeLike, copy: bool = True) -> Integer[np.ndarray, "n"]:
        """An array of these levels; `copy` is there as NumPy has it, an array is made in any case."""
        return self._pieces.levels(self._first, self._end, np.dtype(dtype))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Integer[np.ndarray, "n"]:
        return self.astype(self.dtype if dtype is None else dtype)


class _Pieces:
    """All levels of a rule, some pieces of which are held."""

    def __init__(self, rule: Callable[[int, int], Integer[np.ndarray, "_"]], size: int, dtype: np.dtype) -> None:
        self._rule, self._size, self._dtype = rule, size, dtype
        self._held: OrderedDict[int, np.ndarray] = OrderedDict()

    def levels(self, first: int, end: int, dtype: np.dtype) -> Integer[np.ndarray, "_"]:
        found = np.empty(end - first, dtype)
        for start in range(first // PIECE * PIECE, end, PIECE):
            begin, stop = max(first, start), min(end, start + PIECE)
            found[begin - first : stop - first] = self._piece(start)[begin - start : stop - start]
        return found

    def _piece(self, start: int) -> np.ndarray:
        if start not in self._held:
            if len(self._held) >= _HELD:
                self._held.popitem(last=False)
            self._held[start] = self._rule(start, min(start + PIECE, self._size)).astype(self._dtype, copy=False)
        self._held.move_to_end(start)
        return self._held[start]


LevelArray = Integer[np.ndarray, "_"] | Integer[Computed, "_"]
"""Levels that are held, or worked out."""
