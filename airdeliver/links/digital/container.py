"""The container: a quantised payload as bytes, in packets that are decoded independently. See docs/container.md."""

import json
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from airdeliver.compression.bands import Bands, bands_of
from airdeliver.compression.entropy_coding import LevelModel, decode, encode
from airdeliver.compression.quantisation import Quantised, dequantise
from airdeliver.links.digital.bitstream import BitReader, BitWriter, DecodeError, read_varint, varint
from airdeliver.links.digital.crc32c import checksum, crc32c
from airdeliver.payload import Layout

MAGIC = b"AD"
VERSION = 1
CHECKSUM = 4
SMALLEST_PACKET, LARGEST_PACKET = 32, 65_535


@dataclass(frozen=True)
class Container:
    """A payload as bytes.

    Args:
        data: head, protected packets, other packets.
        protected: how many bytes of it, from the start, nothing can be rebuilt without: head and protected packets.
    """

    data: bytes
    protected: int


@dataclass(frozen=True)
class Contents:
    """What the receiver reads.

    Args:
        values: the payload's; those that did not arrive are the level that the sender signalled as least harmful
            (the mean of their band, or 0).
        arrived: which values were in packets that arrived.
    """

    values: Float[Tensor, "n"]
    arrived: Bool[Tensor, "n"]


@dataclass(frozen=True)
class _Head:
    steps: tuple[int, ...]
    models: tuple[LevelModel, ...]
    packet_bytes: int
    counts: tuple[int, int]
    last: tuple[int, int]

    def slots(self, start: int, length: int) -> list[tuple[int, int, int]]:
        """First byte, end and group (0 protected, 1 other) of each packet that lies within so many bytes."""
        slots = []
        for group, (count, last) in enumerate(zip(self.counts, self.last, strict=True)):
            for i in range(count):
                end = start + (self.packet_bytes if i < count - 1 else last)
                if end > length:
                    return slots
                slots.append((start, end, group))
                start = end
        return slots


def pack(quantised: Quantised, packet_bytes: int = 1024) -> Container:
    """Write a quantised payload as a container.

    Args:
        quantised: levels, steps and models.
        packet_bytes: length of every packet but the last one of its group.

    Raises:
        ValueError: packets shorter than 32 or longer than 65,535 bytes.
    """
    if not SMALLEST_PACKET <= packet_bytes <= LARGEST_PACKET:
        raise ValueError(f"packet_bytes must be {SMALLEST_PACKET} to {LARGEST_PACKET}, got {packet_bytes}")
    bands = bands_of(quantised.layout)
    packer = _Packer(quantised, bands, packet_bytes)
    groups = [packer.packets(0, bands.protected_values), packer.packets(bands.protected_values, bands.order.size)]
    counts = [len(group) for group in groups]
    last = [len(group[-1]) if group else 0 for group in groups]
    fields = [packet_bytes, counts[0], last[0], counts[1], last[1]]
    table = _table(quantised)
    head = b"".join(
        [MAGIC, bytes([VERSION]), _fingerprint(quantised.layout), *map(varint, [*fields, len(table)]), table]
    )
    head += checksum(head)
    protected, others = (b"".join(group) for group in groups)
    return Container(head + protected + others, len(head) + len(protected))


def estimate(quantised: Quantised, packet_bytes: int) -> tuple[int, int]:
    """About how many protected and other bytes `pack` would make, without coding a level."""
    bands = bands_of(quantised.layout)
    each = [
        model.cost(run).sum() / 8 for model, run in zip(quantised.models, bands.split(quantised.levels), strict=True)
    ]
    protected, others = float(sum(each[: bands.protected])), float(sum(each[bands.protected :]))
    head = 22 + len(_table(quantised))
    return head + _in_packets(protected, packet_bytes), _in_packets(others, packet_bytes)


def _in_packets(coded: float, packet_bytes: int) -> int:
    """Bytes with what packets add: a checksum, two numbers, and half a word that is not full."""
    return math.ceil(coded) + (CHECKSUM + 7) * math.ceil(coded / (packet_bytes - CHECKSUM - 7))


