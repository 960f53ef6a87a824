"""The full physical layer: every bit through encoder, channel and decoder."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Complex
from torch import Generator, Tensor

from airdeliver.compression.codec import Container
from airdeliver.links.base import memoryless
from airdeliver.links.digital.coded import Coded, bits_of, bytes_of, longest_block
from airdeliver.links.digital.gathering.base import Combining, Gathered
from airdeliver.links.digital.gathering.full import FullGathered
from airdeliver.links.digital.interleaving import heard_of, interleaved
from airdeliver.links.digital.physical_layer import Carried, Simulated
from airdeliver.links.digital.pieces import carry_in_pieces
from channels import Channel, ChannelState, Received

LARGE = 1 << 20
"""Symbols from which on a container is sent some code blocks at a time."""


@dataclass(frozen=True)
class Full(Coded, Simulated):
    """5G NR's transport chain, symbol by symbol."""

    def encode(self, container: Container, grade: int) -> Complex[Tensor, "1 symbols"]:  # noqa: D102
        parts = zip(self.blocks(container.groups, grade), self.parts(container, grade), strict=True)
        made = [block.encode(bits_of(part)) for block, part in parts]
        return interleaved(torch.cat(made, dim=-1))

    def decode(self, received: Received, lengths: Sequence[int], grade: int) -> list[bytes | None]:
        """Bytes as they are decoded; packets that a lost code block touches fail their own checksums."""
        rows: list[list[bytes]] = [[] for _ in range(len(received.samples))]
        blocks = self.blocks(lengths, grade)
        for block, heard in zip(blocks, heard_of(received, [block.symbols for block in blocks]), strict=True):
            arrived = block.decode(*heard, iterations=self.iterations)
            for row, data in zip(rows, bytes_of(arrived.bits), strict=True):
                row.append(data)
        return [b"".join(row) for row in rows]

    def carry(  # noqa: D102
        self, container: Container, grade: int, channel: Channel, state: ChannelState, generator: Generator
    ) -> Carried:
        if self.symbols(container.groups, grade) >= LARGE and memoryless(channel, state):
            blocks, parts = self.blocks(container.groups, grade), self.parts(container, grade)
            return carry_in_pieces(blocks, parts, state, generator, self.iterations)
        symbols = self.encode(container, grade).to(generator.device)
        received = channel.transmit(symbols, state, generator)
        return Carried(self.decode(received, container.groups, grade), _power(symbols))

    def gather(self, container: Container, grade: int, combining: Combining, receivers: int) -> Gathered:  # noqa: D102
        blocks, data = self.blocks(container.groups, grade), self.parts(container, grade)
        return FullGathered(blocks, data, combining, receivers, self.iterations)

    def lost(  # noqa: D102
        self, grade: int, channel: Channel, state: ChannelState, symbols: int, generator: Generator
    ) -> Bool[Tensor, "realizations"]:
        block = longest_block(symbols, self.schemes[grade])
        shape = (len(state.gain) // channel.receivers, block.bits)
        sent = torch.randint(0, 2, shape, dtype=torch.uint8, generator=generator, device=generator.device)
        received = channel.transmit(interleaved(block.encode(sent)), state, generator)
        (heard,) = heard_of(received, [block.symbols])
        arrived = block.decode(*heard, iterations=self.iterations)
        return ~arrived.block_ok.all(-1)

    def power(self, container: Container, grade: int) -> float:  # noqa: D102
        return _power(self.encode(container, grade))


def _power(symbols: Tensor) -> float:
    return float(symbols.abs().square().mean())
