"""How a transport block is cut into code blocks."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from airdeliver.links.digital.base_graph import LONGEST_BLOCK, BaseGraph, select_lifting
from airdeliver.links.digital.crc import CRC, CRC16, CRC24A, CRC24B


@dataclass(frozen=True)
class Segmentation:
    """A transport block as equal code blocks, each of which knows whether it arrived.

    A transport block gets a CRC (24A above 3824 bits, else 16). If it is longer than the longest code block, it is cut
    into blocks with a CRC24B each. The standard's block sizes divide evenly; here any number of bits is allowed, and
    zeros behind the last one, fewer than there are code blocks, make it even.

    Args:
        bits: payload bits.
        base_graph: 1 or 2.

    Raises:
        ValueError: no bits.

    Source: 3GPP TS 38.212, 5.1, 5.2.2, 7.2.1.

    >>> plan = Segmentation(20_000, 1)
    >>> plan.blocks, plan.block_bits, plan.padding, plan.ranges
    (3, 6699, 1, ((0, 6675), (6675, 13350), (13350, 20000)))
    """

    bits: int
    base_graph: int

    def __post_init__(self) -> None:
        if self.bits < 1:
            raise ValueError(f"a transport block needs at least one payload bit, got {self.bits}")

    @property
    def crc(self) -> CRC:
        """Of the transport block."""
        return CRC24A if self.bits > 3824 else CRC16

    @property
    def blocks(self) -> int:
        """Number of code blocks."""
        longest, total = LONGEST_BLOCK[self.base_graph], self.bits + self.crc.length
        return 1 if total <= longest else -(-total // (longest - CRC24B.length))

    @property
    def padding(self) -> int:
        """Zeros behind the payload."""
        return -(self.bits + self.crc.length) % self.blocks

    @property
    def content_bits(self) -> int:
        """Bits of the transport block in one code block."""
        return (self.bits + self.padding + self.crc.length) // self.blocks

    @property
    def block_bits(self) -> int:
        """Bits of a code block, its CRC included, fillers excluded: K'."""
        return self.content_bits + (CRC24B.length if self.blocks > 1 else 0)

    @cached_property
    def graph(self) -> BaseGraph:
        """The code of every block."""
        return BaseGraph(self.base_graph, select_lifting(self.block_bits, self.base_graph))

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """First payload bit of each code block, and behind its last."""
        bounds = [min(block * self.content_bits, self.bits) for block in range(self.blocks + 1)]
        return tuple(pairwise(bounds))

    def split(self, payload: UInt8[Tensor, "realizations bits"]) -> UInt8[Tensor, "realizations blocks block_bits"]:
        """Code blocks with their CRCs."""
        return self.checked(self.contents(payload))

    def contents(self, payload: UInt8[Tensor, "realizations bits"]) -> UInt8[Tensor, "realizations blocks content"]:
        """Code blocks without CRCs of their own."""
        block = self.crc.attach(torch.nn.functional.pad(payload, (0, self.padding)))
        return block.unflatten(-1, (self.blocks, self.content_bits))

    def checked(
        self, contents: UInt8[Tensor, "realizations some content"]
    ) -> UInt8[Tensor, "realizations some block_bits"]:
        """Some code blocks with their CRCs."""
        return CRC24B.attach(contents) if self.blocks > 1 else contents

    def join(
        self, blocks: UInt8[Tensor, "realizations blocks block_bits"]
    ) -> tuple[UInt8[Tensor, "realizations bits"], Bool[Tensor, "realizations blocks"]]:
        """The payload, and which code blocks pass their CRC."""
        return blocks[..., : self.content_bits].flatten(1)[:, : self.bits], self.passed(blocks)

    def passed(self, blocks: UInt8[Tensor, "realizations some block_bits"]) -> Bool[Tensor, "realizations some"]:
        """Which of some code blocks pass their CRC."""
        return (CRC24B if self.blocks > 1 else self.crc).check(blocks)
