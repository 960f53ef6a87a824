"""The head of a container: version, groups of packets, and what the levels of each band stand for. See
docs/container.md."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from airdeliver.compression.bands import Bands, bands_of
from airdeliver.compression.codec.bitstream import (
    BitReader,
    BitWriter,
    DecodeError,
    folded,
    read_varint,
    unfolded,
    varint,
)
from airdeliver.compression.codec.crc32c import checksum
from airdeliver.compression.codec.entropy_coding import LevelModel
from airdeliver.compression.codec.lane_coding import LaneModel
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.codec.reconstruction import KINDS, STEPS, OnGrid, OnTrellis, Reconstruction
from airdeliver.compression.codec.run_coding import BandModel
from airdeliver.compression.codec.trellis import Trellis
from airdeliver.payload import Layout

MAGIC = b"AD"
VERSION = 3
CHECKSUM = 4
SMALLEST_PACKET, LARGEST_PACKET = 32, 65_535

_GROUPS, _RECONSTRUCTIONS, _WIDE, _LANES = 0x10, 0x20, 0x40, 0x80
"""Flags beside the version: groups are listed, kinds of reconstruction are, in three bits each; bands are coded lane
beside lane."""

_FINE = 4
"""Lower bits of a difference of steps that are written as they are."""

_NARROW = (2, 0)
"""Shape and scale of a band without a level beyond the next to its centre."""


@dataclass(frozen=True)
class Place:
    """Where a packet is among those of its group.

    Args:
        leads: whether it needs no number of its first value: that of the group.
        ends: whether it needs no number of values: all that are left of the group.
    """

    leads: bool
    ends: bool


@dataclass(frozen=True)
class Head:
    """What a container says of itself.

    Args:
        bands: of its version.
        reconstructions: what the levels of each band stand for.
        models: of each band.
        packet_bytes: length of every packet but the last one of its group.
        groups: number of bands in each group.
        counts: number of packets in each group.
        last: length of the last packet of each group, 0 if there is none.
        version: 1 to 3.
    """

    bands: Bands
    reconstructions: tuple[Reconstruction, ...]
    models: tuple[BandModel, ...]
    packet_bytes: int
    groups: tuple[int, ...]
    counts: tuple[int, ...]
    last: tuple[int, ...]
    version: int = VERSION

    @property
    def adapts(self) -> bool:
        """Whether models learn from the levels of their packet."""
        return self.version > 2

    def places(self) -> Iterator[Place]:
        """The place of each packet; those of earlier versions say all their numbers."""
        for count in self.counts:
            yield from (Place(self.adapts and i == 0, self.adapts and i == count - 1) for i in range(count))

    def slots(self, start: int, length: int) -> list[tuple[int, int, int]]:
        """First byte, end and group of each packet that lies within so many bytes."""
        slots = []
        for group, (count, last) in enumerate(zip(self.counts, self.last, strict=True)):
            for i in range(count):
                end = start + (self.packet_bytes if i < count - 1 else last)
                if end > length:
                    return slots
                slots.append((start, end, group))
                start = end
        return slots


def groups_of(levels: Levels) -> tuple[int, ...]:
    """Number of bands in each group; by default the protected ones, and the others.

    Raises:
        ValueError: groups that do not hold all bands.
    """
    bands = bands_of(levels.layout)
    if not levels.groups:
        return bands.protected, len(bands) - bands.protected
    if min(levels.groups) < 0 or sum(levels.groups) != len(bands):
        raise ValueError(f"groups must hold all {len(bands)} bands, got {list(levels.groups)}")
    return levels.groups


def borders(bands: Bands, groups: Sequence[int]) -> list[tuple[int, int]]:
    """First value and end of each group, in band order."""
    ends, band, first = [], 0, 0
    for count in groups:
        band += count
        end = sum(bands.sizes[:band])
        ends.append((first, end))
        first = end
    return ends


def write_head(levels: Levels, packet_bytes: int, packets: Sequence[Sequence[bytes]]) -> bytes:
    """The head of a container of these packets, group by group."""
    groups = groups_of(levels)
    flags, listed = VERSION, b""
    if levels.groups:
        flags, listed = flags | _GROUPS, b"".join(map(varint, (len(groups), *groups)))
    if _told(levels):
        flags |= _RECONSTRUCTIONS | (_WIDE if _width(levels) > 2 else 0)
    if _lanes(levels):
        flags |= _LANES
    fields = [number for group in packets for number in (len(group), len(group[-1]) if group else 0)]
    table = table_of(levels)
    head = MAGIC + bytes([flags]) + varint(packet_bytes) + listed + b"".join(map(varint, [*fields, len(table)])) + table
    return head + checksum(_named(levels.layout) + head)


def table_of(levels: Levels) -> bytes:
    """Reconstruction and model of each band."""
    writer, told, before, lanes = BitWriter(), _told(levels), OnGrid(STEPS // 2), _lanes(levels)
    if lanes:
        writer.write(int(_most_states(levels) == 8), 1)
    for reconstruction, model in zip(levels.reconstructions, levels.models, strict=True):
        if told:
            writer.write(reconstruction.kind, _width(levels))
        elif lanes:
            writer.write(int(isinstance(reconstruction, OnTrellis)), 1)
        if isinstance(reconstruction, OnGrid):  # steps differ less than they might
            more = folded(reconstruction.index - before.index)
            writer.write_gamma(more >> _FINE)
            writer.write(more & ((1 << _FINE) - 1), _FINE)
            before = reconstruction
        else:
            reconstruction.write(writer)
        writer.write_gamma(folded(model.centre))
        writer.write_gamma(model.shift)
        if isinstance(model, LaneModel):
            for each in model.models:
                _write_model(writer, each)
            writer.write(int(model.contexts), 1)
        else:
            _write_model(writer, model)
            if lanes:
                writer.write(0, 1)
    return writer.to_bytes()


def _write_model(writer: BitWriter, model: LevelModel) -> None:
    narrow = (model.shape, model.scale) == _NARROW
    writer.write(int(not narrow), 1)
    if not narrow:
        writer.write(model.shape, 2)
        writer.write(model.scale, 7)
    writer.write(model.zero, 7)


def _read_model(reader: BitReader, centre: int, shift: int, paired: bool) -> LevelModel:
    shape, scale = (reader.read(2), reader.read(7)) if reader.read(1) else _NARROW
    return LevelModel(centre, shift, shape, scale, reader.read(7), paired)


def read_head(data: bytes, layout: Layout) -> tuple[Head, int]:
    """The head, and where the packets begin.

    Raises:
        DecodeError: it did not arrive, is not one of this layout, or declares what cannot be.
    """
    if data[:2] != MAGIC or len(data) < 7:
        raise DecodeError("no container: it does not begin with AD")
    version, flags = data[2] & 0x0F, data[2] & 0xF0
    known = 1 <= version <= VERSION and _flags_can_be(flags)
    if not known or (version == 1 and flags) or (version < 3 and flags & _LANES):
        raise DecodeError(f"a container of version {data[2]}, this code reads versions 1 to {VERSION}")
    bands = bands_of(layout, mixed=version == 1)
    named = b"" if version < 3 else _named(layout)
    packet_bytes, at = read_varint(data, 7 if version < 3 else 3)
    groups: Sequence[int] = (bands.protected, len(bands) - bands.protected)
    if flags & _GROUPS:
        count, at = read_varint(data, at)
        groups, at = _varints(data, at, count)
    fields, at = _varints(data, at, 2 * len(groups))
    length, at = read_varint(data, at)
    end = at + length
    if len(data) < end + CHECKSUM or checksum(named + data[:end]) != data[end : end + CHECKSUM]:
        raise DecodeError(
            "the container's head is damaged, or of another architecture or normalisation: its checksum fails"
        )
    if version < 3 and data[3:7] != checksum(_named(layout)):
        raise DecodeError("the container was made for another architecture or normalisation")
    counts, lasts = tuple(fields[::2]), tuple(fields[1::2])
    # Every packet holds at least one value.
    fits = SMALLEST_PACKET <= packet_bytes <= LARGEST_PACKET and max(lasts, default=0) <= packet_bytes
    if not fits or sum(counts) > layout.size or sum(groups) != len(bands):
        raise DecodeError("the container's head declares packets that cannot be")
    try:
        width = 0 if not flags & _RECONSTRUCTIONS else 3 if flags & _WIDE else 2
        table, count = BitReader(data[at:end]), len(bands)
        if version == VERSION:
            reconstructions, models = _read_table(table, count, width, bool(flags & _LANES))
        else:
            reconstructions, models = _read_earlier_table(table, count, width)
    except DecodeError:
        raise
    except ValueError as error:
        raise DecodeError(f"the container's head is malformed: {error}") from error
    head = Head(bands, reconstructions, models, packet_bytes, tuple(groups), counts, lasts, version)
    return head, end + CHECKSUM


def _told(levels: Levels) -> bool:
    """Whether the kinds of reconstruction must be told: not where all are mid-tread with a step of the grid."""
    return any(not isinstance(reconstruction, OnGrid) for reconstruction in levels.reconstructions)


def _lanes(levels: Levels) -> bool:
    """Whether any band is coded lane beside lane."""
    return any(isinstance(model, LaneModel) for model in levels.models)


def _most_states(levels: Levels) -> int:
    """Of the trellis of all bands that have one; 0 if none has.

    Raises:
        ValueError: trellises that differ, or one of a band whose levels stand for something else.
    """
    found = {model.trellis.states for model in levels.models if isinstance(model, LaneModel) and model.trellis}
    for model, reconstruction in zip(levels.models, levels.reconstructions, strict=True):
        trellis = model.trellis if isinstance(model, LaneModel) else None
        if (trellis is None) == isinstance(reconstruction, OnTrellis):
            raise ValueError("levels of a trellis need a reconstruction on a trellis, and others another one")
    if len(found) > 1:
        raise ValueError(f"all bands of a container must have one trellis, got {sorted(found)} states")
    return max(found, default=0)


def _width(levels: Levels) -> int:
    """Bits of a kind: two unless one needs three."""
    return 2 if all(reconstruction.kind < 4 for reconstruction in levels.reconstructions) else 3


def _flags_can_be(flags: int) -> bool:
    """Width only of what is told."""
    return not flags & _WIDE or bool(flags & _RECONSTRUCTIONS)


def _varints(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    numbers = []
    for _ in range(count):
        number, at = read_varint(data, at)
        numbers.append(number)
    return numbers, at


Table = tuple[tuple[Reconstruction, ...], tuple[BandModel, ...]]


def _read_table(reader: BitReader, bands: int, width: int, lanes: bool) -> Table:
    reconstructions, models, before = list[Reconstruction](), list[BandModel](), STEPS // 2
    trellis = Trellis(8 if reader.read(1) else 4) if lanes else None
    for _ in range(bands):
        kind = _read_kind(reader, width, lanes)
        if issubclass(kind, OnGrid):
            more = reader.read_gamma() << _FINE
            before += unfolded(more | reader.read(_FINE))
            reconstruction: Reconstruction = kind(before)
        else:
            reconstruction = kind.read(reader)
        centre, shift = unfolded(reader.read_gamma()), reader.read_gamma()
        first = _read_model(reader, centre, shift, reconstruction.paired)
        own = trellis if kind is OnTrellis else None
        second = None if own is None else _read_model(reader, centre, shift, False)
        contexts = bool(lanes and reader.read(1))
        models.append(LaneModel(first, second, own, contexts) if own or contexts else first)
        reconstruction.lost(centre)
        reconstructions.append(reconstruction)
    return tuple(reconstructions), tuple(models)


def _read_kind(reader: BitReader, width: int, lanes: bool = False) -> type[Reconstruction]:
    """Told in so many bits; where none are the first of the kinds, or one bit that says whether it has a trellis."""
    if not width:
        return OnTrellis if lanes and reader.read(1) else OnGrid
    kind = KINDS[reader.read(width)]
    if kind is OnTrellis and not lanes:
        raise DecodeError("a band has levels of a trellis in a container without lanes")
    return kind


def _read_earlier_table(reader: BitReader, bands: int, width: int) -> Table:
    """That of versions 1 and 2."""
    reconstructions, models = [], []
    for _ in range(bands):
        reconstruction = _read_kind(reader, width).read(reader)
        centre, shift = unfolded(reader.read_gamma()), reader.read_gamma()
        shape, scale, zero = reader.read(2), reader.read(7), reader.read(7)
        models.append(LevelModel(centre, shift, shape, scale, zero, reconstruction.paired))
        reconstruction.lost(centre)
        reconstructions.append(reconstruction)
    return tuple(reconstructions), tuple(models)


@lru_cache(maxsize=64)
def _named(layout: Layout) -> bytes:
    """The layout as JSON: names, shapes and transforms of all segments."""
    return json.dumps(layout.to_dict(), separators=(",", ":")).encode()
