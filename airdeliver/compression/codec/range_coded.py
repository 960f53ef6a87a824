"""The container of range-coded packets. See docs/container.md."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate, chain

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from airdeliver.compression.codec.base import Codec, Container, Contents
from airdeliver.compression.codec.bitstream import DecodeError
from airdeliver.compression.codec.entropy_coding import PIECE, pieces_of
from airdeliver.compression.codec.head import (
    CHECKSUM,
    LARGEST_PACKET,
    SMALLEST_PACKET,
    Head,
    borders,
    groups_of,
    read_head,
    table_of,
    write_head,
)
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.codec.packets import Packer, read_packets
from airdeliver.compression.codec.reconstruction import Reconstruction
from airdeliver.compression.codec.run_coding import band_bits, cheaper_by_context
from airdeliver.payload import Layout


@dataclass(frozen=True)
class RangeCoded(Codec):
    """Levels under parametric models, range-coded in packets that are decoded independently.

    Containers of versions 1 and 2 are read too.

    Args:
        contexts: whether probabilities of a band go by the three levels before each, where that takes fewer bits:
            neighbours in a filter are large together. What is written so is read by any `RangeCoded`.

    >>> from airdeliver.compression.codec.reconstruction import OnGrid
    >>> from airdeliver.payload import Segment
    >>> layout = Layout((Segment("weight", (2, 3)),))
    >>> levels = Levels.fitted(layout, np.array([0, 1, 0, -1, 0, 2]), [OnGrid(2048)], [0])
    >>> container = RangeCoded().pack(levels)
    >>> RangeCoded().unpack(container.data, layout).values
    tensor([ 0.,  1.,  0., -1.,  0.,  2.])
    """

    contexts: bool = False

    def pack(self, levels: Levels, packet_bytes: int = 1024) -> Container:
        """Write levels as a container.

        Raises:
            ValueError: packets shorter than 32 or longer than 65,535 bytes, or groups that do not hold all bands.
        """
        if not SMALLEST_PACKET <= packet_bytes <= LARGEST_PACKET:
            raise ValueError(f"packet_bytes must be {SMALLEST_PACKET} to {LARGEST_PACKET}, got {packet_bytes}")
        levels = self._modelled(levels)
        packer = Packer(levels, packet_bytes)
        packets = [packer.packets(*ends) for ends in borders(packer.bands, groups_of(levels))]
        head = write_head(levels, packet_bytes, packets)
        first, *others = (sum(map(len, group)) for group in packets)
        return Container(b"".join(chain([head], *packets)), (len(head) + first, *others))

    def estimate(self, levels: Levels, packet_bytes: int) -> tuple[int, ...]:  # noqa: D102
        levels = self._modelled(levels)
        each = [band_bits(model, run) / 8 for model, run in zip(levels.models, levels.runs(), strict=True)]
        lengths, band = [], 0
        for count in groups_of(levels):
            lengths.append(_in_packets(float(sum(each[band : band + count])), packet_bytes))
            band += count
        head = 18 + len(table_of(levels))
        return head + lengths[0], *lengths[1:]

    def _modelled(self, levels: Levels) -> Levels:
        """With models that go by contexts, of the bands that take fewer bits so."""
        if not self.contexts:
            return levels
        return replace(levels, models=tuple(map(cheaper_by_context, levels.models, levels.runs())))

    def levels(self, data: bytes, layout: Layout) -> Levels:
        """The levels of a container that arrived whole.

        Raises:
            DecodeError: it did not.
        """
        head, start = read_head(data, layout)
        numbers, read = np.zeros(layout.size, np.int32), 0
        for first, runs in read_packets(data, start, head):
            held = np.concatenate(runs)
            numbers[first : first + len(held)] = held
            read += len(held)
        if read != layout.size:
            raise DecodeError("a packet of the container is damaged: its checksum fails")
        return Levels(layout, numbers, tuple(head.reconstructions), tuple(head.models), tuple(head.groups))

    def unpack(self, data: bytes, layout: Layout) -> Contents:  # noqa: D102
        arrived = np.zeros(layout.size, dtype=bool)
        return Contents(torch.from_numpy(_read(data, layout, arrived)), torch.from_numpy(arrived))

    def values(self, data: bytes, layout: Layout) -> Float[Tensor, "n"]:  # noqa: D102
        return torch.from_numpy(_read(data, layout))

    def legible(self, data: bytes, layout: Layout) -> bool:  # noqa: D102
        try:
            head, start = read_head(data, layout)
            read = [0] * len(head.bands)
            for band, _, part in _stretches(data, start, head):
                if not np.isfinite(part).all():
                    return False
                read[band] += len(part)
        except DecodeError:
            return False
        bands = zip(read, head.bands.sizes, head.reconstructions, head.models, strict=True)
        return all(count == size or np.isfinite(r.lost(model.centre)) for count, size, r, model in bands)


def _read(data: bytes, layout: Layout, arrived: Bool[np.ndarray, "n"] | None = None) -> Float32[np.ndarray, "n"]:
    """Values of a container; which of them arrived is written where it is asked for."""
    head, start = read_head(data, layout)
    bands, values = head.bands, np.empty(layout.size, np.float32)
    starts = (0, *accumulate(bands.sizes))
    for first, end, reconstruction, model in zip(starts, starts[1:], head.reconstructions, head.models):
        for _, place in bands.spans(first, end):
            values[place] = reconstruction.lost(model.centre)
    for _, first, read in _stretches(data, start, head):
        for ordered, place in bands.spans(first, first + len(read)):
            values[place] = read[ordered.start - first : ordered.stop - first]
            if arrived is not None:
                arrived[place] = True
    if not all(np.isfinite(part).all() for part in np.array_split(values, layout.size // PIECE + 1)):
        raise DecodeError("the container holds values beyond the range of binary32")
    return values


def _stretches(data: bytes, start: int, head: Head) -> Iterator[tuple[int, int, Float32[np.ndarray, "_"]]]:
    """Of what arrived: band, place of the first value in band order, and values."""
    starts = (0, *accumulate(head.bands.sizes))
    for first, runs in read_packets(data, start, head):
        for levels in runs:
            # A run is what a packet holds of one band; bands without values have none.
            band = bisect_right(starts, first) - 1
            kind, size = head.reconstructions[band], head.bands.sizes[band]
            for part in pieces_of(levels):
                yield band, first, _values(kind, part.astype(np.int64, copy=False), first - starts[band], size)
                first += len(part)


def _values(
    reconstruction: Reconstruction, levels: Int64[np.ndarray, "n"], first: int, size: int
) -> Float32[np.ndarray, "n"]:
    try:
        return reconstruction.stretch(levels, first, size)
    except ValueError as error:
        raise DecodeError(f"a packet holds levels that stand for nothing: {error}") from error


def _in_packets(coded: float, packet_bytes: int) -> int:
    """Bytes with what packets add: a checksum, half a word that is not full and, but for one alone, two numbers."""
    single = math.ceil(coded) + CHECKSUM + 2
    each = CHECKSUM + 7
    return single if single <= packet_bytes else math.ceil(coded) + each * math.ceil(coded / (packet_bytes - each))
