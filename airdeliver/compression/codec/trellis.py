"""Dependent quantisation: two scalar quantisers, and a trellis that says which of them each value has."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int64, Integer, UInt8

LANE = 128
"""Values of a band after which the trellis begins anew, so that many stretches are walked side by side."""

FURTHEST = 127
"""The largest magnitude of an index: all of it is told by one symbol, as its parity is needed at once."""

_NEXT: dict[int, tuple[tuple[int, int], ...]] = {
    4: ((0, 2), (2, 0), (1, 3), (3, 1)),
    8: ((0, 2), (7, 5), (1, 3), (6, 4), (2, 0), (5, 7), (3, 1), (4, 6)),
}
"""The state after an even and after an odd index."""

_SECOND: dict[int, tuple[int, ...]] = {4: (0, 0, 1, 1), 8: (0, 1, 0, 1, 0, 1, 0, 1)}
"""Which of the two quantisers a state has."""


@dataclass(frozen=True)
class Trellis:
    r"""Which multiples of a step a value may take, given those before it in its lane of 128 values.

    The first quantiser has the even multiples, $m = 2k$; the second the odd ones and zero, $m = 2k - \mathrm{sign}(k)$.
    Each lane begins in state 0, and the parity of each index $k$ leads to the next state: values are packed about as
    densely as the union of both quantisers lets them, at the bits of one.

    Args:
        states: of the trellis, 4 or 8: the more, the less error, and the longer the search.

    Raises:
        ValueError: another number of states.

    Source: the scheme and the table of 8 states are those of the NNCodec software of ISO/IEC 15938-17; M. W. Marcellin
    and T. R. Fischer, Trellis coded quantization of memoryless and Gauss-Markov sources, IEEE Trans. Comm. 38(1), 1990.

    >>> trellis = Trellis(4)
    >>> trellis.second(np.array([0, 2, 1, -3, 0])).tolist()
    [False, False, True, True, True]
    >>> trellis.indices(np.array([0, 2, 1, -3, 0])).tolist()
    [0, 1, 1, -2, 0]
    """

    states: Literal[4, 8] = 8

    def __post_init__(self) -> None:
        if self.states not in _NEXT:
            raise ValueError(f"a trellis has 4 or 8 states, got {self.states}")

    @cached_property
    def following(self) -> UInt8[np.ndarray, "states 2"]:
        """The state after each state and an even or an odd index."""
        return np.array(_NEXT[self.states], np.uint8)

    @cached_property
    def quantisers(self) -> Bool[np.ndarray, "states"]:
        """Whether each state has the second quantiser."""
        return np.array(_SECOND[self.states], bool)

    @cached_property
    def before(self) -> Int64[np.ndarray, "states 2 2"]:
        """The two ways into each state: the state before, and the parity that leads on."""
        ways = [[(s, p) for s in range(self.states) for p in (0, 1) if self.following[s, p] == to] for to in self._all]
        return np.array(ways, np.int64)

    @property
    def _all(self) -> range:
        return range(self.states)

    def walk(self, multiples: Integer[np.ndarray, "n"], place: int = 0, state: int = 0) -> UInt8[np.ndarray, "n"]:
        """The state that each value of a stretch has.

        Args:
            multiples: of the step, less those of the centre.
            place: of the first of them in its band.
            state: of that one, where it does not begin a lane.

        Raises:
            ValueError: a multiple that the quantiser of its state does not have.
        """
        lanes = Lanes(place, len(multiples))
        found = np.zeros(lanes.shape, np.uint8)
        even = lanes.of((multiples >> 1 & 1).astype(np.uint8))
        odd = lanes.of((multiples + np.sign(multiples) >> 1 & 1).astype(np.uint8))
        states = np.zeros(lanes.shape[1], np.uint8)
        for column in range(lanes.shape[0]):
            if column == lanes.offset:
                states[0] = state if column else 0
            found[column] = states
            parity = np.where(self.quantisers[states], odd[column], even[column])
            states = self.following[states, parity]
        found = lanes.back(found)
        wrong = np.where(self.quantisers[found], (multiples & 1 == 0) & (multiples != 0), multiples & 1 == 1)
        if wrong.any():
            raise ValueError(f"value {int(wrong.argmax())} is no multiple that the trellis allows there")
        return found

    def second(self, multiples: Integer[np.ndarray, "n"], place: int = 0, state: int = 0) -> Bool[np.ndarray, "n"]:
        """Whether each value has the second quantiser."""
        return self.quantisers[self.walk(multiples, place, state)]

    def indices(
        self, multiples: Integer[np.ndarray, "n"], second: Bool[np.ndarray, "n"] | None = None
    ) -> Integer[np.ndarray, "n"]:
        """The index of each multiple in its quantiser; of a band from its beginning, where these are not given."""
        second = self.second(multiples) if second is None else second
        return (multiples + np.where(second, np.sign(multiples), 0)) >> 1


def multiples_of(
    indices: Integer[np.ndarray, "*shape"], second: Bool[np.ndarray, "*shape"]
) -> Integer[np.ndarray, "*shape"]:
    """The multiple of the step of each index of its quantiser."""
    return 2 * indices - np.where(second, np.sign(indices), 0)


@dataclass(frozen=True)
class Lanes:
    """A stretch of a band as a table: a lane a column, values that are coded side by side a row.

    Args:
        place: of its first value in the band.
        count: of values.
    """

    place: int
    count: int

    @property
    def length(self) -> int:
        """Values of a whole lane."""
        return LANE

    @property
    def offset(self) -> int:
        """Place of the first value in its lane."""
        return self.place % LANE

    @property
    def shape(self) -> tuple[int, int]:
        """Values of a lane, as many as the longest has, and lanes."""
        lanes = -(-(self.offset + self.count) // LANE)
        return (min(LANE, self.offset + self.count), lanes)

    @property
    def first_row(self) -> int:
        """The first row that has values."""
        return self.offset if self.shape[1] == 1 else 0

    def lanes_of(self, row: int) -> slice:
        """The lanes that have a value in a row."""
        first = int(row < self.offset)
        return slice(first, max(first, -(-(self.offset + self.count - row) // LANE)))

    def of(self, values: np.ndarray) -> np.ndarray:
        """The table, with zeros where nothing is."""
        rows, lanes = self.shape
        table = np.zeros(lanes * LANE, values.dtype)
        table[self.offset : self.offset + self.count] = values
        return np.ascontiguousarray(table.reshape(lanes, LANE)[:, :rows].T)

    def back(self, table: np.ndarray) -> np.ndarray:
        """The inverse of `of`."""
        rows, lanes = self.shape
        flat = np.zeros((lanes, LANE), table.dtype)
        flat[:, :rows] = table.T
        return flat.reshape(-1)[self.offset : self.offset + self.count]

    def there(self) -> Bool[np.ndarray, "rows lanes"]:
        """Where values are."""
        return self.of(np.ones(self.count, bool))
