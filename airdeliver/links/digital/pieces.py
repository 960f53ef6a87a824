"""Large containers over the full chain some code blocks at a time, so that memory stays near the payload's."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Generator, Tensor

from airdeliver.links.digital.coded import bits_of
from airdeliver.links.digital.physical_layer import Carried
from airdeliver.links.digital.scrambling import GoldSequence
from airdeliver.links.digital.segmentation import Segmentation
from airdeliver.links.digital.transport import SCRAMBLING, TransportBlock
from channels import ChannelState
from channels.base import receive

AT_ONCE = 32
"""Code blocks that are sent at a time, of all realizations together but at least one of each."""

_STRETCH = 1 << 16
"""Bytes whose check bits are worked out at a time."""


def carry_in_pieces(
    blocks: Sequence[TransportBlock], parts: Sequence[bytes], state: ChannelState, generator: Generator, iterations: int
) -> Carried:
    """What `Full.carry` does, for a memoryless channel.

    The symbols are those of whole constellations, scrambled: their power needs no look at all of them.

    Args:
        blocks: transport blocks of a container.
        parts: the bytes of each.
        state: what the channel happens to be.
        generator: of the noise.
        iterations: most of the LDPC decoder.
    """
    rows = [_Bits() for _ in range(len(state.gain))]
    energy, count = 0.0, 0
    for block, part in zip(blocks, parts, strict=True):
        contents = _Contents(part, block.segmentation)
        scrambling, at_once = GoldSequence(SCRAMBLING), max(1, AT_ONCE // len(rows))
        for first in range(0, block.segmentation.blocks, at_once):
            some = contents.some(first, min(at_once, block.segmentation.blocks - first)).to(generator.device)
            sequence = scrambling.take(block.sent_bits(first, some.shape[1]))
            symbols = block.encode_some(some, first, sequence)
            energy, count = energy + float(symbols.abs().square().sum()), count + symbols.shape[-1]
            received = receive(symbols, state, generator)
            heard = received.samples, received.gain, received.noise_variance
            arrived, _ = block.decode_some(*heard, first, some.shape[1], sequence, iterations)
            # Behind the payload come padding and the check of the transport block.
            own = block.bits - first * block.segmentation.content_bits
            for row, bits in zip(rows, arrived.flatten(1)[:, :own].cpu(), strict=True):
                row.add(bits)
    return Carried([bytes(row.octets) for row in rows], energy / count)


class _Contents:
    """What `Segmentation.contents` cuts, some code blocks at a time."""

    def __init__(self, data: bytes, segmentation: Segmentation) -> None:
        self._data, self._segmentation = data, segmentation
        padding = torch.zeros(1, segmentation.padding, dtype=torch.uint8)
        self._behind = torch.cat([padding, self._remainder(padding)], dim=-1)

    def some(self, first: int, count: int) -> UInt8[Tensor, "1 some content"]:
        """The contents of so many code blocks."""
        size, bits = self._segmentation.content_bits, 8 * len(self._data)
        begin, end = first * size, (first + count) * size
        stop = min(end, bits)
        own = bits_of(self._data[begin // 8 : -(-stop // 8)])[:, begin % 8 :][:, : max(0, stop - begin)]
        behind = self._behind[:, max(0, begin - bits) : max(0, end - bits)]
        return torch.cat([own, behind], dim=-1).unflatten(-1, (count, size))

    def _remainder(self, padding: UInt8[Tensor, "1 padding"]) -> UInt8[Tensor, "1 checks"]:
        """The check bits of the transport block: what came before is added to the first bits of what follows."""
        crc, data = self._segmentation.crc, self._data
        register = torch.zeros(1, crc.length, dtype=torch.uint8)
        starts = range(0, max(1, len(data) - crc.length), _STRETCH)
        for start, stop in zip(starts, [*starts[1:], len(data)], strict=True):
            bits = bits_of(data[start:stop])
            if stop == len(data):
                bits = torch.cat([bits, padding], dim=-1)
            if start:
                bits[:, : crc.length] ^= register
            register = crc.remainder(bits)
        return register


class _Bits:
    """Bits that become bytes as they come."""

    def __init__(self) -> None:
        self.octets = bytearray()
        self._rest = np.zeros(0, np.uint8)

    def add(self, bits: Tensor) -> None:
        ahead = np.concatenate([self._rest, bits.numpy()])
        whole = len(ahead) // 8 * 8
        self.octets += np.packbits(ahead[:whole]).tobytes()
        self._rest = ahead[whole:]
