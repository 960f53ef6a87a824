"""Running sums over many values, of which few are held: those at the borders of pieces, and those of two pieces."""

from bisect import bisect_left
from collections.abc import Callable

import numpy as np
from jaxtyping import Float64

PIECE = 1 << 16
"""Values between two sums that are held."""

_HELD = 2
"""Pieces of which all sums are held: where one packet begins, and where it ends."""


class Sums:
    """Sums of costs from one value on: to the bit those that `numpy.cumsum` has of all of them.

    Args:
        first: place of the value that they begin at.
        count: place behind the last value.
        costs: 0 or more, of the values from one place up to another.

    >>> sums = Sums(2, 10, lambda first, end: np.arange(first, end, dtype=np.float64))
    >>> sums.before(5), sums.reached(9.0, 10), sums.reached(9.5, 10), sums.reached(9.5, 5)
    (9.0, 5, 6, 6)
    """

    def __init__(self, first: int, count: int, costs: Callable[[int, int], Float64[np.ndarray, "_"]]) -> None:
        self.first, self._count, self._costs = first, count, costs
        self._borders, self._held = [0.0], dict[int, np.ndarray]()

    def before(self, place: int) -> float:
        """The sum of all values before a place."""
        piece, rest = divmod(place - self.first, PIECE)
        while len(self._borders) <= piece:
            self._piece(len(self._borders) - 1)
        return float(self._piece(piece)[rest]) if rest else self._borders[piece]

    def reached(self, total: float, end: int) -> int:
        """The first place up to `end` before which values add up to a total; the one behind `end` if there is none."""
        while self._borders[-1] < total and self.first + (len(self._borders) - 1) * PIECE < end:
            self._piece(len(self._borders) - 1)
        behind = bisect_left(self._borders, total)
        if behind == len(self._borders):
            return end + 1
        if not behind:
            return self.first
        piece = behind - 1
        return min(end + 1, self.first + piece * PIECE + int(np.searchsorted(self._piece(piece), total)))

    def _piece(self, piece: int) -> Float64[np.ndarray, "_"]:
        """The sums from a border up to the next one, both included; that border is known."""
        if piece not in self._held:
            if len(self._held) >= _HELD:
                del self._held[min(self._held)]
            begin = self.first + piece * PIECE
            sums = np.concatenate([[self._borders[piece]], self._costs(begin, min(begin + PIECE, self._count))])
            self._held[piece] = np.cumsum(sums, out=sums)
            if piece == len(self._borders) - 1:
                self._borders.append(float(sums[-1]))
        return self._held[piece]
