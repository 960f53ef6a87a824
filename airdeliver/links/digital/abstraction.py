"""The abstracted physical layer: code blocks are lost as often as the full chain loses them, without a decoder."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Float64
from torch import Generator, Tensor

from airdeliver.compression.codec import Container
from airdeliver.links.digital.block_errors import block_error_rate, effective_snr_db, information_of
from airdeliver.links.digital.coded import Coded
from airdeliver.links.digital.full import Full
from airdeliver.links.digital.gathering.abstraction import AbstractGathered
from airdeliver.links.digital.gathering.base import Combining, Gathered, versions
from airdeliver.links.digital.interleaving import parted
from airdeliver.links.digital.physical_layer import Carried, PhysicalLayer
from airdeliver.links.digital.reception import transparent
from airdeliver.links.digital.transport import TransportBlock
from airdeliver.links.digital.trial import like, try_out
from channels import Channel, ChannelState

GRID_DB = 0.1
"""Spacing of the SNRs at which block error rates are measured; between them their log-odds are interpolated."""

BLOCKS, AT_ONCE = 400, 50
_MARGIN_DB = 0.5
_NEVER, _ALWAYS = 1e-5, 0.999


@dataclass(frozen=True)
class Abstraction(Coded):
    """Code blocks are lost at random, each with the probability that the full chain's decoder loses it with.

    Where the channel is its state and the receiver knows it, no symbol is sent: every code block has the effective SNR
    of its own symbols, and its error rate is that of the full chain on an AWGN channel of that SNR. Over the rounds of
    a session, SNRs (the same coded bits) or information (others) add up. Rates are measured with the full chain the
    first time that they are asked for and kept, at the block's own length or, above 2,048 bits, nearly that; far from
    the waterfall the normal approximation decides.

    Where hardware distorts or gains are estimated, no SNR says what a decoder suffers: its soft bits are wrong in ways
    that Gaussian noise is not. There this is the full chain, which costs at most twice what drawing that channel does.
    """

    def stand_in(self) -> PhysicalLayer:
        """The full chain that it stands for, which sends once what this tries out hundreds of times."""
        # A class that goes on from this one may carry otherwise: that is examined.
        return self.full if type(self) is Abstraction else self

    def carry(  # noqa: D102
        self, container: Container, grade: int, channel: Channel, state: ChannelState, generator: Generator
    ) -> Carried:
        if not transparent(channel, state):
            return self.full.carry(container, grade, channel, state, generator)
        blocks, parts = self.blocks(container.groups, grade), self.parts(container, grade)
        used = [g for _, g in self.transports(container.groups, grade)]
        snr = parted(state.gain.abs().square() / state.noise_variance, [block.symbols for block in blocks])
        rates = [self.error_rates(*one) for one in zip(blocks, used, snr, strict=True)]
        rows: list[list[bytes]] = [[] for _ in range(len(state.gain))]
        for part, block, rate in zip(parts, blocks, rates, strict=True):
            draws = torch.rand(rate.shape, generator=generator, device=generator.device, dtype=torch.float64).cpu()
            for row, failed in zip(rows, draws < rate, strict=True):
                row.append(_damaged(part, block, torch.nonzero(failed).flatten().tolist()))
        return Carried([b"".join(row) for row in rows])

    def error_rates(
        self, block: TransportBlock, grade: int, snr: Float[Tensor, "realizations #symbols"]
    ) -> Float[Tensor, "realizations blocks"]:
        """Error rate of every code block.

        Args:
            block: transport block.
            grade: that it is sent at.
            snr: |h|^2 over the noise variance of its symbols, linear.
        """
        bits = block.bits_per_symbol
        effective = effective_snr_db(information_of(snr, bits), bits, len(block.ranges))
        return self._known(block, grade, effective, (0,))

    def gather(self, container: Container, grade: int, combining: Combining, receivers: int) -> Gathered:  # noqa: D102
        blocks, data = self.blocks(container.groups, grade), self.parts(container, grade)
        grades = [g for _, g in self.transports(container.groups, grade)]
        full = self.full.gather(container, grade, combining, receivers)
        return AbstractGathered(blocks, grades, data, combining, receivers, self.error_rates_after, _damaged, full)

    @property
    def full(self) -> Full:
        """The chain that it stands for."""
        return Full(self.protection, self.iterations, self.ladder, self.halvings)

    def error_rates_after(
        self,
        block: TransportBlock,
        grade: int,
        snr: list[Float[Tensor, "realizations #symbols"]],
        combining: Combining,
    ) -> Float64[Tensor, "realizations blocks"]:
        """Error rate of every code block after some rounds.

        Repeated coded bits have the sum of the SNRs; with others, each round brings its information, and the code is as
        long as what was sent: the block is lost as often as on an AWGN channel whose rounds bring their mean.

        Args:
            block: transport block, as the first round sends it.
            grade: that it is sent at.
            snr: |h|^2 over the noise variance of its symbols in each round, linear.
            combining: how rounds add up.
        """
        bits = block.bits_per_symbol
        if combining == "chase":
            return self.error_rates(block, grade, torch.stack(torch.broadcast_tensors(*snr)).sum(0))
        told = [torch.from_numpy(information_of(each, bits)) for each in snr]
        mean = torch.stack(torch.broadcast_tensors(*told)).mean(0)
        effective = effective_snr_db(mean.numpy(), bits, len(block.ranges))
        sent = tuple(versions(combining)[number % 4] for number in range(len(snr)))
        return self._known(block, grade, effective, sent)

    def _known(
        self, block: TransportBlock, grade: int, effective: Float[Tensor, "realizations blocks"], sent: tuple[int, ...]
    ) -> Float64[Tensor, "realizations blocks"]:
        known = {value: self._error_rate(block, grade, value, sent) for value in effective.unique().tolist()}
        return torch.tensor([[known[value] for value in row] for row in effective.tolist()], dtype=torch.float64)

    def _error_rate(self, block: TransportBlock, grade: int, snr_db: float, versions: tuple[int, ...]) -> float:
        sent = len(versions) * block.symbols * block.bits_per_symbol / len(block.ranges)
        length = block.segmentation.block_bits
        around = torch.tensor([snr_db - _MARGIN_DB, snr_db, snr_db + _MARGIN_DB], dtype=torch.float64)
        below, here, above = block_error_rate(around, length, sent, block.bits_per_symbol).tolist()
        if below < _NEVER or above > _ALWAYS:
            return here
        position, tried = snr_db / GRID_DB, like(block, self.schemes[grade])
        low = math.floor(position)
        odds = [_log_odds(measured(tried, index, self.iterations, versions)) for index in (low, low + 1)]
        return 1 / (1 + math.exp(-(odds[0] + (position - low) * (odds[1] - odds[0]))))


@lru_cache(maxsize=1 << 14)
def measured(block: TransportBlock, index: int, iterations: int, versions: tuple[int, ...] = (0,)) -> float:
    """Block error rate of the full chain on an AWGN channel of `index` times 0.1 dB, never exactly 0 or 1.

    From 400 blocks: its standard error is at most 0.025.

    Args:
        block: of one code block.
        index: of the SNR.
        iterations: most of the LDPC decoder.
        versions: redundancy versions of the rounds that it was sent in.
    """
    generator = Generator().manual_seed(index & 0xFFFF)
    trials = (
        try_out(block, index * GRID_DB, AT_ONCE, iterations, generator, versions) for _ in range(BLOCKS // AT_ONCE)
    )
    return (sum(int(lost.sum()) for lost in trials) + 0.5) / (BLOCKS + 1)


def _log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def _damaged(part: bytes, block: TransportBlock, failed: list[int]) -> bytes:
    """The bytes with all that lost code blocks touch inverted, so that no checksum holds."""
    octets = bytearray(part)
    for index in failed:
        begin, end = block.ranges[index]
        for at in range(begin // 8, -(-end // 8)):
            octets[at] ^= 0xFF
    return bytes(octets)