def unpack(data: bytes, layout: Layout) -> Contents:
    """Read a container, from however many of its packets arrived.

    A packet whose checksum fails is lost, and nothing else. Bytes behind the container are ignored. Work and memory
    are bounded by the layout, which the receiver knows, and by the length of the data.

    Args:
        data: received bytes.
        layout: of the payload: published recipe.

    Raises:
        DecodeError: the head did not arrive, is not one of this layout, or contradicts a packet; values beyond the
            range of binary32.
    """
    head, start = _read_head(data, layout)
    bands = bands_of(layout)
    centres = [model.centre for model in head.models]
    levels = np.repeat(np.array(centres, dtype=np.int64), bands.sizes)
    arrived = np.zeros(layout.size, dtype=bool)
    borders = ((0, bands.protected_values), (bands.protected_values, layout.size))
    slots = head.slots(start, len(data))
    reached = 0
    for (begin, end, group), sound in zip(slots, _sound(data, slots), strict=True):
        if not sound:
            continue
        first, at = read_varint(data, begin)
        count, at = read_varint(data, at)
        low, high = borders[group]
        if at > end - CHECKSUM or first < max(reached, low) or first + count > high:
            raise DecodeError("a packet claims values that are not its own")
        reached = first + count
        runs = [(head.models[band], to - fro) for band, fro, to in _runs(bands, first, reached)]
        try:
            levels[first:reached] = np.concatenate([np.zeros(0, np.int64), *decode(data[at : end - CHECKSUM], runs)])
        except ValueError as error:
            raise DecodeError("a packet was not coded with the models of the container's head") from error
        arrived[first:reached] = True
    in_order = np.empty_like(arrived)
    in_order[bands.order] = arrived
    values = dequantise(levels, head.steps, layout)
    if not bool(values.isfinite().all()):
        raise DecodeError("the container holds values beyond the range of binary32")
    return Contents(values, torch.from_numpy(in_order))


class _Packer:
    """Cuts levels into packets that do not exceed their length."""

    def __init__(self, quantised: Quantised, bands: Bands, packet_bytes: int) -> None:
        self.quantised, self.bands, self.packet_bytes = quantised, bands, packet_bytes
        costs = [model.cost(run) for model, run in zip(quantised.models, bands.split(quantised.levels), strict=True)]
        self.bits: Float64[np.ndarray, "longer"] = np.concatenate([np.zeros(1), *costs]).cumsum()

    def packets(self, first: int, end: int) -> list[bytes]:
        """The packets of the values from `first` to `end`."""
        packets = []
        while first < end:
            packet, first = self._packet(first, end)
            packets.append(packet)
        return _with_checksums(packets)

    def _packet(self, first: int, end: int) -> tuple[bytes, int]:
        """As many values as fit, without the checksum, and the value after them."""
        room = self.packet_bytes - CHECKSUM
        # The range coder ends on a word of four bytes; what its last word leaves free decides about another try.
        words = (room - len(varint(first)) - 2) // 4
        while True:
            to = min(end, max(first + 1, int(np.searchsorted(self.bits, self.bits[first] + 32 * words)) - 1))
            coded = varint(first) + varint(to - first) + encode(self._levels(first, to))
            if len(coded) <= room:
                return (coded if to == end else coded.ljust(room, b"\0")), to
            words -= 1

    def _levels(self, first: int, to: int) -> list[tuple[LevelModel, Int64[np.ndarray, "_"]]]:
        quantised = self.quantised
        return [(quantised.models[band], quantised.levels[fro:end]) for band, fro, end in _runs(self.bands, first, to)]


def _with_checksums(packets: list[bytes]) -> list[bytes]:
    """All packets but the last one are equally long."""
    if len(packets) < 2:
        return [packet + checksum(packet) for packet in packets]
    full = np.frombuffer(b"".join(packets[:-1]), np.uint8).reshape(len(packets) - 1, -1)
    sums = [*crc32c(full).astype("<u4"), np.frombuffer(checksum(packets[-1]), "<u4")[0]]
    return [packet + stated.tobytes() for packet, stated in zip(packets, sums, strict=True)]


