"""Rounds of the full chain: LLRs of each code block add up, and every round decodes again."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Bool
from torch import Generator, Tensor

from airdeliver.links.digital.coded import bits_of, bytes_of
from airdeliver.links.digital.gathering.base import Combining, Gathered, alike, versions
from airdeliver.links.digital.interleaving import heard_of, interleaved
from airdeliver.links.digital.modulation import Modulation
from airdeliver.links.digital.transport import TransportBlock
from channels import Channel, ChannelState


class FullGathered(Gathered):
    """Soft bits of every transport block, summed over rounds at their places in the codeword.

    Args:
        blocks: transport blocks of a container.
        data: bytes of each.
        combining: whether rounds repeat coded bits or send others.
        receivers: rows.
        iterations: most of the LDPC decoder.

    Source: 3GPP TS 38.212, 5.4.2.1 (redundancy versions of one circular buffer).
    """

    def __init__(
        self,
        blocks: Sequence[TransportBlock],
        data: Sequence[bytes],
        combining: Combining,
        receivers: int,
        iterations: int,
    ) -> None:
        super().__init__(receivers, len(blocks))
        self._rounds = [[replace(block, version=v) for v in versions(combining)] for block in blocks]
        self._reach = [max(block.rows for block in rounds) for rounds in self._rounds]
        self._payloads = [bits_of(part) for part in data]
        self._iterations = iterations
        self._llr: list[Tensor | None] = [None] * len(blocks)
        self._contents = [
            torch.zeros(receivers, b.segmentation.blocks, b.segmentation.content_bits, dtype=torch.uint8)
            for b in blocks
        ]
        self._passed = [torch.zeros(receivers, block.segmentation.blocks, dtype=torch.bool) for block in blocks]

    def symbols(self, number: int) -> Sequence[int]:  # noqa: D102
        return [rounds[number % len(rounds)].symbols for rounds in self._rounds]

    def hear(  # noqa: D102
        self,
        number: int,
        sent: Bool[Tensor, "receivers parts"],
        channel: Channel,
        state: ChannelState,
        generator: Generator,
    ) -> None:
        blocks = [rounds[number % len(rounds)] for rounds in self._rounds]
        for rows, parts in alike(sent):
            made = [blocks[part].encode(self._payloads[part]) for part in parts]
            symbols = interleaved(torch.cat(made, dim=-1)).to(generator.device)
            received = channel.transmit(symbols, state[rows.to(state.gain.device)], generator)
            lengths = [blocks[part].symbols for part in parts]
            for part, heard in zip(parts, heard_of(received, lengths), strict=True):
                # A receiver that has decoded this part does not listen, though others are sent it again.
                listening = self.lacking[rows, part]
                own = (t[listening.to(t.device)] for t in heard)
                llr = Modulation(blocks[part].bits_per_symbol).log_likelihood_ratios(*own)
                self._decode(part, blocks[part], rows[listening], blocks[part].recover(llr, self._reach[part]))

    def _decode(self, part: int, block: TransportBlock, rows: Tensor, heard: Tensor) -> None:
        """Add what some receivers heard of a part to what they have of it, and decode."""
        if not len(rows):
            return
        known = self._llr[part]
        if known is None:
            known = self._llr[part] = heard.new_zeros(len(self.lacking), *heard.shape[1:])
        known[rows] += heard
        contents, passed = block.decode_codewords(known[rows], self._reach[part], self._iterations)
        before = self._passed[part][rows]
        self._contents[part][rows] = torch.where(before.unsqueeze(-1), self._contents[part][rows], contents.cpu())
        self._passed[part][rows] = before | passed.cpu()
        self.lacking[rows, part] = ~self._passed[part][rows].all(-1)

    def rows(self) -> list[bytes | None]:  # noqa: D102
        parts = [
            bytes_of(contents.flatten(1)[:, : rounds[0].bits])
            for contents, rounds in zip(self._contents, self._rounds, strict=True)
        ]
        return [b"".join(row) for row in zip(*parts, strict=True)]
