"""The abstracted physical layer: code blocks are lost as often as the full chain loses them, without sending a bit."""

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from jaxtyping import Float, Float64
from torch import Generator, Tensor

from airdeliver.compression.codec import Container
from airdeliver.links.digital.block_errors import block_error_rate, effective_snr_db, information_of
from airdeliver.links.digital.coded import SCHEMES, Coded, segmentation
from airdeliver.links.digital.gathering.abstraction import AbstractGathered
from airdeliver.links.digital.gathering.base import Combining, Gathered, versions
from airdeliver.links.digital.modulation import Modulation
from airdeliver.links.digital.physical_layer import Carried
from airdeliver.links.digital.reception import reception
from airdeliver.links.digital.transport import TransportBlock
from channels import Channel, ChannelState

GRID_DB = 0.1
"""Spacing of the SNRs at which block error rates are measured; between them their log-odds are interpolated."""

LENGTHS = 16
"""Block lengths an octave at which they are measured."""

CRC_BITS = 24
BLOCKS, AT_ONCE = 400, 50
_MARGIN_DB = 0.5
_NEVER, _ALWAYS = 1e-5, 0.999


@dataclass(frozen=True)
class Abstraction(Coded):
    """Block errors are drawn with the rate that the full chain has on an AWGN channel of the effective SNR.

    The rate is measured with the full chain the first time that it is needed, at nearly the block's own length, and
    kept; far from the waterfall the normal approximation decides. Every code block has the effective SNR of its own
    symbols, as its receiver sees them: impairments and the error of the estimate included (`reception`).
    """

    def carry(  # noqa: D102
        self, container: Container, grade: int, channel: Channel, state: ChannelState, generator: Generator
    ) -> Carried:
        seen = _Seen(channel, state, self.symbols(container.groups, grade), generator)
        rows: list[list[bytes]] = [[] for _ in range(len(state.gain))]
        blocks, first = iter(self.blocks(container.groups, grade)), 0
        for part, used in zip(container.parts(), self.grades_of(container.groups, grade), strict=True):
            if not part:
                continue
            block = next(blocks)
            span = slice(first, first + block.symbols)
            snr = seen.snr(block.bits_per_symbol)
            lost = self.error_rates(block, used, snr[:, span] if snr.shape[-1] > 1 else snr)
            draws = torch.rand(lost.shape, generator=generator, device=generator.device, dtype=torch.float64).cpu()
            for row, failed in zip(rows, draws < lost, strict=True):
                row.append(_damaged(part, block, torch.nonzero(failed).flatten().tolist()))
            first += block.symbols
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
        sent = [
            (part, used)
            for part, used in zip(container.parts(), self.grades_of(container.groups, grade), strict=True)
            if part
        ]
        data, grades = zip(*sent, strict=True)
        blocks = self.blocks(container.groups, grade)
        return AbstractGathered(blocks, grades, data, combining, receivers, self.error_rates_after, _damaged)

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
        position, octave = snr_db / GRID_DB, round(LENGTHS * math.log2(length))
        low = math.floor(position)
        odds = [_log_odds(measured(grade, octave, index, self.iterations, versions)) for index in (low, low + 1)]
        return 1 / (1 + math.exp(-(odds[0] + (position - low) * (odds[1] - odds[0]))))


class _Seen:
    """The SNRs of a delivery as receivers of each constellation see them."""

    def __init__(self, channel: Channel, state: ChannelState, symbols: int, generator: Generator) -> None:
        self._asked = channel, state, symbols, generator
        self._known: dict[int, Tensor] = {}

    def snr(self, bits_per_symbol: int) -> Float[Tensor, "realizations #symbols"]:
        """|h|^2 over the noise variance, linear, of every symbol."""
        if bits_per_symbol not in self._known:
            channel, state, symbols, generator = self._asked
            seen = reception(channel, state, bits_per_symbol, symbols, generator)
            self._known[bits_per_symbol] = seen.gain.abs().square() / seen.noise_variance
        return self._known[bits_per_symbol]


@lru_cache(maxsize=1 << 14)
def measured(grade: int, length: int, index: int, iterations: int, versions: tuple[int, ...] = (0,)) -> float:
    """Block error rate of the full chain on an AWGN channel of `index` times 0.1 dB, never exactly 0 or 1.

    From 400 blocks: its standard error is at most 0.025.

    Args:
        grade: of the block.
        length: 16 times the binary logarithm of the bits of the code block, CRC included.
        index: of the SNR.
        iterations: most of the LDPC decoder.
        versions: redundancy versions of the rounds that it was sent in.
    """
    mcs = SCHEMES[grade]
    wanted = 2 ** (length / LENGTHS)
    bits = round(wanted) - CRC_BITS
    while segmentation(bits, mcs).blocks > 1:
        bits -= 8
    block = TransportBlock(bits, math.ceil(wanted / mcs.spectral_efficiency), mcs.bits_per_symbol, mcs.rate)
    rounds = [replace(block, version=version) for version in versions]
    reach = max(each.rows for each in rounds)
    generator = Generator().manual_seed(index & 0xFFFF)
    variance = 10 ** (-index * GRID_DB / 10)
    gain, noise = torch.ones(1, 1, dtype=torch.complex64), torch.full((1, 1), variance)
    lost = 0
    for _ in range(BLOCKS // AT_ONCE):
        payload = torch.randint(0, 2, (AT_ONCE, bits), dtype=torch.uint8, generator=generator)
        codewords: Tensor | float = 0.0
        for each in rounds:
            symbols = each.encode(payload)
            disturbance = torch.randn(symbols.shape, dtype=torch.complex64, generator=generator)
            samples = symbols + math.sqrt(variance) * disturbance
            llr = Modulation(mcs.bits_per_symbol).log_likelihood_ratios(samples, gain, noise)
            codewords = codewords + each.recover(llr, reach)
        assert isinstance(codewords, Tensor)
        _, arrived = block.decode_codewords(codewords, reach, iterations)
        lost += int((~arrived).sum())
    return (lost + 0.5) / (BLOCKS + 1)


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