def _runs(bands: Bands, first: int, to: int) -> list[tuple[int, int, int]]:
    """Band, first value and end of each stretch of one band between two values."""
    ends = np.cumsum(bands.sizes)
    runs = []
    band = int(np.searchsorted(ends, first, side="right"))
    while first < to:
        end = min(to, int(ends[band]))
        runs.append((band, first, end))
        first, band = end, band + 1
    return runs


def _table(quantised: Quantised) -> bytes:
    writer = BitWriter()
    for step, model in zip(quantised.steps, quantised.models, strict=True):
        writer.write(step, 12)
        writer.write_gamma(2 * abs(model.centre) - (model.centre > 0))
        writer.write_gamma(model.shift)
        writer.write(model.shape, 2)
        writer.write(model.scale, 7)
        writer.write(model.zero, 7)
    return writer.to_bytes()


def _read_head(data: bytes, layout: Layout) -> tuple[_Head, int]:
    """The head, and where the packets begin."""
    if data[:2] != MAGIC or len(data) < 7:
        raise DecodeError("no container: it does not begin with AD")
    if data[2] != VERSION:
        raise DecodeError(f"a container of version {data[2]}, this code reads version {VERSION}")
    fields, at = [], 7
    for _ in range(6):
        field, at = read_varint(data, at)
        fields.append(field)
    packet_bytes, protected, last_protected, others, last_other, length = fields
    end = at + length
    if len(data) < end + CHECKSUM or checksum(data[:end]) != data[end : end + CHECKSUM]:
        raise DecodeError("the container's head is damaged: its checksum fails")
    if data[3:7] != _fingerprint(layout):
        raise DecodeError("the container was made for another architecture or normalisation")
    # Every packet holds at least one value.
    lasts = (last_protected, last_other)
    fits = SMALLEST_PACKET <= packet_bytes <= LARGEST_PACKET and max(lasts) <= packet_bytes
    if not fits or protected + others > layout.size:
        raise DecodeError("the container's head declares packets that cannot be")
    steps, models = _read_table(BitReader(data[at:end]), len(bands_of(layout)))
    return _Head(steps, models, packet_bytes, (protected, others), lasts), end + CHECKSUM


def _read_table(reader: BitReader, bands: int) -> tuple[tuple[int, ...], tuple[LevelModel, ...]]:
    steps, models = [], []
    for _ in range(bands):
        steps.append(reader.read(12))
        centre = reader.read_gamma()
        fields = (-(centre // 2) if centre % 2 == 0 else centre // 2 + 1, reader.read_gamma())
        try:
            models.append(LevelModel(*fields, shape=reader.read(2), scale=reader.read(7), zero=reader.read(7)))
        except DecodeError:
            raise
        except ValueError as error:
            raise DecodeError(f"the container's head is malformed: {error}") from error
    return tuple(steps), tuple(models)


def _sound(data: bytes, slots: list[tuple[int, int, int]]) -> list[bool]:
    """Whether each packet arrived whole; packets of one length are checked together."""
    received = np.frombuffer(data, np.uint8)
    sound = np.zeros(len(slots), dtype=bool)
    lengths = np.array([end - begin for begin, end, _ in slots], dtype=np.int64)
    begins = np.array([begin for begin, _, _ in slots], dtype=np.int64)
    for length in np.unique(lengths[lengths > CHECKSUM]).tolist():
        rows = np.flatnonzero(lengths == length)
        packets = received[begins[rows, None] + np.arange(length)]
        stated = packets[:, -CHECKSUM:].copy().view("<u4")[:, 0]
        sound[rows] = crc32c(packets[:, :-CHECKSUM]) == stated
    return sound.tolist()


@lru_cache(maxsize=64)
def _fingerprint(layout: Layout) -> bytes:
    """CRC-32C of the layout as JSON: names, shapes and transforms of all segments."""
    return checksum(json.dumps(layout.to_dict(), separators=(",", ":")).encode())
