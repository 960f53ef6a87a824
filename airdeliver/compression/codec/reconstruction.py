"""What the levels of a band stand for: multiples of a step, odd multiples of half a step, or entries of a codebook."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float32, Int64

from airdeliver.compression.codec.bitstream import BitReader, BitWriter

STEPS = 4096
"""Number of steps on the grid: step k is 2^((k - 2048) / 16), from 2^-128 to just below 2^128."""

_FRACTIONS = np.array([2.0 ** (k / 16) for k in range(16)], dtype=np.float32)


class Reconstruction(ABC):
    """What the levels of one band stand for; the same value, bit for bit, at sender and receiver.

    Attributes:
        kind: how a container tells the kinds apart.
        paired: whether the levels lie in pairs about the border between -1 and 0.
    """

    kind: ClassVar[int]
    paired: ClassVar[bool] = False

    @abstractmethod
    def values(self, levels: Int64[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:
        """The values of these levels; infinite beyond the range of binary32.

        Raises:
            ValueError: a level that stands for nothing.
        """

    def stretch(self, levels: Int64[np.ndarray, "n"], first: int, size: int) -> Float32[np.ndarray, "n"]:
        """The values of a part of a band's levels, for kinds to which their place in the band matters.

        Args:
            levels: consecutive ones.
            first: place of the first of them in its band.
            size: of the band.

        Raises:
            ValueError: a level that stands for nothing.
        """
        return self.values(levels)

    @abstractmethod
    def lost(self, centre: int) -> float:
        """What a lost value becomes where the sender has signalled a centre."""

    @abstractmethod
    def write(self, writer: BitWriter) -> None:
        """Its parameters as a container's head holds them."""

    @classmethod
    @abstractmethod
    def read(cls, reader: BitReader) -> "Reconstruction":
        """The inverse of `write`.

        Raises:
            ValueError: parameters that cannot be.
        """


