"""Bit planes: the most significant plane of all large layers first, each coded given the planes above it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import constriction
import numpy as np
import torch
from jaxtyping import Bool, Int64, UInt8

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec.base import Codec, Container, Contents
from airdeliver.compression.codec.bitstream import DecodeError, read_varint, varint
from airdeliver.compression.codec.crc32c import checksum
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.codec.range_coded import RangeCoded
from airdeliver.compression.codec.reconstruction import DeadZone, MidRise, Reconstruction
from airdeliver.payload import Layout

CHECKSUM = 4
CONTEXTS = 16
"""Magnitudes so far that have a probability of their own; larger ones share one."""

_EVEN = 127
_coding: Any = constriction.stream  # type: ignore[attr-defined]


@dataclass(frozen=True)
class BitPlanes(Codec):
    """A container in layers: what is small, then plane after plane; any leading ones are a network.

    The first group holds an ordinary container of the small bands, and all probabilities and lengths; each further
    group is one plane of all values of the bands that are layered (mid-rise, or with a dead zone). All planes are cut
    at the same values into chunks that are checked one by one: where a chunk is lost, its values stay at the precision
    that the planes above gave them, and what the planes below say of them is void.

    Mid-rise, the first plane is the sign, and the others are those of the magnitude. With a dead zone all planes are,
    and a sign follows the bit that makes a magnitude other than 0. Bits are coded by the magnitude so far.

    Args:
        bits: of the levels, as the quantiser's; with a dead zone there is one plane less.
        planes: that are sent; None for all.
        dead_zone: whether the levels have one.
        chunk: values of each.

    Raises:
        ValueError: planes or a chunk out of range.
    """

    bits: int = 8
    planes: int | None = None
    dead_zone: bool = False
    chunk: int = 8192

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= 16 or not 1 <= self.sent <= self.bits - self.dead_zone or self.chunk < 1:
            raise ValueError(
                "bits must be 1 to 16, planes at least 1 and no more than there are, chunk at least 1, "
                f"got {self.bits}, {self.planes} and {self.chunk}"
            )

    @property
    def sent(self) -> int:
        """Planes that are sent."""
        return self.bits - self.dead_zone if self.planes is None else self.planes

    @property
    def most_groups(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The small bands, and a group a plane."""
        return 1 + self.sent

    def pack(self, levels: Levels, packet_bytes: int = 1024) -> Container:
        """Write levels as a container; those of the layered bands must lie within the planes."""
        kind = DeadZone if self.dead_zone else MidRise
        layered = [band for band, r in enumerate(levels.reconstructions) if type(r) is kind]
        runs = levels.runs()
        values = np.concatenate([np.zeros(0, np.int64), *(runs[band] for band in layered)])
        planes = [self._plane(values, plane) for plane in range(self.sent)]
        lengths = b"".join(varint(len(chunk)) for _, chunks in planes for chunk in chunks)
        tables = b"".join(table.tobytes() for table, _ in planes)
        base = RangeCoded().pack(_small(levels, layered), packet_bytes).data
        head = varint(len(base)) + base + lengths + tables
        groups = [b"".join(chunk + checksum(chunk) for chunk in chunks) for _, chunks in planes]
        groups.insert(0, head + checksum(head))
        return Container(b"".join(groups), tuple(map(len, groups)))

    def estimate(self, levels: Levels, packet_bytes: int) -> tuple[int, ...]:
        """As many bytes as it takes: it is coded."""
        return self.pack(levels, packet_bytes).groups

    def unpack(self, data: bytes, layout: Layout) -> Contents:  # noqa: D102
        length, at = read_varint(data, 0)
        levels = RangeCoded().levels(data[at : at + length], layout)
        bands = bands_of(layout)
        layered = [band for band, r in enumerate(levels.reconstructions) if type(r) is DeadZone]
        count = sum(bands.sizes[band] for band in layered)
        cuts, at, lengths = _cuts(count, self.chunk), at + length, []
        for _ in range(self.sent * len(cuts)):
            one, at = read_varint(data, at)
            lengths.append(one)
        end = at + self.sent * CONTEXTS
        if len(data) < end + CHECKSUM or checksum(data[:end]) != data[end : end + CHECKSUM]:
            raise DecodeError("the container's first group is damaged: its checksum fails")
        tables = np.frombuffer(data[at:end], np.uint8).reshape(self.sent, CONTEXTS)
        known = self._planes(data, end + CHECKSUM, count, lengths, tables)
        return self._contents(levels, layered, known)

    def _planes(
        self, data: bytes, at: int, count: int, lengths: Sequence[int], tables: UInt8[np.ndarray, "planes contexts"]
    ) -> "_Known":
        """What the chunks that arrived say."""
        known, cuts = _Known.nothing(count), _cuts(count, self.chunk)
        for plane, table in enumerate(tables):
            for index, cut in enumerate(cuts):
                length = lengths[plane * len(cuts) + index]
                chunk, stated = data[at : at + length], data[at + length : at + length + CHECKSUM]
                at += length + CHECKSUM
                whole = len(stated) == CHECKSUM and checksum(chunk) == stated
                if whole and (known.planes[cut] == plane).all():
                    self._read(chunk, plane, table, known.part(cut))
        return known

    def _contents(self, levels: Levels, layered: Sequence[int], known: "_Known") -> Contents:
        """Values, each at the precision that arrived of it."""
        bands, layout, first = bands_of(levels.layout), levels.layout, 0
        found = [r.values(run.astype(np.int64)) for r, run in zip(levels.reconstructions, levels.runs(), strict=True)]
        here = [np.ones(size, bool) for size in bands.sizes]
        for band in layered:
            part = known.part(slice(first, first + bands.sizes[band]))
            found[band] = self._values(levels.reconstructions[band], part)
            here[band], first = part.planes > 0, first + bands.sizes[band]
        values, arrived = np.empty(layout.size, np.float32), np.ones(layout.size, bool)
        values[bands.order] = np.concatenate([np.zeros(0, np.float32), *found])
        arrived[bands.order] = np.concatenate([np.zeros(0, bool), *here])
        return Contents(torch.from_numpy(values), torch.from_numpy(arrived))

    def _values(self, kind: Reconstruction, known: "_Known") -> np.ndarray:
        assert isinstance(kind, DeadZone)
        each = kind.step * np.exp2(self.bits - self.dead_zone - known.planes)
        middle = np.where((known.magnitude > 0) | (not self.dead_zone), 0.5, 0.0)
        signed = np.where(known.negative, -1.0, 1.0) * (known.magnitude + middle) * each
        return np.where(known.planes > 0, signed, 0.0).astype(np.float32)

    def _plane(self, values: Int64[np.ndarray, "n"], plane: int) -> tuple[UInt8[np.ndarray, "contexts"], list[bytes]]:
        """Probabilities and chunks of one plane."""
        negative = values < 0
        magnitude = np.abs(values) if self.dead_zone else np.where(negative, -values - 1, values)
        shift = self.bits - 1 - self.dead_zone - plane
        bit, prefix = magnitude >> shift & 1, magnitude >> (shift + 1)
        if plane == 0 and not self.dead_zone:
            bit = negative.astype(np.int64)
        context = np.minimum(prefix, CONTEXTS - 1)
        ones = np.bincount(context, weights=bit, minlength=CONTEXTS)
        total = np.maximum(np.bincount(context, minlength=CONTEXTS), 1)
        table = np.clip(np.rint(256 * ones / total - 0.5), 0, 255).astype(np.uint8)
        chunks = []
        for cut in _cuts(len(values), self.chunk):
            runs = [(int(table[c]), bit[cut][context[cut] == c]) for c in range(CONTEXTS)]
            if self.dead_zone:
                runs.append((_EVEN, negative[cut][(prefix[cut] == 0) & (bit[cut] == 1)].astype(np.int64)))
            chunks.append(_coded(runs))
        return table, chunks

    def _read(self, chunk: bytes, plane: int, table: UInt8[np.ndarray, "contexts"], known: "_Known") -> None:
        """One chunk of a plane, into what is known of its values."""
        words = np.frombuffer(chunk + bytes(-len(chunk) % 4), dtype=">u4").astype(np.uint32)
        decoder = _coding.queue.RangeDecoder(words)
        context, bit = np.minimum(known.magnitude, CONTEXTS - 1), np.zeros(len(known.magnitude), np.int64)
        for c in range(CONTEXTS):
            places = np.flatnonzero(context == c)
            bit[places] = _decoded(decoder, int(table[c]), len(places))
        if self.dead_zone:
            new = np.flatnonzero((known.magnitude == 0) & (bit == 1))
            known.negative[new] = _decoded(decoder, _EVEN, len(new)).astype(bool)
        if plane == 0 and not self.dead_zone:
            known.negative[:] = bit.astype(bool)
        else:
            known.magnitude[:] = 2 * known.magnitude + bit
        known.planes[:] = plane + 1


