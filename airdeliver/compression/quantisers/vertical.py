"""Vertical layers: one set of integers, of which any number of leading bit planes is a coarser quantisation."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.compression.codec.reconstruction import DeadZone, MidRise, Reconstruction
from airdeliver.compression.quantisers.octaves import moments_of
from airdeliver.compression.quantisers.per_band import PerBand, Rows, held

REACH, DEAD_REACH = 2.5, 3.0
"""Standard deviations that the range has on either side of the mean, without a dead zone and with one."""


@dataclass(frozen=True)
class Vertical(PerBand):
    r"""The b leading of B bit planes of each weight: $q_b = \lfloor q_B / 2^{B-b} \rfloor$.

    Recentred, $\hat w_b = s_b\,(q_b + 1/2 - 2^{b-1})$ with $s_b = 2^{B-b} s_B$: mid-rise at every precision, one plane
    is the sign. The floor, and not rounding, is what makes $q_{b+1} = 2 q_b + d$ exactly. With a dead zone, planes are
    those of the magnitude, of which there are B - 1, with the sign apart: few weights are other than 0 at low
    precision, which costs few bits. The range is $\pm(|\mu| + 2.5 \sigma)$ of a layer, 3 with a dead zone; straight
    through within it.

    Args:
        bits: B.
        planes: b, that the weights are computed with; None for all.
        dead_zone: whether what is below a step is 0.

    Raises:
        ValueError: bits or planes out of range, or scales per channel.

    Source: vertical-layered representation, arXiv 2212.05326, here with floor in place of its rounding; embedded dead
    zone as in bit-plane coding of images.

    >>> from airdeliver.compression.quantisers import State
    >>> from airdeliver.payload import Layout, Segment
    >>> layout, values = Layout((Segment("weight", (512, 2)),)), torch.linspace(-1, 1, 1024)
    >>> [len(Vertical(planes=b).quantise(values, layout, State()).unique()) for b in (1, 2, 3)]
    [2, 4, 6]
    """

    bits: int = 8
    planes: int | None = None
    dead_zone: bool = False

    least: ClassVar[int] = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.planes is not None and not 1 <= self.planes <= self.most:
            raise ValueError(f"planes must be 1 to {self.most}, got {self.planes}")
        if self.per_channel:
            raise ValueError("vertical layers have one range a layer: give per_channel=False")

    @property
    def most(self) -> int:
        """Planes that there are."""
        return self.bits - self.dead_zone

    @property
    def dropped(self) -> int:
        """Planes that the weights are computed without."""
        return 0 if self.planes is None else self.most - self.planes

    def begin(self, rows: Rows) -> tuple[Float[Tensor, "rows"], ...]:  # noqa: D102
        return ()

    def soft(self, rows: Rows, *learned: Float[Tensor, "rows 1"]) -> Rows:  # noqa: D102
        reach = self._step(rows) * 2 ** (self.bits - 1)
        return torch.where(rows.abs() <= reach, rows, rows.detach())

    def numbers(  # noqa: D102
        self, rows: Rows, *learned: Float[Tensor, "rows 1"]
    ) -> tuple[Int64[Tensor, "rows n"], Reconstruction]:
        step, half = self._step(rows), 2 ** (self.bits - 1)
        coarse = float(step) * 2**self.dropped
        if not self.dead_zone:
            finest = (rows / step).floor().clamp(-half, half - 1).long()
            return finest >> self.dropped, MidRise(coarse)
        magnitude = (rows.abs() / step).floor().clamp(max=half - 1).long() >> self.dropped
        return torch.where(rows < 0, -magnitude, magnitude), DeadZone(coarse)

    @torch.no_grad()
    def _step(self, rows: Rows) -> Float[Tensor, "1 1"]:
        mean, deviation = moments_of(rows)
        return held((mean.abs() + (DEAD_REACH if self.dead_zone else REACH) * deviation) / 2 ** (self.bits - 1))
