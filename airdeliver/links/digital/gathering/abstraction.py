"""Rounds of the abstraction: information of each code block adds up, and one draw says in which round it arrives."""

from collections.abc import Callable, Iterable, Sequence

import torch
from jaxtyping import Bool, Float, Float64
from torch import Generator, Tensor

from airdeliver.links.digital.gathering.base import Combining, Gathered, alike, versions
from airdeliver.links.digital.interleaving import parted
from airdeliver.links.digital.reception import transparent
from airdeliver.links.digital.soft_bits import information_of_blocks, random_bits, soft_bits, soft_information
from airdeliver.links.digital.transport import TransportBlock
from channels import Channel, ChannelState

ErrorRates = Callable[
    [TransportBlock, int, list[Float[Tensor, "rows #symbols"]], Combining], Float64[Tensor, "rows blocks"]
]
"""Error rate of every code block from its block, its grade, the SNRs of all rounds, and how they combine."""

DecodingErrors = Callable[
    [TransportBlock, int, Float64[Tensor, "rows blocks"], tuple[int, ...]], Float64[Tensor, "rows blocks"]
]
"""The same from its block, its grade, the information of its soft bits, and the redundancy versions of the rounds."""


class AbstractGathered(Gathered):
    """SNRs of every round that a receiver heard of each part, or what soft bits told where no SNR says that.

    Where hardware distorts or gains are estimated, symbols of random bits are sent in place of the container's: the
    same in every round of Chase combining, whose soft bits are summed before it is asked what they tell; others in each
    round of incremental redundancy, where the information that each round's soft bits tell is summed. It is held
    against what a block in AWGN needs whose rounds send the same redundancy versions. Where such rounds repeat a coded
    bit, it counts in each of them, here as there.

    A code block draws one number u and is lost for as long as its error rate after the rounds so far is above u: each
    round has its own error rate, and what has arrived stays.

    Args:
        blocks: transport blocks of the container's groups that are not empty.
        grades: of each.
        data: bytes of each.
        combining: whether rounds repeat coded bits or send others.
        receivers: rows.
        error_rates: of the code blocks after some rounds, from SNRs.
        decoding_errors: of the code blocks, from what their soft bits tell.
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
        decoding_errors: DecodingErrors,
        damaged: Callable[[bytes, TransportBlock, list[int]], bytes],
    ) -> None:
        super().__init__(receivers, len(blocks))
        self._blocks, self._grades, self._data = blocks, grades, data
        self._combining: Combining = combining
        self._error_rates, self._decoding_errors, self._damaged = error_rates, decoding_errors, damaged
        versions(combining)
        self._rounds = [0] * len(blocks)
        self._snr: list[list[Tensor]] = [[] for _ in blocks]
        self._told: list[list[Tensor]] = [[] for _ in blocks]
        self._bits: Sequence[Tensor] = ()
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
        for part in torch.nonzero(sent.any(0)).flatten().tolist():
            self._rounds[part] += 1
        clear = transparent(channel, state)
        bits = [] if clear else self._sent_bits(generator)
        for rows, parts in alike(sent):
            here, blocks = state[rows.to(state.gain.device)], [self._blocks[part] for part in parts]
            if clear:
                snr = here.gain.abs().square() / here.noise_variance
                heard = parted(snr, [block.symbols for block in blocks])
            else:
                heard = self._soft(blocks, [bits[part] for part in parts], channel, here, generator)
            for part, values in zip(parts, heard, strict=True):
                self._keep(part, rows, values.cpu(), clear)
        for part in range(len(self._blocks)):
            self._decide(part, torch.nonzero(sent[:, part] & self.lacking[:, part]).flatten(), clear)

    def _sent_bits(self, generator: Generator) -> Sequence[Tensor]:
        """Random bits in place of each part's: in every round the same, or others."""
        if not (self._bits and self._combining == "chase"):
            self._bits = random_bits(self._blocks, generator)
        return self._bits

    def _soft(
        self,
        blocks: Sequence[TransportBlock],
        bits: Sequence[Tensor],
        channel: Channel,
        state: ChannelState,
        generator: Generator,
    ) -> Iterable[Tensor]:
        """What is summed over rounds: soft bits of repeated bits, the information of others'."""
        if self._combining == "chase":
            return soft_bits(blocks, bits, channel, state, generator)
        return soft_information(blocks, channel, state, generator, bits)

    def _keep(self, part: int, rows: Tensor, values: Tensor, clear: bool) -> None:
        """SNRs round by round, and sums of what soft bits say."""
        kept = self._snr[part] if clear else self._told[part]
        if len(kept) < (self._rounds[part] if clear else 1):
            kept.append(values.new_zeros(len(self.lacking), values.shape[-1]))
        kept[-1][rows] += values

    def _decide(self, part: int, rows: Tensor, clear: bool) -> None:
        """Which code blocks some receivers still lack after this round."""
        if not len(rows):
            return
        block, grade = self._blocks[part], self._grades[part]
        if clear:
            lost = self._error_rates(block, grade, [each[rows] for each in self._snr[part]], self._combining)
        else:
            told, sent = self._told[part][0][rows], versions(self._combining)
            if self._combining == "chase":
                told = information_of_blocks(block, told)
            else:
                sent = tuple(sent[number % len(sent)] for number in range(self._rounds[part]))
            lost = self._decoding_errors(block, grade, told, sent)
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
