"""What each segment gets of the channel: how many channel inputs a value, and how much power."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

POWER_STEP_DB = 1.5
"""Powers are told to the receiver in steps of this many dB: half a step off raises the least error by under 1 %."""

POWER_LEVELS = 15
"""Steps that half a byte can tell, beside no power at all."""

MOST_INPUTS = 255
"""Most channel inputs of a value that a table can tell."""

EVENLY = -1
"""All segments share the inputs that are left over, each in proportion to its size."""


@dataclass(frozen=True)
class Allocation:
    """How many channel inputs the values of each segment get, and at which power.

    Inputs that the delivery has beyond these go to the first values of the segment `rest`, one more for each; how many
    they are the receiver sees from how many symbols arrive.

    Args:
        inputs: real channel inputs of every value of a segment.
        rest: the segment whose first values get what is left over; `EVENLY` for all segments alike.
        power: level of each segment, in steps of 1.5 dB relative to each other, 0 for no power at all; empty for equal
            power.
    """

    inputs: tuple[int, ...]
    rest: int = EVENLY
    power: tuple[int, ...] = ()

    @classmethod
    def uniform(cls, segments: int, inputs: int) -> "Allocation":
        """The same for all segments."""
        return cls((inputs,) * segments)

    @classmethod
    def by_size(cls, sizes: Sequence[int], inputs: int) -> "Allocation":
        r"""Equally many inputs, and power in proportion to $1 / \sqrt n$ for a segment of n values.

        It minimises $\sum_i 1 / p_i$ subject to $\sum_i n_i p_i = N$: noise relative to a segment's variance counts the
        same on every segment, since it is relative to what the layer computes, and small segments are cheap to send
        loudly.

        >>> Allocation.by_size([36_864, 432, 16], 1).power
        (4, 10, 15)
        """
        least = min(sizes, default=1)
        steps = [round(5 * np.log10(n / least) / POWER_STEP_DB) for n in sizes]
        return cls((inputs,) * len(sizes), power=tuple(max(1, POWER_LEVELS - step) for step in steps))

    def needed(self, sizes: Sequence[int]) -> int:
        """Real channel inputs without anything left over, for segments of these sizes."""
        return sum(n * k for n, k in zip(sizes, self.inputs, strict=True))

    def filled(self, sizes: Sequence[int], reals: int) -> tuple[list[int], list[int]]:
        """Channel inputs of every value of each segment, and how many of its first values get one more.

        Args:
            sizes: values of each segment that travel; 0 for segments that do not.
            reals: real channel inputs of the delivery.

        >>> Allocation((1, 1)).filled([6, 3], 12), Allocation((1, 1), rest=1).filled([6, 3], 12)
        (([1, 1], [2, 1]), ([1, 2], [0, 0]))
        """
        left, total = reals - self.needed(sizes), sum(sizes)
        inputs, extra = list(self.inputs), [0] * len(sizes)
        if left <= 0 or total == 0:
            return inputs, extra
        if self.rest != EVENLY and sizes[self.rest]:
            inputs[self.rest] += left // sizes[self.rest]
            extra[self.rest] = left % sizes[self.rest]
            return inputs, extra
        inputs = [k + left // total for k in inputs]
        left %= total
        extra = [n * left // total for n in sizes]
        behind = left - sum(extra)
        for i, n in enumerate(sizes):
            if behind and extra[i] < n:
                extra[i], behind = extra[i] + 1, behind - 1
        return inputs, extra

    def powers(self, reals: Sequence[int]) -> list[float]:
        """Mean square of the channel inputs of each segment, such that it is 1 over all of them.

        Args:
            reals: channel inputs of each segment.
        """
        if not self.power:
            return [1.0] * len(reals)
        relative = [10 ** (POWER_STEP_DB / 10 * level) if level else 0.0 for level in self.power]
        total = sum(n * p for n, p in zip(reals, relative, strict=True))
        return [p * sum(reals) / total if total else 1.0 for p in relative]

    def selected(self, segments: Sequence[int]) -> "Allocation":
        """The allocation of some segments alone."""
        rest = segments.index(self.rest) if self.rest in segments else EVENLY
        power = tuple(self.power[i] for i in segments) if self.power else ()
        return Allocation(tuple(self.inputs[i] for i in segments), rest, power)

    def scattered(self, segments: Sequence[int], count: int, inputs: int) -> "Allocation":
        """The inverse of `selected`: of `count` segments, the others with the published number of inputs."""
        every, power = [inputs] * count, [1] * count
        for j, i in enumerate(segments):
            every[i] = self.inputs[j]
            if self.power:
                power[i] = self.power[j]
        rest = EVENLY if self.rest == EVENLY else segments[self.rest]
        return Allocation(tuple(every), rest, tuple(power) if self.power else ())

    def to_bytes(self) -> bytes:
        """A header, the least number of inputs, what each segment has beyond it, the segment `rest`, and powers.

        The header holds the bits of each segment's excess, whether one segment gets the rest and whether powers
        follow; two powers fit in a byte.

        >>> len(Allocation((1, 2) * 15, rest=3).to_bytes())
        8
        """
        least = min(self.inputs, default=1)
        excess = [k - least for k in self.inputs]
        bits = max(excess, default=0).bit_length()
        one = self.rest != EVENLY
        rest = self.rest.to_bytes(2, "little") if one else b""
        header = bytes([bits | one << 4 | bool(self.power) << 5, least])
        return header + _pack(excess, bits) + rest + (_pack(self.power, 4) if self.power else b"")

    @classmethod
    def from_bytes(cls, side_information: bytes, segments: int) -> "Allocation":
        """The inverse of `to_bytes`, for a table that is not empty.

        Raises:
            ValueError: bytes of the wrong length, or values out of range.
        """
        malformed = ValueError(f"malformed side information: its end is no allocation of {segments} segments")
        if len(side_information) < 2 or side_information[1] < 1:
            raise malformed
        header, least = side_information[:2]
        bits, one, powered = header & 15, header >> 4 & 1, header >> 5 & 1
        ends = np.cumsum([2, _packed(segments, bits), 2 * one, _packed(segments, 4) * powered]).tolist()
        if bits > 8 or header >> 6 or len(side_information) != ends[-1]:
            raise malformed
        excess = _unpack(side_information[ends[0] : ends[1]], bits, segments)
        rest = int.from_bytes(side_information[ends[1] : ends[2]], "little") if one else EVENLY
        power = _unpack(side_information[ends[2] :], 4, segments) if powered else []
        if rest >= segments:
            raise malformed
        return cls(tuple(least + k for k in excess), rest, tuple(power))


def _packed(count: int, bits: int) -> int:
    return (count * bits + 7) // 8


def _pack(numbers: Sequence[int], bits: int) -> bytes:
    """Numbers of `bits` bits each, the highest bit first, padded with zeros to whole bytes."""
    planes = np.asarray(numbers, dtype=np.int64)[:, None] >> np.arange(bits - 1, -1, -1) & 1
    return np.packbits(planes.astype(np.uint8).reshape(-1)).tobytes()


def _unpack(packed: bytes, bits: int, count: int) -> list[int]:
    planes = np.unpackbits(np.frombuffer(packed, dtype=np.uint8))[: count * bits].reshape(count, bits)
    return (planes.astype(np.int64) @ (1 << np.arange(bits - 1, -1, -1))).tolist()
