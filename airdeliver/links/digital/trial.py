"""Code blocks of the full chain tried out in AWGN: what the abstraction's error rates are measured with."""

import math
from dataclasses import replace

import torch
from jaxtyping import Bool, Complex, UInt8
from torch import Generator, Tensor

from airdeliver.links.digital.coded import segmentation
from airdeliver.links.digital.mcs import MCS
from airdeliver.links.digital.modulation import Modulation
from airdeliver.links.digital.transport import TransportBlock

LENGTHS = 16
"""Block lengths an octave at which blocks are tried out."""

_AT_ONCE = 8
"""Blocks that are sent at a time: a long one takes a megabyte."""

LONG = 3824
"""Bits of the longest transport block whose CRC has 16 bits in place of 24: 3GPP TS 38.212, 7.2.1."""


SHORT = 2048
"""Bits of a code block up to which it is tried out itself: another lifting size may lose half as many."""


def like(block: TransportBlock, mcs: MCS) -> TransportBlock:
    """A transport block of one code block that is lost as often as the code blocks of this one.

    Args:
        block: of a first round.
        mcs: that it is sent at.
    """
    if len(block.ranges) == 1 and block.segmentation.block_bits <= SHORT:
        return replace(block, version=0)
    return single_block(mcs, round(LENGTHS * math.log2(block.segmentation.block_bits)))


def single_block(mcs: MCS, length: int) -> TransportBlock:
    """A transport block of one code block, of about 2^(length / 16) bits, CRC included."""
    wanted = 2 ** (length / LENGTHS)
    bits = round(wanted) - 16
    if bits > LONG:
        bits = max(LONG, bits - 8)
    while segmentation(bits, mcs).blocks > 1:
        bits -= 8
    return TransportBlock(bits, math.ceil(wanted / mcs.spectral_efficiency), mcs.bits_per_symbol, mcs.rate)


def try_out(
    block: TransportBlock,
    snr_db: float,
    blocks: int,
    iterations: int,
    generator: Generator,
    versions: tuple[int, ...] = (0,),
) -> Bool[Tensor, "blocks"]:
    """Send a transport block of one code block so many times, with other bits each time, through AWGN: which are lost.

    Args:
        block: that is sent.
        snr_db: of each round.
        blocks: times.
        iterations: most of the LDPC decoder.
        generator: of bits and noise.
        versions: redundancy versions of the rounds whose soft bits are combined.
    """
    payload = torch.randint(0, 2, (blocks, block.bits), dtype=torch.uint8, generator=generator)
    each = [replace(block, version=version) for version in versions]
    noise = [torch.randn(blocks, one.symbols, dtype=torch.complex64, generator=generator) for one in each]
    parts = torch.arange(blocks).split(_AT_ONCE)
    return torch.cat([_lost(block, each, payload[r], [one[r] for one in noise], snr_db, iterations) for r in parts])


def _lost(
    block: TransportBlock,
    each: list[TransportBlock],
    payload: UInt8[Tensor, "some bits"],
    noise: list[Complex[Tensor, "some symbols"]],
    snr_db: float,
    iterations: int,
) -> Bool[Tensor, "some"]:
    """Which of some blocks are lost, given the bits of each and its noise of variance 1 in each round."""
    variance, modulation = 10 ** (-snr_db / 10), Modulation(block.bits_per_symbol)
    gain, variances = torch.ones(1, 1, dtype=torch.complex64), torch.full((1, 1), variance)
    reach = max(one.rows for one in each)
    codewords: Tensor | float = 0.0
    for one, disturbance in zip(each, noise, strict=True):
        heard = one.encode(payload) + math.sqrt(variance) * disturbance
        codewords = codewords + one.recover(modulation.log_likelihood_ratios(heard, gain, variances), reach)
    assert isinstance(codewords, Tensor)
    _, arrived = block.decode_codewords(codewords, reach, iterations)
    return ~arrived[:, 0]
