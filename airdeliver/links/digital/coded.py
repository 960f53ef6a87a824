"""What the full chain and its abstraction share: grades are modulation and coding schemes of 5G NR."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise
from typing import ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.compression.codec import Container
from airdeliver.links.digital.base_graph import select_base_graph
from airdeliver.links.digital.block_errors import block_error_rate, effective_snr_db, information_of
from airdeliver.links.digital.mcs import MCS, schemes
from airdeliver.links.digital.outlook import Outlook
from airdeliver.links.digital.physical_layer import PhysicalLayer
from airdeliver.links.digital.segmentation import Segmentation
from airdeliver.links.digital.transport import TransportBlock

_MOST_HALVINGS = 8


@dataclass(frozen=True)
class Coded(PhysicalLayer):
    """A container as transport blocks: head and protected packets at a more robust grade, then the others.

    Groups that have the same grade travel in one transport block: a longer code loses less. All symbols are interleaved
    over the whole delivery: where gains change within it, every code block, the short one of the head too, meets all
    of them.

    Args:
        protection: bits per symbol of the more robust grade over those of the other, at most.
        ladder: bits per symbol of each further group but the last over those of the next one, at most; below 1, what
            comes first is more robust, group by group.
        iterations: most of the LDPC decoder.
        halvings: grades below the slowest modulation and coding scheme, each of half the rate of the next: coded bits
            are sent again. 0.06 bits per symbol arrive from -12 dB on in AWGN, a halving takes 3 dB less. With them,
            what is more robust than the slowest scheme may be slower than it.

    Raises:
        ValueError: a protection or a ladder outside 0 to 1, no iteration, or halvings outside 0 to 8.

    Source: 3GPP TS 38.214, tables 5.1.3.1-2 and -3 (modulation and coding schemes), TS 38.212 (channel coding).
    """

    protection: float = 0.8
    iterations: int = 20
    ladder: float = 1.0
    halvings: int = 0

    requires: ClassVar[tuple[str, str]] = ("sionna", "airdeliver[sionna]")

    filling = 0.94
    alphabets = (2, 4, 6, 8)

    def __post_init__(self) -> None:
        if not 0 < self.protection <= 1 or self.iterations < 1 or not 0 < self.ladder <= 1:
            raise ValueError(
                "protection and ladder must be above 0 and at most 1, iterations at least 1, "
                f"got {self.protection}, {self.ladder} and {self.iterations}"
            )
        if not 0 <= self.halvings <= _MOST_HALVINGS:
            raise ValueError(f"halvings must be 0 to {_MOST_HALVINGS}, got {self.halvings}")

    @property
    def schemes(self) -> tuple[MCS, ...]:
        """The modulation and coding scheme of each grade."""
        return schemes(self.halvings)

    @property
    def fastest(self) -> int:  # type: ignore[override]
        """The highest grade."""
        return len(self.schemes) - 1

    def efficiency(self, grade: int) -> float:  # noqa: D102
        return self.schemes[grade].spectral_efficiency

    def symbols(self, lengths: Sequence[int], grade: int) -> int:  # noqa: D102
        return sum(symbols_for(8 * length, self.schemes[g]) for length, g in self.transports(lengths, grade))

    def grades_of(self, lengths: Sequence[int], grade: int) -> tuple[int, ...]:
        """The grade of each group; the same for all if more than a quarter is in the first: all of it is vital."""
        further = [self._slower(grade, self.ladder**steps) for steps in range(len(lengths) - 2, -1, -1)]
        first = further[0] if further else grade
        if self.protection == 1 or (4 * lengths[0] > sum(lengths) and self.ladder == 1):
            return first, *further
        return self._slower(first, self.protection), *further

    def _slower(self, grade: int, share: float) -> int:
        """The fastest grade of at most this share of the bits per symbol of another."""
        if share == 1:
            return grade
        most = share * self.efficiency(grade)
        return max((g for g in range(grade) if self.efficiency(g) <= most), default=0)

    def transports(self, lengths: Sequence[int], grade: int) -> list[tuple[int, int]]:
        """Bytes and grade of each transport block: neighbours of one grade are one, and an empty group is none."""
        parts = [part for part in zip(lengths, self.grades_of(lengths, grade), strict=True) if part[0]]
        return [(sum(length for length, _ in run), g) for g, run in groupby(parts, key=lambda part: part[1])]

    def transport_of(self, lengths: Sequence[int], grade: int) -> list[int]:
        """The number of the transport block that carries each group; an empty one has that of the group before it."""
        grades, number, before = self.grades_of(lengths, grade), 0, None
        numbers = []
        for length, g in zip(lengths, grades, strict=True):
            number += bool(length and before not in (None, g))
            before = g if length else before
            numbers.append(number)
        return numbers

    def blocks(self, lengths: Sequence[int], grade: int) -> list[TransportBlock]:
        """The transport blocks of a container whose groups have so many bytes."""
        return [transport_block(8 * length, self.schemes[g]) for length, g in self.transports(lengths, grade)]

    def parts(self, container: Container, grade: int) -> list[bytes]:
        """The bytes of each transport block."""
        ends = accumulate(length for length, _ in self.transports(container.groups, grade))
        return [container.data[begin:end] for begin, end in pairwise([0, *ends])]

    def grades(self, outlook: Outlook, symbols: int) -> Int64[Tensor, "candidates"]:  # noqa: D102
        return torch.arange(len(self.schemes))

    def failure(  # noqa: D102
        self, grades: Int64[Tensor, "candidates"], outlook: Outlook, symbols: int
    ) -> Float[Tensor, "realizations candidates"]:
        carried = {}
        for bits in {self.schemes[grade].bits_per_symbol for grade in grades.tolist()}:
            state = outlook.states[bits]
            carried[bits] = information_of((state.gain.abs().square() / state.noise_variance)[:, :symbols], bits)
        columns = []
        for grade in grades.tolist():
            mcs = self.schemes[grade]
            cut = segmentation(max(8, int(symbols * mcs.spectral_efficiency)), mcs)
            # Interleaved over the delivery, each code block meets what all of them meet.
            effective = effective_snr_db(carried[mcs.bits_per_symbol], mcs.bits_per_symbol)
            sent = symbols * mcs.bits_per_symbol / cut.blocks
            lost = block_error_rate(effective, cut.block_bits, sent, mcs.bits_per_symbol)
            columns.append(1 - (1 - lost[:, 0]) ** cut.blocks)
        return torch.stack(columns, -1).float()


def bits_of(data: bytes) -> Tensor:
    """Bytes as a row of bits, the most significant first."""
    octets = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    return (octets[:, None] >> torch.arange(7, -1, -1, dtype=torch.uint8) & 1).flatten()[None]


def bytes_of(bits: Tensor) -> list[bytes]:
    """The inverse of `bits_of`, row by row."""
    weights = 2 ** torch.arange(7, -1, -1, dtype=torch.int32)
    octets = (bits.cpu().int().unflatten(-1, (-1, 8)) * weights).sum(-1).to(torch.uint8)
    return [row.numpy().tobytes() for row in octets]


def symbols_for(bits: int, mcs: MCS) -> int:
    """Complex symbols that take so many payload bits and their CRCs at the rate of a modulation and coding scheme."""
    cut = segmentation(bits, mcs)
    return math.ceil(cut.blocks * cut.block_bits / mcs.spectral_efficiency)


def segmentation(bits: int, mcs: MCS) -> Segmentation:
    """How so many payload bits are cut into code blocks."""
    return Segmentation(bits, select_base_graph(bits, mcs.rate))


def transport_block(bits: int, mcs: MCS) -> TransportBlock:
    """The transport block of so many payload bits."""
    return TransportBlock(bits, symbols_for(bits, mcs), mcs.bits_per_symbol, mcs.rate)


def longest_block(symbols: int, mcs: MCS) -> TransportBlock:
    """The transport block of most payload bits that so many symbols take at a modulation and coding scheme."""
    bits = max(8, int(symbols * mcs.spectral_efficiency) // 8 * 8)
    while symbols_for(bits, mcs) > symbols and bits > 8:
        bits -= 8
    return transport_block(bits, mcs)
