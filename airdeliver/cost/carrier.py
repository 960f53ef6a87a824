"""How fast an NR carrier takes channel uses: resource elements a millisecond, by bandwidth and numerology."""

from dataclasses import dataclass

RESOURCE_BLOCKS = {
    0: {5: 25, 10: 52, 15: 79, 20: 106, 25: 133, 30: 160, 40: 216, 50: 270},
    1: {5: 11, 10: 24, 15: 38, 20: 51, 25: 65, 30: 78, 40: 106, 50: 133, 60: 162, 70: 189, 80: 217, 90: 245, 100: 273},
    2: {10: 11, 15: 18, 20: 24, 25: 31, 30: 38, 40: 51, 50: 65, 60: 79, 70: 93, 80: 107, 90: 121, 100: 135},
    3: {50: 32, 100: 66, 200: 132, 400: 264},
}  # fmt: skip
"""Most resource blocks of a carrier: TS 38.101-1 (FR1) and TS 38.101-2 (numerology 3, FR2), tables 5.3.2-1."""

OVERHEAD = {0: 0.14, 1: 0.14, 2: 0.14, 3: 0.18}
"""Share of the downlink that is control and reference signals: TS 38.306 clause 4.1.2."""

SUBCARRIERS, SYMBOLS_PER_SLOT = 12, 14


@dataclass(frozen=True)
class Carrier:
    """One NR downlink carrier, all of which one delivery gets.

    Args:
        bandwidth_mhz: of the channel, in MHz.
        numerology: 0 to 3, for a subcarrier spacing of 15, 30, 60 or 120 kHz.

    Raises:
        ValueError: no such numerology, or a bandwidth that it does not have.

    Source: TS 38.211 clause 4: 2^numerology slots of 14 symbols a millisecond, normal cyclic prefix.

    >>> round(Carrier(20, 1).milliseconds(60_000), 2)
    4.07
    """

    bandwidth_mhz: float | int = 20
    numerology: int = 1

    def __post_init__(self) -> None:
        known = RESOURCE_BLOCKS.get(self.numerology)
        if known is None:
            raise ValueError(f"numerology must be 0, 1, 2 or 3, got {self.numerology}")
        if self.bandwidth_mhz not in known:
            raise ValueError(
                f"numerology {self.numerology} has carriers of {', '.join(map(str, known))} MHz, "
                f"got {self.bandwidth_mhz:g}"
            )

    @property
    def uses_per_millisecond(self) -> float:
        """Resource elements for the payload in a millisecond."""
        blocks = RESOURCE_BLOCKS[self.numerology][int(self.bandwidth_mhz)]
        elements = blocks * SUBCARRIERS * SYMBOLS_PER_SLOT * 2**self.numerology
        return elements * (1 - OVERHEAD[self.numerology])

    def milliseconds(self, channel_uses: float | int) -> float:
        """Time on the air; neither scheduling nor retransmission is counted."""
        return channel_uses / self.uses_per_millisecond

    def __str__(self) -> str:
        return f"{self.bandwidth_mhz:g} MHz NR carrier, {15 * 2**self.numerology} kHz subcarriers"
