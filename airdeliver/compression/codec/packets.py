"""Packets: runs of levels that are decoded from nothing but themselves and the container's head."""

import numpy as np
from jaxtyping import Float64, Int64

from airdeliver.compression.bands import Bands, bands_of
from airdeliver.compression.codec.bitstream import DecodeError, read_varint, varint
from airdeliver.compression.codec.crc32c import checksum, crc32c
from airdeliver.compression.codec.entropy_coding import LevelModel, decode, encode
from airdeliver.compression.codec.head import CHECKSUM, Head, borders
from airdeliver.compression.codec.levels import Levels


class Packer:
    """Cuts levels into packets that do not exceed their length.

    Args:
        levels: to be cut.
        packet_bytes: most bytes of a packet, checksum included.
    """

    def __init__(self, levels: Levels, packet_bytes: int) -> None:
        self.levels, self.bands, self.packet_bytes = levels, bands_of(levels.layout), packet_bytes
        costs = [m.cost(run) for m, run in zip(levels.models, self.bands.split(levels.numbers), strict=True)]
        self.bits: Float64[np.ndarray, "longer"] = np.concatenate([np.zeros(1), *costs]).cumsum()

    def packets(self, first: int, end: int) -> list[bytes]:
        """The packets of the values from `first` to `end`, all but the last one equally long."""
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
            coded = varint(first) + varint(to - first) + encode(self._runs(first, to))
            if len(coded) <= room:
                return (coded if to == end else coded.ljust(room, b"\0")), to
            words -= 1

    def _runs(self, first: int, to: int) -> list[tuple[LevelModel, Int64[np.ndarray, "_"]]]:
        levels = self.levels
        return [(levels.models[band], levels.numbers[fro:end]) for band, fro, end in _runs(self.bands, first, to)]


def read_packets(data: bytes, start: int, head: Head) -> list[tuple[int, Int64[np.ndarray, "_"]]]:
    """First value and levels of each packet that arrived, in band order.

    Args:
        data: received bytes.
        start: where the packets begin.
        head: read before.

    Raises:
        DecodeError: a packet with a sound checksum that contradicts the head.
    """
    limits = borders(head.bands, head.groups)
    slots = head.slots(start, len(data))
    read, reached = [], 0
    for (begin, end, group), sound in zip(slots, _sound(data, slots), strict=True):
        if not sound:
            continue
        first, at = read_varint(data, begin)
        count, at = read_varint(data, at)
        low, high = limits[group]
        if at > end - CHECKSUM or first < max(reached, low) or first + count > high:
            raise DecodeError("a packet claims values that are not its own")
        reached = first + count
        runs = [(head.models[band], to - fro) for band, fro, to in _runs(head.bands, first, reached)]
        try:
            levels = decode(data[at : end - CHECKSUM], runs)
        except ValueError as error:
            raise DecodeError("a packet was not coded with the models of the container's head") from error
        read.append((first, np.concatenate([np.zeros(0, np.int64), *levels])))
    return read


def _with_checksums(packets: list[bytes]) -> list[bytes]:
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
