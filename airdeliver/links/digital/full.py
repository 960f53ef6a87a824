"""The full physical layer: every bit through encoder, channel and decoder."""

from dataclasses import dataclass

import torch
from jaxtyping import Complex
from torch import Generator, Tensor

from airdeliver.links.digital.coded import Coded, bits_of, bytes_of, parts_of
from airdeliver.links.digital.container import Container
from channels import Channel, ChannelState, Received


@dataclass(frozen=True)
class Full(Coded):
    """5G NR's transport chain, symbol by symbol."""

    def encode(self, container: Container, grade: int) -> Complex[Tensor, "1 symbols"]:  # noqa: D102
        parts = parts_of(container)
        blocks = self.blocks(container.protected, len(container.data) - container.protected, grade)
        return torch.cat([block.encode(bits_of(part)) for block, part in zip(blocks, parts, strict=True)], dim=-1)

    def decode(self, received: Received, protected: int, others: int, grade: int) -> list[bytes | None]:
        """Bytes as they are decoded; packets that a lost code block touches fail their own checksums."""
        rows: list[list[bytes]] = [[] for _ in range(len(received.samples))]
        first = 0
        for block in self.blocks(protected, others, grade):
            span = slice(first, first + block.symbols)
            gain, variance = (t[:, span] if t.shape[-1] > 1 else t for t in (received.gain, received.noise_variance))
            arrived = block.decode(received.samples[:, span], gain, variance, self.iterations)
            for row, data in zip(rows, bytes_of(arrived.bits), strict=True):
                row.append(data)
            first += block.symbols
        return [b"".join(row) for row in rows]

    def carry(  # noqa: D102
        self, container: Container, grade: int, channel: Channel, state: ChannelState, generator: Generator
    ) -> list[bytes | None]:
        symbols = self.encode(container, grade).to(generator.device)
        received = channel.transmit(symbols, state, generator)
        return self.decode(received, container.protected, len(container.data) - container.protected, grade)

    def power(self, container: Container, grade: int) -> float:  # noqa: D102
        return float(self.encode(container, grade).abs().square().mean())