@dataclass(frozen=True)
class OnGrid(Reconstruction):
    """Mid-tread: a level times one of 4096 steps, sixteen an octave.

    Args:
        index: of the step, 2^((index - 2048) / 16).

    Raises:
        ValueError: an index out of range.

    >>> OnGrid(2048 + 16).values(np.array([-1, 0, 3])).tolist()
    [-2.0, 0.0, 6.0]
    """

    index: int
    kind = 0

    def __post_init__(self) -> None:
        step_size(self.index)

    def values(self, levels: Int64[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:  # noqa: D102
        with np.errstate(over="ignore"):
            return (levels * step_size(self.index)).astype(np.float32)

    def lost(self, centre: int) -> float:  # noqa: D102
        return float(self.values(np.array([centre]))[0])

    def write(self, writer: BitWriter) -> None:  # noqa: D102
        writer.write(self.index, 12)

    @classmethod
    def read(cls, reader: BitReader) -> "OnGrid":  # noqa: D102
        return cls(reader.read(12))


@dataclass(frozen=True)
class OnTrellis(OnGrid):
    """A level times a step of the grid, of which each value may take half, by those before it: see `Trellis`."""

    kind = 7


@dataclass(frozen=True)
class MidTread(Reconstruction):
    """A level times a step, which may have been learned.

    Args:
        step: above 0, a number that bfloat16 holds: see `bfloat16`.

    Raises:
        ValueError: a step that bfloat16 does not hold, or that is not above 0.

    >>> MidTread(0.75).values(np.array([-1, 0, 2])).tolist()
    [-0.75, 0.0, 1.5]
    """

    step: float
    kind = 1

    def __post_init__(self) -> None:
        if not self.step > 0 or bfloat16(self.step) != self.step:
            raise ValueError(f"a step must be above 0 and a number that bfloat16 holds, got {self.step}")

    def values(self, levels: Int64[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:  # noqa: D102
        with np.errstate(over="ignore"):
            return (levels * self.step).astype(np.float32)

    def lost(self, centre: int) -> float:  # noqa: D102
        return float(MidTread.values(self, np.array([centre]))[0])

    def write(self, writer: BitWriter) -> None:  # noqa: D102
        writer.write(_bits(self.step), 16)

    @classmethod
    def read(cls, reader: BitReader) -> "MidTread":  # noqa: D102
        return cls(_number(reader.read(16)))


@dataclass(frozen=True)
class MidRise(MidTread):
    """A level and a half times a step: no value is 0, and levels 0 and -1 are plus and minus half a step.

    What is lost becomes the border below its centre, 0 for a centre of 0.

    >>> MidRise(2.0).values(np.array([-2, -1, 0, 1])).tolist()
    [-3.0, -1.0, 1.0, 3.0]
    """

    kind = 2
    paired = True

    def values(self, levels: Int64[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:  # noqa: D102
        with np.errstate(over="ignore"):
            return ((levels + 0.5) * self.step).astype(np.float32)


@dataclass(frozen=True)
class Codebook(Reconstruction):
    """Values by their number.

    Args:
        entries: at least one, in rising order, numbers that bfloat16 holds.

    Raises:
        ValueError: no entries, entries that do not rise or that bfloat16 does not hold.

    >>> Codebook((-0.5, 0.0, 1.0)).values(np.array([2, 0])).tolist()
    [1.0, -0.5]
    """

    entries: tuple[float, ...]
    kind = 3

    def __post_init__(self) -> None:
        rising = all(low < high for low, high in zip(self.entries, self.entries[1:], strict=False))
        if not self.entries or not rising or any(bfloat16(entry) != entry for entry in self.entries):
            raise ValueError("a codebook must hold rising numbers of bfloat16, at least one")

    def values(self, levels: Int64[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:  # noqa: D102
        if len(levels) and not 0 <= int(levels.min()) <= int(levels.max()) < len(self.entries):
            raise ValueError(f"levels of a codebook must be 0 to {len(self.entries) - 1}")
        return np.array(self.entries, dtype=np.float32)[levels]

    def lost(self, centre: int) -> float:  # noqa: D102
        return float(self.values(np.array([centre]))[0])

    def write(self, writer: BitWriter) -> None:  # noqa: D102
        writer.write_gamma(len(self.entries) - 1)
        for entry in self.entries:
            writer.write(_bits(entry), 16)

    @classmethod
    def read(cls, reader: BitReader) -> "Codebook":  # noqa: D102
        # A list, which ends with the bits: a number of entries that cannot be takes no memory.
        entries = []
        for _ in range(reader.read_gamma() + 1):
            entries.append(_number(reader.read(16)))
        return cls(tuple(entries))


@dataclass(frozen=True)
class PerChannel(Reconstruction):
    """Mid-tread with a step of its own for each of the equal parts that a band consists of: its channels.

    What is lost becomes 0.

    Args:
        steps: of each part in turn, at least one, above 0, numbers that bfloat16 holds.

    Raises:
        ValueError: no steps, or one that cannot be.

    >>> PerChannel((1.0, 0.5)).values(np.array([1, 2, 1, 2])).tolist()
    [1.0, 2.0, 0.5, 1.0]
    """

    steps: tuple[float, ...]
    kind = 4
    middle: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        if not self.steps or any(not step > 0 or bfloat16(step) != step for step in self.steps):
            raise ValueError("steps must be above 0 and numbers that bfloat16 holds, at least one")

    def values(self, levels: Int64[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:  # noqa: D102
        return self.stretch(levels, 0, len(levels))

    def stretch(self, levels: Int64[np.ndarray, "n"], first: int, size: int) -> Float32[np.ndarray, "n"]:  # noqa: D102
        if size % len(self.steps):
            raise ValueError(f"{size} levels are no {len(self.steps)} equal parts")
        part = np.arange(first, first + len(levels)) // max(1, size // len(self.steps))
        with np.errstate(over="ignore"):
            return ((levels + self.middle) * np.array(self.steps)[part]).astype(np.float32)

    def lost(self, centre: int) -> float:
        """0: the parts have no value in common but that."""
        return 0.0

    def write(self, writer: BitWriter) -> None:  # noqa: D102
        writer.write_gamma(len(self.steps) - 1)
        for step in self.steps:
            writer.write(_bits(step), 16)

    @classmethod
    def read(cls, reader: BitReader) -> "PerChannel":  # noqa: D102
        steps = []
        for _ in range(reader.read_gamma() + 1):
            steps.append(_number(reader.read(16)))
        return cls(tuple(steps))


@dataclass(frozen=True)
class MidRisePerChannel(PerChannel):
    """Mid-rise with a step of its own for each of the equal parts that a band consists of.

    >>> MidRisePerChannel((2.0, 1.0)).values(np.array([0, -1])).tolist()
    [1.0, -0.5]
    """

    kind = 5
    paired = True
    middle: ClassVar[float] = 0.5


@dataclass(frozen=True)
class DeadZone(MidTread):
    """0 for level 0, else half a step further out than a level times the step: cells of one step, and one of two.

    >>> DeadZone(2.0).values(np.array([-2, -1, 0, 1])).tolist()
    [-5.0, -3.0, 0.0, 3.0]
    """

    kind = 6

    def values(self, levels: Int64[np.ndarray, "n"]) -> Float32[np.ndarray, "n"]:  # noqa: D102
        with np.errstate(over="ignore"):
            return ((levels + 0.5 * np.sign(levels)) * self.step).astype(np.float32)

    def lost(self, centre: int) -> float:  # noqa: D102
        return float(self.values(np.array([centre]))[0])


KINDS: tuple[type[Reconstruction], ...] = (
    OnGrid,
    MidTread,
    MidRise,
    Codebook,
    PerChannel,
    MidRisePerChannel,
    DeadZone,
    OnTrellis,
)
"""By the number that a container knows them by."""


def step_size(index: int) -> float:
    """The step of an index, 2^((index - 2048) / 16), exactly the same float32 on every platform.

    Raises:
        ValueError: an index out of range.

    >>> step_size(2048), step_size(2064)
    (1.0, 2.0)
    """
    if not 0 <= index < STEPS:
        raise ValueError(f"a step has an index of 0 to {STEPS - 1}, got {index}")
    return math.ldexp(float(_FRACTIONS[index % 16]), index // 16 - 128)


def bfloat16(value: float) -> float:
    """The nearest number that bfloat16 holds, ties to even: binary32 with 8 significant bits.

    >>> bfloat16(1.0), bfloat16(0.3)
    (1.0, 0.30078125)
    """
    return _number(_bits(value))


def _bits(value: float) -> int:
    with np.errstate(over="ignore"):
        word = int(np.float32(value).view(np.uint32))
    return (word + 0x7FFF + (word >> 16 & 1)) >> 16 & 0xFFFF


def _number(bits: int) -> float:
    value = float(np.uint32(bits << 16).view(np.float32))
    if not math.isfinite(value):
        raise ValueError("a number is beyond the range of bfloat16")
    return value
