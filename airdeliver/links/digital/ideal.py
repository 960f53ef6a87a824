"""The ideal physical layer: error-free up to the Shannon limit of the realised channel, nothing beyond it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from airdeliver.compression.codec import Container
from airdeliver.compression.codec.head import LARGEST_PACKET
from airdeliver.links.digital.block_errors import information_of
from airdeliver.links.digital.gathering.base import Combining, Gathered
from airdeliver.links.digital.gathering.ideal import IdealGathered
from airdeliver.links.digital.outlook import Outlook
from airdeliver.links.digital.physical_layer import Carried, PhysicalLayer, information
from airdeliver.links.digital.reception import GAUSSIAN, receptions, transparent
from channels import Channel, ChannelState

_PER_OCTAVE = 4096
_LOWEST = -6
_GRADES = 10 * _PER_OCTAVE


@dataclass(frozen=True)
class Ideal(PhysicalLayer):
    """A capacity-achieving code over the whole delivery.

    All of a container arrives if its rate is at most the mutual information of the realised channel over the payload
    symbols; otherwise nothing does (outage). Impairments and the error of the estimate are noise, and the symbols are
    those that carry most through them, Gaussian ones or a constellation of the coded layers: symbols of equal amplitude
    pass an amplifier that distorts Gaussian ones. Grade g has 2^(g / 4096 - 6) bits per symbol.

    Source: D. Tse and P. Viswanath, Fundamentals of Wireless Communication, 2005, section 5.4.1.

    >>> Ideal().efficiency(6 * 4096), Ideal().symbols((0, 1000), 7 * 4096)
    (1.0, 4000)
    """

    fastest = _GRADES - 1
    grade_bytes = 2
    packet_bytes = LARGEST_PACKET
    resolution = 64
    protects = False
    alphabets = (GAUSSIAN, 2, 4, 6, 8)

    def efficiency(self, grade: int) -> float:  # noqa: D102
        return 2.0 ** (grade / _PER_OCTAVE + _LOWEST)

    def threshold(self, grade: int) -> float:  # noqa: D102
        return self.efficiency(grade)

    def symbols(self, lengths: Sequence[int], grade: int) -> int:  # noqa: D102
        return max(1, math.ceil(8 * sum(lengths) / self.efficiency(grade)))

    def grades(self, outlook: Outlook, symbols: int) -> Int64[Tensor, "candidates"]:
        """The highest grade of every realization: the best choice is always one of them."""
        finite = most_information(outlook, symbols).clamp(2.0**_LOWEST, 2.0**4)
        exact = _PER_OCTAVE * (torch.log2(finite) - _LOWEST)
        return (exact + 1e-6).floor().long().clamp(0, _GRADES - 1).unique()

    def failure(  # noqa: D102
        self, grades: Int64[Tensor, "candidates"], outlook: Outlook, symbols: int
    ) -> Float[Tensor, "realizations candidates"]:
        rates = 2.0 ** (grades.double() / _PER_OCTAVE + _LOWEST)
        return (most_information(outlook, symbols)[:, None] * (1 + 1e-9) < rates).float()

    def carry(  # noqa: D102
        self, container: Container, grade: int, channel: Channel, state: ChannelState, generator: Generator
    ) -> Carried:
        symbols = self.symbols(container.groups, grade)
        arrives = self._carried(channel, state, symbols, generator) * (1 + 1e-9) >= self.efficiency(grade)
        return Carried([container.data if ok else None for ok in arrives.tolist()])

    def gather(self, container: Container, grade: int, combining: Combining, receivers: int) -> Gathered:  # noqa: D102
        symbols = self.symbols(container.groups, grade)

        def carried(channel: Channel, state: ChannelState, generator: Generator) -> Tensor:
            return self._carried(channel, state, symbols, generator)

        return IdealGathered(container.data, symbols, self.efficiency(grade), combining, receivers, carried)

    def _carried(
        self, channel: Channel, state: ChannelState, symbols: int, generator: Generator
    ) -> Float[Tensor, "realizations"]:
        """Bits per symbol, float64, that each realization carries."""
        if transparent(channel, state):
            return most_information(Outlook.of(state, self.alphabets), symbols)
        seen = Outlook(receptions(channel, state, self.alphabets, symbols, generator))
        # Probes say what is carried to so much: one who sends at the limit is not to lose all by that.
        return most_information(seen, symbols) * 1.01


def most_information(outlook: Outlook, symbols: int) -> Float[Tensor, "realizations"]:
    """Bits per symbol, float64, of the alphabet that carries most over the first symbols of each realization."""
    gaussian = outlook.states[GAUSSIAN]
    most = information(gaussian, symbols)
    for bits, state in outlook.states.items():
        if state is gaussian:  # no constellation carries more over one and the same channel
            continue
        snr = state.gain[:, :symbols].abs().square() / state.noise_variance[:, :symbols]
        most = torch.maximum(most, torch.from_numpy(2 * information_of(snr, bits)).mean(-1).to(most))
    return most
