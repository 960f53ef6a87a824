"""QIL: the interval of values that are told apart is learned; what is below is 0, what is beyond 1."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.compression.codec.reconstruction import MidTread, Reconstruction, bfloat16
from airdeliver.compression.quantisers.octaves import moments_of, octaves_of
from airdeliver.compression.quantisers.per_band import PerBand, Rows, rounded

_LEAST = 2.0**-20
"""Half-width of an interval that training has driven to 0 or below, of the octave that its values reach into."""


@dataclass(frozen=True)
class QIL(PerBand):
    r"""$\mathrm{clip}(\alpha |w| + \beta, 0, 1)^\gamma\,\mathrm{sign}(w)$, rounded to multiples of $1 / (2^{b-1} - 1)$.

    The interval has centre c and half-width d, learned: $\alpha = 1 / (2 d)$, $\beta = 1/2 - c / (2 d)$; $\gamma = 1$.
    It begins with all values from 0 to $3 \sigma$. The scale of a layer is 1: made for layers that a norm follows.

    Raises:
        ValueError: bits out of range, or scales per channel.

    Source: S. Jung et al., Learning to Quantize Deep Networks by Optimizing Quantization Intervals, arXiv 1808.05779,
    section 3.2.
    """

    names: ClassVar[tuple[str, ...]] = ("centres", "widths")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.per_channel:
            raise ValueError("QIL has one interval a layer: give per_channel=False")

    def begin(self, rows: Rows) -> tuple[Float[Tensor, "rows"], ...]:  # noqa: D102
        reach = torch.maximum(3 * moments_of(rows)[1], _LEAST * octaves_of(rows))[:, 0]
        return reach / 2, reach / 2

    def soft(self, rows: Rows, *learned: Float[Tensor, "rows 1"]) -> Rows:  # noqa: D102
        most = 2 ** (self.bits - 1) - 1
        return rounded(_interval(rows, *learned) * most) / most

    def numbers(  # noqa: D102
        self, rows: Rows, *learned: Float[Tensor, "rows 1"]
    ) -> tuple[Int64[Tensor, "rows n"], Reconstruction]:
        most = 2 ** (self.bits - 1) - 1
        return (_interval(rows, *learned) * most).round().long(), MidTread(bfloat16(1 / most))


def _interval(rows: Rows, centres: Tensor, widths: Tensor) -> Rows:
    widths = torch.maximum(widths, _LEAST * octaves_of(rows))
    return ((rows.abs() - centres) / (2 * widths) + 0.5).clamp(0, 1) * torch.where(rows >= 0, 1.0, -1.0)
