"""Which bits of a codeword are sent, how often, and in which order."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from airdeliver.links.digital.base_graph import BaseGraph

STARTS = {1: (0, 17, 33, 56), 2: (0, 13, 25, 43)}
"""The column of the buffer that each redundancy version begins with, by base graph: TS 38.212, table 5.4.2.1-2."""


@dataclass(frozen=True)
class RateMatching:
    """A circular buffer of the codeword, read from one place for as long as there is room, then interleaved.

    The buffer holds neither the first two columns nor fillers. Room for more bits than the buffer has wraps round and
    sends bits again, whose LLRs add up at the receiver; that is how rates below 1/5 come about. Whole buffer
    (I_LBRM = 0). Redundancy version 0 begins with the information bits, the others further on.

    Args:
        graph: the code.
        block_bits: bits of a code block without fillers, K'.
        sent_bits: bits to send of it, E, a multiple of `bits_per_symbol`.
        bits_per_symbol: of the modulation.
        version: redundancy version, 0 to 3: where in the buffer it begins.

    Raises:
        ValueError: `sent_bits` that do not fill symbols, or a version that there is not.

    Source: 3GPP TS 38.212, 5.4.2.1 and 5.4.2.2.

    >>> RateMatching(BaseGraph(2, 8), block_bits=70, sent_bits=800, bits_per_symbol=2).buffer_bits
    390
    """

    graph: BaseGraph
    block_bits: int
    sent_bits: int
    bits_per_symbol: int
    version: int = 0

    def __post_init__(self) -> None:
        if self.version not in range(4):
            raise ValueError(f"redundancy versions are 0 to 3, got {self.version}")
        if self.sent_bits < 1 or self.sent_bits % self.bits_per_symbol:
            raise ValueError(f"sent bits must fill symbols of {self.bits_per_symbol} bits, got {self.sent_bits}")

    @property
    def fillers(self) -> int:
        """Information bits that are known to be zero."""
        return self.graph.information_columns * self.graph.lifting - self.block_bits

    @property
    def buffer_bits(self) -> int:
        """Bits that can be told apart."""
        return (self.graph.columns - 2) * self.graph.lifting - self.fillers

    @property
    def start(self) -> int:
        """The bit of the buffer that is sent first; one that would be a filler is the first behind them."""
        column = STARTS[self.graph.number][self.version] * self.graph.lifting
        systematic = self.block_bits - 2 * self.graph.lifting
        return column if column <= systematic else max(systematic, column - self.fillers)

    @property
    def rows(self) -> int:
        """Rows of checks whose parity is sent, at least the four core ones."""
        reach = min(self.start + self.sent_bits, self.buffer_bits) + 2 * self.graph.lifting + self.fillers
        return max(4, -(-reach // self.graph.lifting) - self.graph.information_columns)

    def select(self, codewords: UInt8[Tensor, "*blocks codeword"]) -> UInt8[Tensor, "*blocks sent"]:
        """The sent bits, interleaved. Codewords need no more than the columns of `rows`."""
        size, information = self.graph.lifting, self.graph.information_columns * self.graph.lifting
        buffer = torch.cat([codewords[..., 2 * size : self.block_bits], codewords[..., information:]], dim=-1)
        places = torch.arange(self.start, self.start + self.sent_bits, device=buffer.device)
        sent = buffer[..., places % self.buffer_bits]
        return sent.unflatten(-1, (self.bits_per_symbol, -1)).transpose(-1, -2).flatten(-2)

    def combine(self, llr: Float[Tensor, "*blocks sent"], rows: int) -> Float[Tensor, "*blocks codeword"]:
        """LLRs of the codeword's columns up to those of `rows`: repetitions added, fillers certain, 0 for the rest."""
        size, information = self.graph.lifting, self.graph.information_columns * self.graph.lifting
        sent = llr.unflatten(-1, (-1, self.bits_per_symbol)).transpose(-1, -2).flatten(-2)
        end = self.start + self.sent_bits
        times = -(-end // self.buffer_bits)
        if times > 1 or self.start:
            sent = torch.nn.functional.pad(sent, (self.start, times * self.buffer_bits - end))
            sent = sent.unflatten(-1, (times, self.buffer_bits)).sum(-2)
        codeword = llr.new_zeros(*llr.shape[:-1], information + rows * size)
        systematic = self.block_bits - 2 * size
        codeword[..., 2 * size : self.block_bits] = _fit(sent[..., :systematic], systematic)
        codeword[..., self.block_bits : information] = torch.inf
        codeword[..., information:] = _fit(sent[..., systematic:], rows * size)
        return codeword


def sent_bits(symbols: int, bits_per_symbol: int, blocks: int) -> tuple[int, ...]:
    """Bits sent of each code block: whole symbols, shared as evenly as can be, the last ones getting one more.

    Source: 3GPP TS 38.212, 5.4.2.1, with one layer.

    >>> sent_bits(100, 4, 3)
    (132, 132, 136)
    """
    share, more = divmod(symbols, blocks)
    return tuple(bits_per_symbol * (share + (block >= blocks - more)) for block in range(blocks))


def _fit(values: Float[Tensor, "*blocks n"], length: int) -> Float[Tensor, "*blocks length"]:
    return torch.nn.functional.pad(values[..., :length], (0, max(0, length - values.shape[-1])))
