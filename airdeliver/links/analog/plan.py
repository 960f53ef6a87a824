"""The analog plan: mean and scale of every segment, as side information of a few bytes."""

import struct
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from airdeliver.links.plan import Plan
from airdeliver.payload import Layout

_LARGEST = 65504.0
"""The largest float16."""


@dataclass(frozen=True)
class AnalogPlan(Plan):
    """Segments are sent as (value - mean) / scale, two real values a symbol.

    Args:
        mean: of each segment, exactly representable in float16 (in float32 where `scale` is 0).
        scale: root mean square about `mean`, rounded up to float16 so that power never exceeds 1; 0 marks a segment
            whose values are all `mean`: it travels in the side information alone.
    """

    mean: Float[Tensor, "segments"]
    scale: Float[Tensor, "segments"]

    @classmethod
    def measure(cls, values: Float[Tensor, "n"], layout: Layout, side_information_rate: float) -> "AnalogPlan":
        """The plan of given values; a loop over segments, never over values.

        Raises:
            ValueError: a segment whose mean or scale is beyond float16.
        """
        mean, variance, constant = _moments(layout.split(values.detach().float()))
        rounded = mean.half().float()
        scale = _round_up((variance + (mean - rounded).square()).sqrt())
        if not bool(((scale <= _LARGEST) & (rounded.abs() <= _LARGEST)).all()):
            name = layout.names[int(torch.maximum(scale, rounded.abs()).argmax())]
            raise ValueError(f"{name} has mean or scale above {_LARGEST:.0f}, more than float16 side information holds")
        scale = torch.where(constant, 0.0, scale)
        return cls(layout, side_information_rate, torch.where(constant, mean, rounded), scale)

    @property
    def sent(self) -> list[int]:
        """Indices of the segments whose values travel as symbols."""
        return torch.nonzero(self.scale).flatten().tolist()

    @property
    def payload_values(self) -> int:
        """Real values that travel as symbols."""
        return sum(self.layout.sizes[i] for i in self.sent)

    @property
    def payload_symbols(self) -> int:
        """Two real values a symbol, the last padded with a zero; at least one symbol, so that there is a delivery."""
        return max(1, (self.payload_values + 1) // 2)

    def spread(self, like: Tensor) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
        """Mean and scale of every value, on the device of `like`; scale 1 where nothing is sent."""
        sizes = torch.tensor(self.layout.sizes)
        scale = torch.where(self.scale > 0, self.scale, 1.0)
        pair = torch.stack([self.mean, scale]).repeat_interleave(sizes, dim=1)
        return pair[0].to(like.device), pair[1].to(like.device)

    def gather(self, values: Float[Tensor, "n"]) -> Float[Tensor, "values"]:
        """Those values that travel as symbols."""
        if len(self.sent) == len(self.layout.sizes):
            return values
        segments = self.layout.split(values)
        return torch.cat([segments[i] for i in self.sent] or [values[:0]])

    def scatter(self, sent: Float[Tensor, "realizations values"]) -> Float[Tensor, "realizations n"]:
        """The inverse of `gather`, with 0 for what did not travel."""
        if len(self.sent) == len(self.layout.sizes):
            return sent
        values = sent.new_zeros(len(sent), self.layout.size)
        pieces = sent.split([self.layout.sizes[i] for i in self.sent], dim=-1)
        for segment, piece in zip([self.layout.split(values)[i] for i in self.sent], pieces):
            segment.copy_(piece)
        return values

    def to_bytes(self) -> bytes:
        """Per segment scale and mean in float16; where the scale is 0, the scale and the value in float32.

        A segment of one value has no scale: it is four bytes.
        """
        parts = []
        for size, scale, mean in zip(self.layout.sizes, self.scale.tolist(), self.mean.tolist(), strict=True):
            if size != 1:
                parts.append(struct.pack("<e", scale))
            parts.append(struct.pack("<e" if scale else "<f", mean))
        return b"".join(parts)

    @classmethod
    def from_bytes(cls, side_information: bytes, layout: Layout, side_information_rate: float) -> "AnalogPlan":
        """The inverse of `to_bytes`.

        Raises:
            ValueError: bytes of the wrong length for this layout, or values that are not finite.
        """
        means, scales, at = [], [], 0
        try:
            for size in layout.sizes:
                scale = 0.0
                if size != 1:
                    (scale,) = struct.unpack_from("<e", side_information, at)
                    at += 2
                form = "<e" if scale else "<f"
                means.append(struct.unpack_from(form, side_information, at)[0])
                scales.append(scale)
                at += struct.calcsize(form)
        except struct.error:
            at = -1
        if at != len(side_information) or not np.isfinite(means + scales).all() or min(scales, default=0.0) < 0:
            raise ValueError(
                f"malformed side information: {len(side_information)} bytes are no means and scales of "
                f"{len(layout.sizes)} segments: was it made for another architecture or normalisation?"
            )
        return cls(layout, side_information_rate, torch.tensor(means), torch.tensor(scales))


def _moments(
    segments: list[Tensor],
) -> tuple[Float[Tensor, "segments"], Float[Tensor, "segments"], Bool[Tensor, "segments"]]:
    """Mean and variance of each segment, and whether all its values are equal (the mean is then that value)."""
    if not segments:
        return torch.zeros(0), torch.zeros(0), torch.zeros(0, dtype=torch.bool)
    constant = torch.stack([(s == s[:1]).all() for s in segments])
    variance, mean = (torch.stack(m) for m in zip(*[torch.var_mean(s, correction=0) for s in segments]))
    return torch.where(constant, torch.stack([s[:1].sum() for s in segments]), mean), variance, constant


def _round_up(scale: Float[Tensor, "segments"]) -> Float[Tensor, "segments"]:
    """The smallest float16 that is not below; 0 stays 0."""
    half = scale.half()
    return torch.where(half.float() < scale, torch.nextafter(half, half.new_tensor(torch.inf)), half).float()
