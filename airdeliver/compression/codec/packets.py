"""Packets: runs of levels that are decoded from nothing but themselves and the container's head."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float64, Int64, Integer

from airdeliver.compression.bands import Bands, bands_of
from airdeliver.compression.codec.bitstream import DecodeError, read_varint, varint
from airdeliver.compression.codec.crc32c import checksum, crc32c
from airdeliver.compression.codec.head import CHECKSUM, Head, borders
from airdeliver.compression.codec.lane_coding import LaneModel
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.codec.run_coding import Run, decode_runs, encode_runs
from airdeliver.compression.codec.sums import Sums
from airdeliver.compression.codec.trellis import LANE
from airdeliver.compression.computed import LevelArray

AHEAD = 1 << 18
"""Levels whose costs are summed up before sums begin anew, at least."""

_AT_ONCE = 1 << 18
"""Bytes of packets whose checksums are compared at a time, at least one packet."""

_TRIES = 5
_ENOUGH = 4
"""Bytes of a packet that may stay free, the word that the range coder works by."""


class Packer:
    """Cuts levels into packets that do not exceed their length.

    Args:
        levels: to be cut.
        packet_bytes: most bytes of a packet, checksum included.
    """

    def __init__(self, levels: Levels, packet_bytes: int) -> None:
        self.levels, self.bands, self.packet_bytes = levels, bands_of(levels.layout), packet_bytes
        self._stretches = _Stretches(levels)
        self._sums, self._end = Sums(0, len(levels.numbers), self._stretches.costs), 0

    def packets(self, first: int, end: int) -> list[bytes]:
        """The packets of the values from `first` to `end`, all but the last one equally long."""
        packets, start = [], first
        while start < end:
            packet, start = self._packet(start, end, not packets)
            packets.append(packet)
        return _with_checksums(packets)

    def _packet(self, first: int, end: int, leads: bool) -> tuple[bytes, int]:
        """As many values as fit, without the checksum, and the value after them."""
        room = self.packet_bytes - CHECKSUM
        # Models that adapt take about what they do without, and the range coder ends on a word of four bytes: what is
        # left free decides about another try.
        bits, best = 8.0 * room, None
        for _ in range(_TRIES):
            to = min(end, max(first + 1, self._reached(first, bits) - 1))
            if best is not None and to <= best[1]:
                break
            coded = self._coded(first, to, end, leads)
            free = room - len(coded)
            if free >= 0:
                best = coded, to
                if to == end or free <= _ENOUGH:
                    break
            elif best is not None:
                break
            bits += 8 * free - 16 if free < 0 else 8 * (free - _ENOUGH)
        while best is None:
            to = first + max(1, (to - first) * 15 // 16)
            coded = self._coded(first, to, end, leads)
            best = (coded, to) if len(coded) <= room or to == first + 1 else None
        return (best[0] if best[1] == end else best[0].ljust(room, b"\0")), best[1]

    def _coded(self, first: int, to: int, end: int, leads: bool) -> bytes:
        numbers = (b"" if leads else varint(first)) + (b"" if to == end else varint(to - first))
        runs = self._stretches.between(first, to)
        return numbers + _told(runs[0][0]) + encode_runs(runs)

    def _reached(self, first: int, bits: float) -> int:
        """The value before which so many bits are full, counted from `first`; one behind the last if they are not."""
        ahead, count = AHEAD, len(self.levels.numbers)
        while True:
            found = self._sums.reached(self._sums.before(first) + bits, self._end)
            if found <= self._end or self._end >= count:
                return found
            # Sums begin anew from time to time: large ones would be less exact.
            if self._sums.first != first:
                self._sums = Sums(first, count, self._stretches.costs)
            self._end = min(first + ahead, count)
            ahead *= 2


class _Stretches:
    """Levels in band order, and how those of each band are coded."""

    def __init__(self, levels: Levels) -> None:
        self._levels, self._bands = levels, bands_of(levels.layout)
        self._states = [
            model.states(run) if isinstance(model, LaneModel) else None
            for model, run in zip(levels.models, levels.runs(), strict=True)
        ]

    def between(self, first: int, to: int) -> list[tuple[Run, LevelArray]]:
        """Those from one value up to another, band after band."""
        found = []
        for band, fro, end, place in _runs(self._bands, first, to):
            states = self._states[band]
            state = 0 if states is None else int(states[place])
            found.append((Run(self._levels.models[band], place, end - fro, state), self._levels.numbers[fro:end]))
        return found

    def costs(self, first: int, to: int) -> Float64[np.ndarray, "some"]:
        """Bits of each value from `first` up to `to`."""
        each = [_cost(run, numbers.astype(np.int64, copy=False)) for run, numbers in self.between(first, to)]
        return each[0] if len(each) == 1 else np.concatenate(each)


def _cost(run: Run, levels: Int64[np.ndarray, "n"]) -> Float64[np.ndarray, "n"]:
    """Bits of each level of a run."""
    if isinstance(run.model, LaneModel):
        return run.model.cost(levels, run.place, run.state)
    return run.model.cost(levels)


def _told(run: Run) -> bytes:
    """The state of the trellis, where a packet begins within a lane of one."""
    return bytes([run.state]) if _tells(run) else b""


def _tells(run: Run) -> bool:
    return isinstance(run.model, LaneModel) and run.model.trellis is not None and run.place % LANE > 0


def read_packets(data: bytes, start: int, head: Head) -> Iterator[tuple[int, list[Integer[np.ndarray, "_"]]]]:
    """First value of each packet that arrived, in band order, and the levels of each band from there on.

    Args:
        data: received bytes.
        start: where the packets begin.
        head: read before.

    Raises:
        DecodeError: a packet with a sound checksum that contradicts the head.
    """
    limits = borders(head.bands, head.groups)
    slots = head.slots(start, len(data))
    reached = 0
    for (begin, end, group), place, sound in zip(slots, head.places(), _sound(data, slots), strict=False):
        if not sound:
            continue
        low, high = limits[group]
        at = begin
        first, at = (low, at) if place.leads else read_varint(data, at)
        count, at = (high - first, at) if place.ends else read_varint(data, at)
        if at > end - CHECKSUM or first < max(reached, low) or not 0 <= count <= high - first:
            raise DecodeError("a packet claims values that are not its own")
        reached = first + count
        runs = [Run(head.models[band], place, to - fro) for band, fro, to, place in _runs(head.bands, first, reached)]
        if runs and _tells(runs[0]):
            runs[0], at = _with_state(runs[0], data[at]), at + 1
        try:
            levels = decode_runs(data[at : max(at, end - CHECKSUM)], runs, head.adapts)
        except ValueError as error:
            raise DecodeError("a packet was not coded with the models of the container's head") from error
        yield first, levels


def _with_state(run: Run, state: int) -> Run:
    assert isinstance(run.model, LaneModel)
    assert run.model.trellis is not None
    if state >= run.model.trellis.states:
        raise DecodeError(f"a packet begins in state {state} of a trellis of {run.model.trellis.states}")
    return replace(run, state=state)


def _with_checksums(packets: list[bytes]) -> list[bytes]:
    if len(packets) < 2:
        return [packet + checksum(packet) for packet in packets]
    at_once = _AT_ONCE // len(packets[0]) + 1
    for first in range(0, len(packets) - 1, at_once):
        some = slice(first, min(first + at_once, len(packets) - 1))
        full = packets[some]
        sums = crc32c(np.frombuffer(b"".join(full), np.uint8).reshape(len(full), -1)).astype("<u4")
        # In their places: together they are as large as the container.
        packets[some] = [packet + stated.tobytes() for packet, stated in zip(full, sums, strict=True)]
    packets[-1] += checksum(packets[-1])
    return packets


def _runs(bands: Bands, first: int, to: int) -> list[tuple[int, int, int, int]]:
    """Band, first value, end, and place in the band of each stretch of one band between two values."""
    ends = np.cumsum(bands.sizes)
    runs = []
    band = int(np.searchsorted(ends, first, side="right"))
    while first < to:
        end = min(to, int(ends[band]))
        runs.append((band, first, end, first - int(ends[band]) + bands.sizes[band]))
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
        for some in np.split(rows, range(_AT_ONCE // length + 1, len(rows), _AT_ONCE // length + 1)):
            packets = np.stack([received[begin : begin + length] for begin in begins[some].tolist()])
            stated = packets[:, -CHECKSUM:].copy().view("<u4")[:, 0]
            sound[some] = crc32c(packets[:, :-CHECKSUM]) == stated
    return sound.tolist()
