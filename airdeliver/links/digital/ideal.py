"""The ideal physical layer: error-free up to the Shannon limit of the realised channel, nothing beyond it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from airdeliver.compression.codec import Container
from airdeliver.compression.codec.head import LARGEST_PACKET
from airdeliver.links.digital.physical_layer import Carried, PhysicalLayer, information
from channels import Channel, ChannelState

_PER_OCTAVE = 4096
_LOWEST = -6
_GRADES = 10 * _PER_OCTAVE


@dataclass(frozen=True)
class Ideal(PhysicalLayer):
    """A capacity-achieving code over the whole delivery.

    All of a container arrives if its rate is at most the mutual information of the realised channel over the payload
    symbols; otherwise nothing does (outage). Grade g has 2^(g / 4096 - 6) bits per symbol.

    Source: D. Tse and P. Viswanath, Fundamentals of Wireless Communication, 2005, section 5.4.1.

    >>> Ideal().efficiency(6 * 4096), Ideal().symbols((0, 1000), 7 * 4096)
    (1.0, 4000)
    """

    fastest = _GRADES - 1
    grade_bytes = 2
    packet_bytes = LARGEST_PACKET
    resolution = 64
    protects = False

    def efficiency(self, grade: int) -> float:  # noqa: D102
        return 2.0 ** (grade / _PER_OCTAVE + _LOWEST)

    def symbols(self, lengths: Sequence[int], grade: int) -> int:  # noqa: D102
        return max(1, math.ceil(8 * sum(lengths) / self.efficiency(grade)))

    def grades(self, state: ChannelState, symbols: int) -> Int64[Tensor, "candidates"]:
        """The highest grade of every realization: the best choice is always one of them."""
        finite = information(state, symbols).clamp(2.0**_LOWEST, 2.0**4)
        exact = _PER_OCTAVE * (torch.log2(finite) - _LOWEST)
        return (exact + 1e-6).floor().long().clamp(0, _GRADES - 1).unique()

    def failure(  # noqa: D102
        self, grades: Int64[Tensor, "candidates"], state: ChannelState, symbols: int
    ) -> Float[Tensor, "realizations candidates"]:
        rates = 2.0 ** (grades.double() / _PER_OCTAVE + _LOWEST)
        return (information(state, symbols)[:, None] * (1 + 1e-9) < rates).float()

    def carry(  # noqa: D102
        self, container: Container, grade: int, channel: Channel, state: ChannelState, generator: Generator
    ) -> Carried:
        symbols = self.symbols(container.groups, grade)
        limit = self.efficiency(grade)
        arrives = information(state, symbols) * (1 + 1e-9) >= limit
        return Carried([container.data if ok else None for ok in arrives.tolist()])
