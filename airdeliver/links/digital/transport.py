"""A transport block of 5G NR: any number of payload bits over any number of complex symbols."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Complex, Float, UInt8
from torch import Tensor

from airdeliver.links.digital.base_graph import select_base_graph
from airdeliver.links.digital.ldpc import LayeredDecoder
from airdeliver.links.digital.ldpc_encoder import encode
from airdeliver.links.digital.mcs import MCS, transport_block_size
from airdeliver.links.digital.modulation import Modulation
from airdeliver.links.digital.rate_matching import RateMatching, sent_bits
from airdeliver.links.digital.scrambling import gold_sequence
from airdeliver.links.digital.segmentation import Segmentation

HIGHEST_RATE = 0.95
"""A receiver may skip what is coded less than this: 3GPP TS 38.214, 5.1.3."""
SCRAMBLING = (1 << 15) + 1  # user 1 in cell 1: TS 38.211, 7.3.1.1; a sequence that starts from 0 is biased


@dataclass(frozen=True)
class Arrived:
    """What the receiver makes of a transport block.

    Args:
        bits: payload bits, wrong ones included.
        block_ok: the code blocks that pass their CRC and were not erased; which bits each holds says
            `TransportBlock.ranges`.
    """

    bits: UInt8[Tensor, "realizations bits"]
    block_ok: Bool[Tensor, "realizations blocks"]


@dataclass(frozen=True)
class TransportBlock:
    """CRC, segmentation, LDPC code, rate matching, scrambling and QAM, for payload and bandwidth of any size.

    Args:
        bits: payload bits.
        symbols: complex symbols, all of which are used.
        bits_per_symbol: of the constellation: 2 (QPSK), 4, 6 or 8 (256-QAM).
        rate: code rate that selects the base graph; that of the block itself by default.
        version: redundancy version, 0 to 3. What follows version 0 need not be decodable by itself.

    Raises:
        ValueError: no payload, an unknown constellation or version, or a code rate above 0.95 in version 0.

    Source: 3GPP TS 38.212, 7.2; one layer.

    >>> block = TransportBlock(bits=9_000, symbols=10_000, bits_per_symbol=2)
    >>> payload = torch.randint(0, 2, (1, 9_000), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    >>> symbols = block.encode(payload)
    >>> symbols.shape, block.ranges
    (torch.Size([1, 10000]), ((0, 4512), (4512, 9000)))
    >>> arrived = block.decode(symbols, torch.ones(1, 1, dtype=torch.complex64), torch.full((1, 1), 0.1))
    >>> arrived.block_ok, bool((arrived.bits == payload).all())
    (tensor([[True, True]]), True)
    """

    bits: int
    symbols: int
    bits_per_symbol: int
    rate: float | None = None
    version: int = 0

    def __post_init__(self) -> None:
        Modulation(self.bits_per_symbol)
        if self.version:
            return
        blocks, shortest = self.segmentation.blocks, self.symbols // self.segmentation.blocks * self.bits_per_symbol
        if self.segmentation.block_bits > HIGHEST_RATE * shortest:
            need = -(-self.segmentation.block_bits // (HIGHEST_RATE * self.bits_per_symbol)) * blocks
            raise ValueError(
                f"{self.bits} bits with their CRCs need at least {need:.0f} symbols of {self.bits_per_symbol} bits "
                f"(code rate {HIGHEST_RATE}), got {self.symbols}"
            )

    @classmethod
    def of(cls, mcs: MCS, symbols: int) -> "TransportBlock":
        """The block that the standard sends over `symbols` with `mcs`: its size is quantised, its rate nearly that."""
        return cls(transport_block_size(symbols, mcs), symbols, mcs.bits_per_symbol, mcs.rate)

    @cached_property
    def segmentation(self) -> Segmentation:
        """How it is cut into code blocks."""
        rate = self.bits / max(1, self.symbols * self.bits_per_symbol) if self.rate is None else self.rate
        return Segmentation(self.bits, select_base_graph(self.bits, rate))

    @property
    def ranges(self) -> tuple[tuple[int, int], ...]:
        """First payload bit of each code block, and behind its last."""
        return self.segmentation.ranges

    @property
    def code_rate(self) -> float:
        """Payload bits per sent bit."""
        return self.bits / (self.symbols * self.bits_per_symbol)

    def encode(self, payload: UInt8[Tensor, "realizations bits"]) -> Complex[Tensor, "realizations symbols"]:
        """Turn payload bits (0 or 1; one row serves any number of realizations) into symbols of unit mean power.

        Raises:
            ValueError: another number of bits.
        """
        if payload.shape[-1] != self.bits:
            raise ValueError(f"payload must have {self.bits} bits, got {payload.shape[-1]}")
        return self.encode_some(self.segmentation.contents(payload), 0, self._scrambling)

    def encode_some(
        self,
        contents: UInt8[Tensor, "realizations some content"],
        first: int,
        scrambling: UInt8[Tensor, "sent"],
    ) -> Complex[Tensor, "realizations symbols"]:
        """The symbols of some of the code blocks.

        Args:
            contents: of them, from `Segmentation.contents`.
            first: number of the first of them.
            scrambling: bits of the sequence that fall on them.
        """
        blocks = self.segmentation.checked(contents)
        fillers = torch.nn.functional.pad(blocks, (0, self._matchings[0][1].fillers))
        codewords = encode(fillers.flatten(0, 1), self.segmentation.graph, self.rows).unflatten(0, blocks.shape[:2])
        runs = self._runs(first, blocks.shape[1])
        sent = [matching.select(codewords[:, place]).flatten(1) for place, matching in runs]
        return Modulation(self.bits_per_symbol).map(torch.cat(sent, dim=-1) ^ scrambling.to(contents.device))

    def sent_bits(self, first: int, count: int) -> int:
        """Bits that are sent of some code blocks."""
        runs = self._runs(first, count)
        return sum((place.stop - place.start) * matching.sent_bits for place, matching in runs)

    def decode(
        self,
        samples: Complex[Tensor, "realizations symbols"],
        gain: Complex[Tensor, "#realizations #symbols"],
        noise_variance: Float[Tensor, "#realizations #symbols"],
        iterations: int = 20,
        threads: int | None = None,
    ) -> Arrived:
        """Turn received samples into payload bits.

        Args:
            samples: y = h x + noise.
            gain: what the receiver believes h is.
            noise_variance: per complex symbol, estimation error included.
            iterations: most of the LDPC decoder, which stops early.
            threads: of the CPU; as many as torch uses by default.

        Raises:
            ValueError: another number of samples.
        """
        if samples.shape[-1] != self.symbols:
            raise ValueError(f"samples must be {self.symbols} symbols, got {samples.shape[-1]}")
        every = (0, self.segmentation.blocks, self._scrambling)
        contents, block_ok = self.decode_some(samples, gain, noise_variance, *every, iterations, threads)
        return Arrived(contents.flatten(1)[:, : self.bits], block_ok)

    def decode_some(
        self,
        samples: Complex[Tensor, "realizations symbols"],
        gain: Complex[Tensor, "#realizations #symbols"],
        noise_variance: Float[Tensor, "#realizations #symbols"],
        first: int,
        count: int,
        scrambling: UInt8[Tensor, "sent"],
        iterations: int = 20,
        threads: int | None = None,
    ) -> tuple[UInt8[Tensor, "realizations some content"], Bool[Tensor, "realizations some"]]:
        """The contents of some of the code blocks, and which of them arrived.

        Args:
            samples: y = h x + noise, of their symbols alone.
            gain: what the receiver believes h is.
            noise_variance: per complex symbol.
            first: number of the first of them.
            count: how many.
            scrambling: bits of the sequence that fall on them.
            iterations: most of the LDPC decoder, which stops early.
            threads: of the CPU; as many as torch uses by default.
        """
        llr = Modulation(self.bits_per_symbol).log_likelihood_ratios(samples, gain, noise_variance)
        return self.decode_codewords(self._recovered(llr, first, count, scrambling), self.rows, iterations, threads)

    def decode_codewords(
        self,
        codewords: Float[Tensor, "realizations some codeword"],
        rows: int,
        iterations: int = 20,
        threads: int | None = None,
    ) -> tuple[UInt8[Tensor, "realizations some content"], Bool[Tensor, "realizations some"]]:
        """The contents of code blocks from LLRs of their codewords, and which of them arrived.

        Args:
            codewords: from `recover`, of one transmission or the sum of several.
            rows: of checks that they reach to.
            iterations: most of the LDPC decoder, which stops early.
            threads: of the CPU; as many as torch uses by default.
        """
        decoder = LayeredDecoder(self.segmentation.graph, rows, iterations)
        decoded = decoder(codewords.flatten(0, 1), threads)
        blocks = decoded.bits[:, : self.segmentation.block_bits].unflatten(0, codewords.shape[:2])
        passed = self.segmentation.passed(blocks) & decoded.decided.view(blocks.shape[:2])
        return blocks[..., : self.segmentation.content_bits], passed

    def recover(
        self, llr: Float[Tensor, "realizations sent"], rows: int | None = None
    ) -> Float[Tensor, "realizations blocks codeword"]:
        """LLRs of every code block's codeword from those of the sent bits, as the decoder takes them.

        Args:
            llr: of the sent bits.
            rows: of checks that the codewords reach to; None for as many as were sent.
        """
        return self._recovered(llr, 0, self.segmentation.blocks, self._scrambling, rows)

    def _recovered(
        self,
        llr: Float[Tensor, "realizations sent"],
        first: int,
        count: int,
        scrambling: UInt8[Tensor, "sent"],
        rows: int | None = None,
    ) -> Float[Tensor, "realizations some codeword"]:
        signs = 1 - 2 * scrambling.to(llr.device, llr.dtype)
        parts, begin = [], 0
        for place, matching in self._runs(first, count):
            length = (place.stop - place.start) * matching.sent_bits
            part = slice(begin, begin + length)
            sent = (llr[:, part] * signs[part]).unflatten(-1, (-1, matching.sent_bits))
            parts.append(matching.combine(sent, self.rows if rows is None else rows))
            begin += length
        return torch.cat(parts, dim=1)

    def _runs(self, first: int, count: int) -> list[tuple[slice, RateMatching]]:
        """The rate matchings of some code blocks, and which of them each is for."""
        found = []
        for place, matching in self._matchings:
            start, stop = max(place.start, first), min(place.stop, first + count)
            if start < stop:
                found.append((slice(start - first, stop - first), matching))
        return found

    @cached_property
    def _matchings(self) -> tuple[tuple[slice, RateMatching], ...]:
        """The rate matching of each run of code blocks that send equally many bits."""
        lengths = sent_bits(self.symbols, self.bits_per_symbol, self.segmentation.blocks)
        return tuple(
            (
                slice(lengths.index(length), lengths.index(length) + lengths.count(length)),
                RateMatching(
                    self.segmentation.graph, self.segmentation.block_bits, length, self.bits_per_symbol, self.version
                ),
            )
            for length in sorted(set(lengths))
        )

    @property
    def rows(self) -> int:
        """Rows of checks whose parity is sent."""
        return max(matching.rows for _, matching in self._matchings)

    @property
    def _scrambling(self) -> UInt8[Tensor, "sent"]:
        return gold_sequence(self.symbols * self.bits_per_symbol, SCRAMBLING)
