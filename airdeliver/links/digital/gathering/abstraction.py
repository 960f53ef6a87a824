"""Rounds of the abstraction: information of each code block adds up, and one draw says in which round it arrives."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Float64
from torch import Generator, Tensor

from airdeliver.links.digital.gathering.base import Combining, Gathered, span_of, versions
from airdeliver.links.digital.reception import reception
from airdeliver.links.digital.transport import TransportBlock
from channels import Channel, ChannelState

ErrorRates = Callable[
    [TransportBlock, int, list[Float[Tensor, "rows #symbols"]], Combining], Float64[Tensor, "rows blocks"]
]
"""Error rate of every code block from its block, its grade, the SNRs of all rounds, and how they combine."""


class AbstractGathered(Gathered):
    """SNRs of every round that a receiver heard of each part.

    A code block draws one number u and is lost for as long as its error rate after the rounds so far is above u: each
    round has its own error rate, and what has arrived stays.

    Args:
        blocks: transport blocks of the container's groups that are not empty.
        grades: of each.
        data: bytes of each.
        combining: whether rounds repeat coded bits or send others.
        receivers: rows.
        error_rates: of the code blocks after some rounds.
        damaged: bytes of a part of which some code blocks are lost.
    """

    def __init__(
        self,
        blocks: Sequence[TransportBlock],
        grades: Sequence[int],
        data: Sequence[bytes],
        combining: Combining,
        receivers: int,
        error_rates: ErrorRates,
        damaged: Callable[[bytes, TransportBlock, list[int]], bytes],
    ) -> None:
        super().__init__(receivers, len(blocks))
        self._blocks, self._grades, self._data = blocks, grades, data
        self._combining: Combining = combining
        self._error_rates, self._damaged = error_rates, damaged
        versions(combining)
        self._snr: list[list[Tensor]] = [[] for _ in blocks]
        self._draws: list[Tensor] = []
        self._failed = [torch.ones(receivers, len(block.ranges), dtype=torch.bool) for block in blocks]

    def symbols(self, number: int) -> Sequence[int]:  # noqa: D102
        return [block.symbols for block in self._blocks]

    def hear(  # noqa: D102
        self,
        number: int,
        sent: Bool[Tensor, "receivers parts"],
        channel: Channel,
        state: ChannelState,
        generator: Generator,
    ) -> None:
        if not self._draws:
            shapes = [tuple(failed.shape) for failed in self._failed]
            device = generator.device
            self._draws = [torch.rand(s, generator=generator, device=device, dtype=torch.float64).cpu() for s in shapes]
        start = 0
        for part, block in enumerate(self._blocks):
            rows = torch.nonzero(sent[:, part]).flatten()
            if len(rows):
                here = span_of(state, rows, start, block.symbols)
                seen = reception(channel, here, block.bits_per_symbol, block.symbols, generator)
                self._add(part, block, rows, seen.gain.abs().square() / seen.noise_variance)
            start += block.symbols

    def _add(self, part: int, block: TransportBlock, rows: Tensor, snr: Tensor) -> None:
        heard = torch.zeros(len(self.lacking), snr.shape[-1], dtype=snr.dtype)
        heard[rows] = snr.cpu()
        self._snr[part].append(heard)
        rows = rows[self.lacking[rows, part]]
        if not len(rows):
            return
        so_far = [each[rows] for each in self._snr[part]]
        lost = self._error_rates(block, self._grades[part], so_far, self._combining)
        # Never lost again what has arrived, should a rate be measured a little higher than the one before.
        self._failed[part][rows] &= self._draws[part][rows] < lost
        self.lacking[rows, part] = self._failed[part][rows].any(-1)

    def rows(self) -> list[bytes | None]:  # noqa: D102
        found: list[bytes | None] = []
        for row in range(len(self.lacking)):
            lost = [torch.nonzero(failed[row]).flatten().tolist() for failed in self._failed]
            parts = zip(self._data, self._blocks, lost, strict=True)
            found.append(b"".join(self._damaged(*each) for each in parts))
        return found
