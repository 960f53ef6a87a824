"""What soft bits of random symbols tell, where no SNR says what a decoder suffers: nothing of a container is needed."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float, Float64, UInt8
from torch import Generator, Tensor

from airdeliver.links.digital.interleaving import heard_of, interleaved
from airdeliver.links.digital.modulation import Modulation
from airdeliver.links.digital.need import told
from airdeliver.links.digital.rate_matching import sent_bits
from airdeliver.links.digital.transport import TransportBlock
from channels import Channel, ChannelState

_AT_ONCE = 1 << 21  # soft bits of all realizations that are worked out at a time


def random_bits(blocks: Sequence[TransportBlock], generator: Generator) -> tuple[UInt8[Tensor, "1 _"], ...]:
    """As many bits as are sent of each transport block."""
    lengths = [block.symbols * block.bits_per_symbol for block in blocks]
    shape = (1, sum(lengths))
    bits = torch.randint(0, 2, shape, dtype=torch.uint8, generator=generator, device=generator.device)
    return bits.split(lengths, dim=-1)


def soft_bits(
    blocks: Sequence[TransportBlock],
    bits: Sequence[UInt8[Tensor, "1 _"]],
    channel: Channel,
    state: ChannelState,
    generator: Generator,
) -> Iterator[Float[Tensor, "realizations _"]]:
    """LLRs of the bits of each transport block, positive where they are right.

    Args:
        blocks: transport blocks, sent one after the other in one delivery, interleaved.
        bits: that are sent in place of each one's, from `random_bits`.
        channel: physics.
        state: what it happens to be.
        generator: of the noise.
    """
    for block, part, heard in zip(blocks, bits, _heard(blocks, bits, channel, state, generator), strict=True):
        yield _right(block, part, *heard)


def soft_information(
    blocks: Sequence[TransportBlock],
    channel: Channel,
    state: ChannelState,
    generator: Generator,
    bits: Sequence[UInt8[Tensor, "1 _"]] | None = None,
) -> list[Float64[Tensor, "realizations _"]]:
    """Information in bits of the soft bits of every code block, where random bits are sent in place of the payload.

    Args:
        blocks: transport blocks, sent one after the other in one delivery, interleaved.
        channel: physics.
        state: what it happens to be.
        generator: of bits and noise.
        bits: of each transport block, from `random_bits`; None to draw them.
    """
    bits = random_bits(blocks, generator) if bits is None else bits
    heard = _heard(blocks, bits, channel, state, generator)
    return [_of_blocks(block, part, *each) for block, part, each in zip(blocks, bits, heard, strict=True)]


def information_of_blocks(
    block: TransportBlock, right: Float[Tensor, "realizations sent"]
) -> Float64[Tensor, "realizations blocks"]:
    """Information in bits that soft bits tell, code block by code block.

    Args:
        block: transport block.
        right: its LLRs, positive where they are right: `soft_bits`, of one round or the sum of several.
    """
    return _by_block(block, _of_symbols(block, right))


def _heard(
    blocks: Sequence[TransportBlock],
    bits: Sequence[Tensor],
    channel: Channel,
    state: ChannelState,
    generator: Generator,
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Samples, gains and noise variances, of each transport block."""
    mapped = [Modulation(block.bits_per_symbol).map(part) for block, part in zip(blocks, bits, strict=True)]
    received = channel.transmit(interleaved(torch.cat(mapped, dim=-1)), state, generator)
    return heard_of(received, [block.symbols for block in blocks])


def _of_blocks(
    block: TransportBlock, bits: Tensor, samples: Tensor, gain: Tensor, variance: Tensor
) -> Float64[Tensor, "realizations blocks"]:
    """What the soft bits of a transport block's code blocks tell, so many symbols at a time."""
    each = block.bits_per_symbol
    step = max(1, _AT_ONCE // (each * len(samples)))
    found = []
    for first in range(0, block.symbols, step):
        span = slice(first, first + step)
        heard = (t[:, span] if t.shape[-1] > 1 else t for t in (samples, gain, variance))
        right = _right(block, bits[:, each * first : each * (first + step)], *heard)
        found.append(_of_symbols(block, right))
    return _by_block(block, torch.cat(found, dim=-1))


def _right(block: TransportBlock, bits: Tensor, samples: Tensor, gain: Tensor, variance: Tensor) -> Tensor:
    llr = Modulation(block.bits_per_symbol).log_likelihood_ratios(samples, gain, variance)
    return llr * (1.0 - 2.0 * bits)


def _of_symbols(block: TransportBlock, right: Tensor) -> Tensor:
    zeros = right.new_zeros(1, right.shape[-1], dtype=torch.uint8)
    return told(right, zeros).unflatten(-1, (-1, block.bits_per_symbol)).sum(-1)


def _by_block(block: TransportBlock, symbols: Tensor) -> Tensor:
    """Sums over the symbols of each code block."""
    each = block.bits_per_symbol
    lengths = [sent // each for sent in sent_bits(block.symbols, each, len(block.ranges))]
    return torch.stack([part.sum(-1) for part in symbols.double().split(lengths, dim=-1)], dim=-1).cpu()