@dataclass(frozen=True)
class _Known:
    """What is known of layered values so far: magnitude, sign, and from how many planes."""

    magnitude: Int64[np.ndarray, "n"]
    negative: Bool[np.ndarray, "n"]
    planes: Int64[np.ndarray, "n"]

    @classmethod
    def nothing(cls, count: int) -> "_Known":
        return cls(np.zeros(count, np.int64), np.zeros(count, bool), np.zeros(count, np.int64))

    def part(self, cut: slice) -> "_Known":
        """A view."""
        return _Known(self.magnitude[cut], self.negative[cut], self.planes[cut])


def _small(levels: Levels, layered: Sequence[int]) -> Levels:
    """The same with 0 in place of the layered values, which costs next to nothing; it keeps their steps."""
    runs, reconstructions = levels.runs(), list(levels.reconstructions)
    for band in layered:
        kind = reconstructions[band]
        assert isinstance(kind, MidRise | DeadZone)
        reconstructions[band] = DeadZone(kind.step)
    kept = [np.zeros_like(run) if band in layered else run for band, run in enumerate(runs)]
    numbers = np.concatenate([np.zeros(0, np.int64), *kept])
    return replace(Levels.fitted(levels.layout, numbers, reconstructions, [None] * len(runs)), groups=())


def _bit(index: int) -> Any:
    """A bit that is 1 with probability (index + 1/2) / 256."""
    return _coding.model.Bernoulli((index + 0.5) / 256, perfect=False)


def _cuts(count: int, chunk: int) -> list[slice]:
    return [slice(first, min(first + chunk, count)) for first in range(0, count, chunk)]


def _coded(runs: Sequence[tuple[int, np.ndarray]]) -> bytes:
    encoder = _coding.queue.RangeEncoder()
    for index, bits in runs:
        if len(bits):
            encoder.encode(bits.astype(np.int32), _bit(index))
    return encoder.get_compressed().astype(">u4").tobytes().rstrip(b"\0")


def _decoded(decoder: Any, index: int, count: int) -> Int64[np.ndarray, "n"]:
    if not count:
        return np.zeros(0, np.int64)
    return decoder.decode(_bit(index), count).astype(np.int64)
