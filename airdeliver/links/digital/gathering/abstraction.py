"""Rounds of the abstraction: SNRs of each code block add up, and one draw says in which round it arrives."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Bool, Float, Float64
from torch import Generator, Tensor

from airdeliver.links.digital.gathering.base import Combining, Gathered, alike, versions
from airdeliver.links.digital.interleaving import parted
from airdeliver.links.digital.reception import transparent
from airdeliver.links.digital.transport import TransportBlock
from channels import Channel, ChannelState

ErrorRates = Callable[
    [TransportBlock, int, list[Float[Tensor, "rows #symbols"]], Combining], Float64[Tensor, "rows blocks"]
]
"""Error rate of every code block from its block, its grade, the SNRs of all rounds, and how they combine."""


class AbstractGathered(Gathered):
    """SNRs of every round that a receiver heard of each part; soft bits where no SNR says what a decoder suffers.

    A code block draws one number u and is lost for as long as its error rate after the rounds so far is above u: each
    round has its own error rate, and what has arrived stays.

    Args:
        blocks: transport blocks of a container.
        grades: of each.
        data: bytes of each.
        combining: whether rounds repeat coded bits or send others.
        receivers: rows.
        error_rates: of the code blocks after some rounds, from SNRs.
        damaged: bytes of a part of which some code blocks are lost.
        full: the same of the full chain, for channels whose hardware distorts or whose gains are estimated.
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
        full: Gathered,
    ) -> None:
        super().__init__(receivers, len(blocks))
        self._blocks, self._grades, self._data = blocks, grades, data
        self._combining: Combining = combining
        self._error_rates, self._damaged, self._full = error_rates, damaged, full
        versions(combining)
        self._snr: list[list[Tensor]] = [[] for _ in blocks]
        self._decodes = False
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
        self._decodes = not transparent(channel, state)
        if self._decodes:
            self._full.hear(number, sent, channel, state, generator)
            self.lacking = self._full.lacking
            return
        if not self._draws:
            shapes = [tuple(failed.shape) for failed in self._failed]
            device = generator.device
            self._draws = [torch.rand(s, generator=generator, device=device, dtype=torch.float64).cpu() for s in shapes]
        snr = (state.gain.abs().square() / state.noise_variance).cpu()
        for part in torch.nonzero(sent.any(0)).flatten().tolist():
            self._snr[part].append(snr.new_zeros(len(snr), self._columns(part, snr)))
        for rows, parts in alike(sent):
            heard = parted(snr[rows], [self._blocks[part].symbols for part in parts])
            for part, values in zip(parts, heard, strict=True):
                self._snr[part][-1][rows] = values
        for part in range(len(self._blocks)):
            self._decide(part, torch.nonzero(sent[:, part] & self.lacking[:, part]).flatten())

    def _columns(self, part: int, snr: Tensor) -> int:
        """Of the SNRs of a part: one for each of its symbols, or one for all."""
        return 1 if snr.shape[-1] == 1 else self._blocks[part].symbols

    def _decide(self, part: int, rows: Tensor) -> None:
        """Which code blocks some receivers still lack after this round."""
        if not len(rows):
            return
        heard = [each[rows] for each in self._snr[part]]
        lost = self._error_rates(self._blocks[part], self._grades[part], heard, self._combining)
        # Never lost again what has arrived, should a rate be measured a little higher than the one before.
        self._failed[part][rows] &= self._draws[part][rows] < lost
        self.lacking[rows, part] = self._failed[part][rows].any(-1)

    def rows(self) -> list[bytes | None]:  # noqa: D102
        if self._decodes:
            return self._full.rows()
        found: list[bytes | None] = []
        for row in range(len(self.lacking)):
            lost = [torch.nonzero(failed[row]).flatten().tolist() for failed in self._failed]
            parts = zip(self._data, self._blocks, lost, strict=True)
            found.append(b"".join(self._damaged(*each) for each in parts))
        return found
