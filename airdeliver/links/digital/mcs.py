"""Modulation and coding schemes of 5G NR, and how many bits a transport block then has."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal


@dataclass(frozen=True)
class MCS:
    """A modulation and a target code rate.

    Args:
        index: I_MCS.
        bits_per_symbol: of the constellation: 2 (QPSK), 4, 6 or 8 (256-QAM).
        rate: target code rate, between 0 and 1.
    """

    index: int
    bits_per_symbol: int
    rate: float

    @property
    def spectral_efficiency(self) -> float:
        """Information bits per complex symbol."""
        return self.bits_per_symbol * self.rate


def _table(*rates: tuple[int, tuple[int | float, ...]]) -> tuple[MCS, ...]:
    pairs = [(bits, rate / 1024) for bits, group in rates for rate in group]
    return tuple(MCS(index, *pair) for index, pair in enumerate(pairs))


MCS_TABLES: dict[Literal[1, 2, 3], tuple[MCS, ...]] = {
    1: _table(
        (2, (120, 157, 193, 251, 308, 379, 449, 526, 602, 679)),
        (4, (340, 378, 434, 490, 553, 616, 658)),
        (6, (438, 466, 517, 567, 616, 666, 719, 772, 822, 873, 910, 948)),
    ),
    2: _table(
        (2, (120, 193, 308, 449, 602)),
        (4, (378, 434, 490, 553, 616, 658)),
        (6, (466, 517, 567, 616, 666, 719, 772, 822, 873)),
        (8, (682.5, 711, 754, 797, 841, 885, 916.5, 948)),
    ),
    3: _table(
        (2, (30, 40, 50, 64, 78, 99, 120, 157, 193, 251, 308, 379, 449, 526, 602)),
        (4, (340, 378, 434, 490, 553, 616)),
        (6, (438, 466, 517, 567, 616, 666, 719, 772)),
    ),
}
"""Up to 64-QAM, up to 256-QAM, and low spectral efficiency: 3GPP TS 38.214, tables 5.1.3.1-1, -2 and -3."""

SCHEMES: tuple[MCS, ...] = tuple(
    sorted(
        {(mcs.bits_per_symbol, mcs.rate): mcs for table in (1, 2, 3) for mcs in MCS_TABLES[table]}.values(),
        key=lambda mcs: mcs.spectral_efficiency,
    )
)
"""All modulation and coding schemes of the three tables, from 0.06 to 7.4 bits per symbol."""


@lru_cache(maxsize=16)
def schemes(halvings: int = 0) -> tuple[MCS, ...]:
    """`SCHEMES`, below them the slowest at a half, a quarter and so on of its rate: its coded bits are sent again.

    Rate matching reads the circular buffer as often as there is room, and the receiver adds up what it hears of a bit.

    Args:
        halvings: how many slower ones, 0 or more.

    Source: 3GPP TS 38.212, 5.4.2.1 (bit selection wraps around the buffer).

    >>> [round(mcs.spectral_efficiency, 4) for mcs in schemes(2)[:4]]
    [0.0146, 0.0293, 0.0586, 0.0781]
    """
    slowest = SCHEMES[0]
    return (*(replace(slowest, rate=slowest.rate / 2**step) for step in range(halvings, 0, -1)), *SCHEMES)


# fmt: off
_SIZES = (
    24, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104, 112, 120, 128, 136, 144, 152, 160, 168, 176, 184, 192, 208, 224, 240,
    256, 272, 288, 304, 320, 336, 352, 368, 384, 408, 432, 456, 480, 504, 528, 552, 576, 608, 640, 672, 704, 736, 768,
    808, 848, 888, 928, 984, 1032, 1064, 1128, 1160, 1192, 1224, 1256, 1288, 1320, 1352, 1416, 1480, 1544, 1608, 1672,
    1736, 1800, 1864, 1928, 2024, 2088, 2152, 2216, 2280, 2408, 2472, 2536, 2600, 2664, 2728, 2792, 2856, 2976, 3104,
    3240, 3368, 3496, 3624, 3752, 3824,
)
# fmt: on


def transport_block_size(symbols: int, mcs: MCS) -> int:
    """Payload bits of the transport block that 5G NR sends over `symbols` complex symbols at one layer.

    Args:
        symbols: resource elements.
        mcs: modulation and target code rate.

    Raises:
        ValueError: no symbols.

    Source: 3GPP TS 38.214, 5.1.3.2, steps 2 to 4, and table 5.1.3.2-1.

    >>> transport_block_size(1000, MCS_TABLES[1][0]), transport_block_size(60_000, MCS_TABLES[1][28])
    (240, 335976)
    """
    if symbols < 1:
        raise ValueError(f"a transport block needs at least one symbol, got {symbols}")
    intended = symbols * mcs.spectral_efficiency
    if intended <= 3824:
        step = 2 ** max(3, math.floor(math.log2(intended)) - 6) if intended >= 1 else 8
        rounded = max(24, step * math.floor(intended / step))
        return next(size for size in _SIZES if size >= rounded)
    step = 2 ** (math.floor(math.log2(intended - 24)) - 5)
    rounded = max(3840, step * math.floor((intended - 24) / step + 0.5))
    longest = 3816 if mcs.rate <= 1 / 4 else 8424
    blocks = 1 if mcs.rate > 1 / 4 and rounded <= longest else math.ceil((rounded + 24) / longest)
    return 8 * blocks * math.ceil((rounded + 24) / (8 * blocks)) - 24
