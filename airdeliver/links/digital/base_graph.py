"""The quasi-cyclic graphs of 5G NR's LDPC codes, and which of them a block gets."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from jaxtyping import Int

LIFTING_SIZES = tuple(
    tuple(first * 2**j for j in range(8) if first * 2**j <= 384) for first in (2, 3, 5, 7, 9, 11, 13, 15)
)
"""The sets of lifting sizes, TS 38.212 table 5.3.2-1; the set's index picks the shifts."""

INFORMATION_COLUMNS = {1: 22, 2: 10}
LONGEST_BLOCK = {1: 8448, 2: 3840}
"""Most bits of a code block, its CRC included: K_cb of TS 38.212, 5.2.2."""


def select_base_graph(bits: int, rate: float) -> int:
    """The base graph for a transport block of `bits` (without CRC) at code rate `rate`; TS 38.212, 7.2.2.

    >>> select_base_graph(8424, 0.5), select_base_graph(3824, 0.6), select_base_graph(10**5, 0.2)
    (1, 2, 2)
    """
    return 2 if bits <= 292 or (bits <= 3824 and rate <= 0.67) or rate <= 0.25 else 1


def select_lifting(bits: int, number: int) -> int:
    """The smallest lifting size that holds a code block of `bits` (CRC included); TS 38.212, 5.2.2.

    Raises:
        ValueError: more bits than the base graph's longest block.

    >>> select_lifting(8448, 1), select_lifting(500, 2)
    (384, 64)
    """
    if not 0 < bits <= LONGEST_BLOCK[number]:
        raise ValueError(
            f"a code block of base graph {number} must have 1 to {LONGEST_BLOCK[number]} bits, got {bits}: "
            "segment the transport block first"
        )
    columns = 22 if number == 1 else 10 if bits > 640 else 9 if bits > 560 else 8 if bits > 192 else 6
    return min(size for sizes in LIFTING_SIZES for size in sizes if columns * size >= bits)


@dataclass(frozen=True)
class BaseGraph:
    """A base graph and its lifting size: a parity check matrix of `lifting` x `lifting` circulants.

    Entry (row r, column c, shift s) says that check `r * lifting + i` contains bit `c * lifting + (i + s) % lifting`.

    Args:
        number: 1 (long blocks, high rates) or 2.
        lifting: size of the circulants, one of `LIFTING_SIZES`.

    Raises:
        ValueError: any other number or lifting size.
        ImportError: Sionna, whose package data holds the tables, is missing.

    Source: 3GPP TS 38.212, 5.3.2, tables 5.3.2-2 and 5.3.2-3.

    >>> graph = BaseGraph(1, 384)
    >>> graph.rows, graph.columns, graph.information_columns, len(graph.entries)
    (46, 68, 22, 316)
    """

    number: int
    lifting: int

    def __post_init__(self) -> None:
        if self.number not in (1, 2):
            raise ValueError(f"base graph must be 1 or 2, got {self.number}")
        if not any(self.lifting in sizes for sizes in LIFTING_SIZES):
            raise ValueError(f"lifting size must be one of TS 38.212 table 5.3.2-1, got {self.lifting}")

    @property
    def information_columns(self) -> int:
        """Columns of information bits, fillers included; the first two are never sent."""
        return INFORMATION_COLUMNS[self.number]

    @cached_property
    def rows(self) -> int:
        """Rows of checks."""
        return int(self.entries[-1, 0]) + 1

    @cached_property
    def columns(self) -> int:
        """Columns of bits: information, then one a row of checks."""
        return self.information_columns + self.rows

    @cached_property
    def entries(self) -> Int[np.ndarray, "entries 3"]:
        """(row, column, shift) of every circulant, by rows."""
        index = next(i for i, sizes in enumerate(LIFTING_SIZES) if self.lifting in sizes)
        table = _table(self.number)
        return np.stack([table[:, 0], table[:, 1], table[:, 2 + index] % self.lifting], axis=1)


@lru_cache(maxsize=2)
def _table(number: int) -> Int[np.ndarray, "entries 10"]:
    """Row, column and the eight shifts of each entry, as the standard's table lists them."""
    # Sionna itself takes seconds to import, its data does not.
    package = find_spec("sionna")
    if package is None or package.origin is None:
        raise ImportError("digital links need the LDPC graphs that Sionna bundles: pip install 'airdeliver[sionna]'")
    file = Path(package.origin).parent / "phy" / "fec" / "ldpc" / "codes" / f"5G_bg{number}.csv"
    table = np.genfromtxt(file, delimiter=";", skip_header=2)
    # A row's index stands only beside its first entry.
    starts = np.flatnonzero(~np.isnan(table[:, 0]))
    table[:, 0] = np.repeat(table[starts, 0], np.diff(np.append(starts, len(table))))
    return table.astype(np.int64)
