"""The analog plan: mean and scale of every segment, and what it gets of the channel, as a few bytes."""

import math
import struct
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from airdeliver.links.analog.allocation import Allocation
from airdeliver.links.analog.stream import Stream, spans, stream
from airdeliver.links.analog.table import Row
from airdeliver.links.plan import Plan
from airdeliver.payload import Layout

LARGEST = 65504.0
"""The largest float16."""

SMALL = 2.0**-17
"""Scales below are no longer precise in float16, whose smallest numbers are 6e-8 apart: they are sent as a float16 and
a power of two, and so are scales above `LARGEST`."""

_LEAST_POWER, _MOST_POWER = -128, 127
"""The powers of two that a byte holds. Float16 takes what is beyond: mantissas down to 2^-21, and below 2."""

_LARGEST_MOMENT = 2.0**120
"""Of a mean or scale: values some hundred times as far away are still float32."""

_LARGE, _PIECE = 1 << 24, 1 << 18
"""Values from which on memory matters, and how many of them are then looked at at a time."""


@dataclass(frozen=True, eq=False)
class AnalogPlan(Plan):
    """Segments are sent as (value - mean) / scale, two real channel inputs a symbol.

    Args:
        mean: of each segment, exactly representable in float16 (in float32 where `scale` is 0 or beyond float16).
        scale: root mean square about `mean`, rounded up to float16 so that power never exceeds 1, and to eleven binary
            digits where it is below `SMALL` or above `LARGEST`; 0 marks a segment whose values are all `mean`: it
            travels in the side information alone.
        inputs: real channel inputs of a value by the published recipe.
        by_size: whether, by the published recipe, small segments are sent louder than large ones.
        allocation: what each segment gets of the channel; None for the published recipe.
        granted: symbols that the payload may fill; 0 for as many as it needs.
        prior: what the receiver is told of each segment's distribution, if it asks for it; one row is for all.
        sensitivity: loss per unit of noise variance on each segment; known to the sender alone.
        expected_noise: error variance per value that the sender expects on each segment; known to it alone.
    """

    mean: Float[Tensor, "segments"]
    scale: Float[Tensor, "segments"]
    inputs: int = 1
    by_size: bool = False
    allocation: Allocation | None = None
    granted: int = 0
    prior: UInt8[Tensor, "#segments numbers"] | None = None
    sensitivity: Float[Tensor, "segments"] | None = field(default=None, repr=False)
    expected_noise: Float[Tensor, "segments"] | None = field(default=None, repr=False)

    @classmethod
    def measure(
        cls,
        values: Float[Tensor, "n"],
        layout: Layout,
        side_information_rate: float,
        inputs: int = 1,
        by_size: bool = False,
    ) -> "AnalogPlan":
        """The plan of given values; a loop over segments, never over values.

        Raises:
            ValueError: a segment whose mean or scale is near the end of float32.
        """
        mean, scale = _moments(values.detach(), layout)
        return cls(layout, side_information_rate, mean, scale, inputs, by_size)

    def scaled(self, factor: Float[Tensor, "segments"]) -> "AnalogPlan":
        """The same with larger scales, rounded up."""
        scale = round_up(self.scale * factor)
        _check_float32(self.mean, scale, self.layout)
        return replace(self, scale=scale)

    def granting(self, symbols: int) -> "AnalogPlan":
        """The same with `symbols` to fill."""
        return replace(self, granted=symbols)

    @cached_property
    def sent(self) -> tuple[int, ...]:
        """Indices of the segments whose values travel as symbols."""
        return tuple(torch.nonzero(self.scale).flatten().tolist())

    @cached_property
    def travelling(self) -> tuple[int, ...]:
        """How many values of each segment travel as symbols: all or none."""
        chosen = set(self.sent)
        return tuple(size if i in chosen else 0 for i, size in enumerate(self.layout.sizes))

    @property
    def payload_values(self) -> int:
        """Real values that travel as symbols."""
        return sum(self.travelling)

    @cached_property
    def allocated(self) -> Allocation:
        """What each segment gets of the channel, before anything is left over."""
        return self.allocation or self.published.scattered(self.sent, len(self.layout.sizes), self.inputs)

    @property
    def published(self) -> Allocation:
        """What the segments that travel get by the published recipe; it needs no table."""
        sizes = [self.layout.sizes[i] for i in self.sent]
        uniform = Allocation.uniform(len(sizes), self.inputs)
        return Allocation.by_size(sizes, self.inputs) if self.by_size else uniform

    @property
    def uniform(self) -> bool:
        """Whether every value gets equally many channel inputs."""
        return len({inputs for _, _, inputs, _ in self.spans()}) < 2

    @property
    def payload_symbols(self) -> int:
        """Two real channel inputs a symbol, the last maybe padded with a zero; at least one, for a delivery to be."""
        return max(1, self.granted, (self.allocated.needed(self.travelling) + 1) // 2)

    def stream(self, device: torch.device) -> Stream:
        """How the values travel."""
        return stream(self.layout.sizes, self.sent, self.allocated, self._reals, device)

    def spans(self) -> list[tuple[int, int, int, float]]:
        """The same as stretches of values that are sent alike: see `airdeliver.links.analog.stream.spans`."""
        return spans(self.layout.sizes, self.sent, self.allocated, self._reals)

    @property
    def _reals(self) -> int:
        """Real channel inputs that are filled; 0 for what the allocation needs."""
        return 2 * self.payload_symbols if self.granted else 0

    def table(self) -> list[Row]:
        """What each segment gets, as data; `airdeliver.links.analog.table.render` writes it as text."""
        travels = self.travelling
        inputs, extra = self.allocated.filled(travels, self._reals)
        reals = [n * k + more for n, k, more in zip(travels, inputs, extra)]
        powers = self.allocated.powers(reals)
        count = len(travels)
        sensitivity = [None] * count if self.sensitivity is None else self.sensitivity.tolist()
        noise = [None] * count if self.expected_noise is None else self.expected_noise.tolist()
        return [
            Row(segment.name, segment.size, s, r / 2 / segment.size if r else 0.0, p if r else 0.0, v)
            for segment, s, r, p, v in zip(self.layout.segments, sensitivity, reals, powers, noise)
        ]

    def spread(self, like: Tensor) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
        """Mean and scale of every value, on the device of `like`; scale 1 where nothing is sent."""
        mean, scale = self._spread
        return mean.to(like.device), scale.to(like.device)

    @cached_property
    def _spread(self) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
        scale = torch.where(self.scale > 0, self.scale, 1.0)
        return _spread(self.mean, self.layout), _spread(scale, self.layout)

    @property
    def shares_prior(self) -> bool:
        """Whether one prior is for all segments."""
        return self.prior is not None and len(self.prior) == 1

    @cached_property
    def side_information_symbols(self) -> int:  # type: ignore[override]
        """Complex symbols that the side information takes at its robust rate."""
        return super().side_information_symbols

    def to_bytes(self) -> bytes:
        """Per segment scale and mean in float16; where the scale is 0, the scale and the value in float32.

        A scale that is too small or too large for that is minus its mantissa, its power of two in a byte, and the mean
        in float32. A segment of one value has no scale: it is four bytes. The numbers of the prior, where a receiver
        asks for them, follow, then the table of the allocation, if segments are not all treated alike.
        """
        parts = []
        for size, scale, mean in zip(self.layout.sizes, self.scale.tolist(), self.mean.tolist(), strict=True):
            parts.append(_pack_moments(size, scale, mean))
        if self.prior is not None:
            rows = self.prior if self.shares_prior else self.prior[list(self.sent)]
            parts.append(rows[: len(self.sent)].cpu().numpy().tobytes())
        table = self.allocated.selected(self.sent)
        told = self.sent and table != self.published
        return b"".join(parts) + (table.to_bytes() if told else b"")

    @classmethod
    def from_bytes(
        cls,
        side_information: bytes,
        layout: Layout,
        side_information_rate: float,
        inputs: int = 1,
        numbers: int = 0,
        shared: bool = False,
        by_size: bool = False,
    ) -> "AnalogPlan":
        """The inverse of `to_bytes`.

        Args:
            side_information: the bytes.
            layout: published recipe.
            side_information_rate: published recipe.
            inputs: real channel inputs of a value by the published recipe.
            numbers: bytes of a prior.
            shared: whether there is one prior for all segments.
            by_size: published recipe.

        Raises:
            ValueError: bytes of the wrong length for this layout, or values that are not finite.
        """
        means, scales, at = _parse_moments(side_information, layout)
        sent = [i for i, scale in enumerate(scales) if scale]
        rows = sent[:1] if shared else sent
        prior, end = None, at + numbers * len(rows)
        if end > len(side_information):
            raise _malformed(side_information, layout)
        if numbers:
            prior = torch.zeros(1 if shared else len(scales), numbers, dtype=torch.uint8)
            told = np.frombuffer(side_information[at:end], dtype=np.uint8).reshape(len(rows), numbers)
            prior[[0] if shared and rows else rows] = torch.from_numpy(told.copy())
        allocation = None
        if end < len(side_information):
            table = Allocation.from_bytes(side_information[end:], len(sent))
            allocation = table.scattered(sent, len(scales), inputs)
        mean, scale = torch.tensor(means), torch.tensor(scales)
        return cls(layout, side_information_rate, mean, scale, inputs, by_size, allocation, prior=prior)


def round_up(scale: Float[Tensor, "segments"]) -> Float[Tensor, "segments"]:
    """The smallest float16 that is not below, times a power of two for scales that float16 does not hold; 0 stays 0.

    >>> float(round_up(torch.tensor([1e-9]))[0] / 1e-9) < 1.001
    True
    """
    beyond = (scale > 0) & ((scale < SMALL) | (scale > LARGEST))
    if not bool(beyond.any()):
        return _half_above(scale)
    # In float64: float32 holds neither 2^128 nor, precisely, the smallest scales.
    power = torch.frexp(scale.double()).exponent.clamp(_LEAST_POWER, _MOST_POWER).double()
    mantissa = _half_above(scale.double() / torch.exp2(power)).double()
    return torch.where(beyond, (mantissa * torch.exp2(power)).float(), _half_above(scale))


def _half_above(number: Tensor) -> Tensor:
    half = number.half()
    return torch.where(half.to(number.dtype) < number, torch.nextafter(half, half.new_tensor(torch.inf)), half).float()


def _moments(values: Float[Tensor, "n"], layout: Layout) -> tuple[Float[Tensor, "segments"], Float[Tensor, "segments"]]:
    """Mean and scale of each segment; scale 0 and the value itself where all values are equal."""
    if not layout.segments:
        return torch.zeros(0), torch.zeros(0)
    if layout.size < _LARGE:
        values = values.float()
        segments = layout.split(values)
        constant, first = _constant(segments)
        exact = torch.where(constant, first, torch.stack([s.mean() for s in segments]))
        mean = exact.half().float()
        deviation = values - _spread(mean, layout)
        square = torch.stack([s.mean() for s in layout.split(deviation.square_())])
    else:
        segments = layout.split(values)
        constant, exact, mean, square = (torch.stack(column) for column in zip(*map(_read_once, segments)))
    exact, mean, square = exact.clone(), mean.clone(), square.sqrt()
    # Not a number is neither: a sum overflowed.
    usual = (square >= SMALL) & (square <= LARGEST) & (mean.abs() <= LARGEST)
    for i in torch.nonzero(~constant & ~usual).flatten().tolist():
        exact[i], square[i] = _precise_moments(segments[i])
        mean[i] = exact[i]
    scale = torch.where(constant, 0.0, round_up(square))
    _check_float32(mean, scale, layout)
    return torch.where(constant, exact, mean), scale


def _precise_moments(segment: Float[Tensor, "n"]) -> tuple[Tensor, Tensor]:
    """Mean and root mean square about it of values whose squares float32 may not hold."""
    parts, n = segment.split(_PIECE), segment.numel()
    mean = (torch.stack([part.double().sum() for part in parts]).sum() / n).float()
    square = torch.stack([(part.double() - mean).square().sum() for part in parts]).sum() / n
    # Rounded up, so that the scale is not below what it stands for.
    root = square.sqrt()
    scale = root.float()
    return mean, scale if bool(scale >= root) else torch.nextafter(scale, mean.new_tensor(torch.inf))


def _read_once(segment: Float[Tensor, "n"]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The same for one segment of a large payload, piece by piece, so that memory is read once and little is taken.

    Returns:
        Whether all values are equal, their mean (the value itself then), the mean in float16, and the mean square about
        that.
    """
    if not segment.numel():
        zero = segment.new_zeros((), dtype=torch.float32)
        return zero == zero, zero, zero, zero
    parts = segment.split(_PIECE)
    # About a value that is close to the mean, so that what follows subtracts no large numbers.
    centre = parts[0].float().mean()
    # One piece of memory for all: fresh pages would cost more than the arithmetic.
    room = torch.empty_like(parts[0], dtype=torch.float32)
    ends, sums, squares = zip(*(_statistics(part, centre, room[: len(part)]) for part in parts))
    least, most = torch.stack([end for pair in ends for end in pair]).aminmax()
    n = segment.numel()
    off, square = torch.stack(sums).sum() / n, torch.stack(squares).sum() / n
    constant, mean = least == most, (centre + off).float()
    exact = torch.where(constant, least, mean)
    about = exact.half().float()
    shift = about.double() - centre
    return constant, exact, about, (square - 2 * shift * off + shift.square()).clamp(min=0).float()


def _statistics(
    part: Float[Tensor, "n"], centre: Float[Tensor, ""], room: Float[Tensor, "n"]
) -> tuple[tuple[Tensor, Tensor], Tensor, Tensor]:
    """Least and largest value, sum and sum of squares about a centre; `room` is written to."""
    ends = part.aminmax()
    off = torch.sub(part, centre, out=room) if part.dtype == room.dtype else room.copy_(part).sub_(centre)
    return (ends.min.float(), ends.max.float()), off.sum().double(), torch.linalg.vector_norm(off).double().square()


def _spread(each: Float[Tensor, "segments"], layout: Layout) -> Float[Tensor, "n"]:
    """One number a segment, for all its values."""
    if not layout.sizes:
        return each.new_zeros(0)
    if len(layout.sizes) == 1:
        return each.expand(layout.sizes[0])
    return torch.cat([number.expand(size) for number, size in zip(each.unbind(), layout.sizes)])


def _constant(segments: list[Tensor]) -> tuple[Bool[Tensor, "segments"], Float[Tensor, "segments"]]:
    """Whether all values of a segment are equal, and its first value (0 for an empty one)."""
    ends = [s.aminmax() if s.numel() else (s.sum(), s.sum()) for s in segments]
    least, most = (torch.stack(side) for side in zip(*ends))
    return least == most, least


def _check_float32(mean: Tensor, scale: Tensor, layout: Layout) -> None:
    largest = torch.maximum(mean.abs(), scale)
    if not bool((largest <= _LARGEST_MOMENT).all()):
        name = layout.names[int(largest.nan_to_num(nan=torch.inf).argmax())]
        raise ValueError(
            f"{name} has mean or scale above {_LARGEST_MOMENT:.1g}, too near to the end of float32 for noise on it: "
            "divide it by a power of two"
        )


def _pack_moments(size: int, scale: float, mean: float) -> bytes:
    """Scale and mean of one segment: see `AnalogPlan.to_bytes`."""
    if size == 1:
        return struct.pack("<e" if scale else "<f", mean)
    if not scale:
        return struct.pack("<ef", 0.0, mean)
    if SMALL <= scale <= LARGEST and abs(mean) <= LARGEST and float(np.float16(mean)) == mean:
        return struct.pack("<ee", scale, mean)
    power = min(max(math.frexp(scale)[1], _LEAST_POWER), _MOST_POWER)
    return struct.pack("<ebf", -math.ldexp(scale, -power), power, mean)


def _parse_moments(side_information: bytes, layout: Layout) -> tuple[list[float], list[float], int]:
    """Means, scales, and where in the side information they end."""
    means, scales, at = [], [], 0
    try:
        for size in layout.sizes:
            scale, form = 0.0, "<f"
            if size != 1:
                (scale,) = struct.unpack_from("<e", side_information, at)
                at += 2
                form = "<e" if scale > 0 else "<f"
            if -2 <= scale < 0:
                (power,) = struct.unpack_from("<b", side_information, at)
                scale, at = math.ldexp(-scale, power), at + 1
            means.append(struct.unpack_from(form, side_information, at)[0])
            scales.append(scale)
            at += struct.calcsize(form)
    except struct.error:
        raise _malformed(side_information, layout) from None
    if not np.isfinite(means + scales).all() or min(scales, default=0.0) < 0:
        raise _malformed(side_information, layout)
    return means, scales, at


def _malformed(side_information: bytes, layout: Layout) -> ValueError:
    return ValueError(
        f"malformed side information: {len(side_information)} bytes are no means and scales of "
        f"{len(layout.sizes)} segments: was it made for another architecture or normalisation?"
    )
