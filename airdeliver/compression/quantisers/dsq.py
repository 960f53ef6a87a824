"""DSQ: rounding becomes a row of smooth steps for the sake of its gradient."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.compression.codec.reconstruction import Reconstruction
from airdeliver.compression.quantisers.octaves import moments_of
from airdeliver.compression.quantisers.per_band import PerBand, Rows, held, rise

REACH = 2.6
"""Standard deviations that the range has on either side of the mean."""


@dataclass(frozen=True)
class DSQ(PerBand):
    r"""Mid-rise levels over $\pm(|\mu| + 2.6 \sigma)$; the gradient is that of a soft staircase.

    In each cell $\varphi = \tanh(k (x - \lfloor x \rfloor - 1/2)) / (1 - \alpha)$, $x$ in steps from the low end and
    $k = \ln(2 / \alpha - 1)$; forward its sign. Nothing is learned but the weights, the range follows them.

    Args:
        sharpness: alpha, between 0 and 1; the smaller, the more like rounding.

    Raises:
        ValueError: bits or sharpness out of range.

    Source: R. Gong et al., Differentiable Soft Quantization, arXiv 1908.05033, with alpha fixed; range as in MQBench,
    arXiv 2111.03759.
    """

    sharpness: float = 0.4

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.sharpness < 1:
            raise ValueError(f"sharpness must lie between 0 and 1, got {self.sharpness}")

    def begin(self, rows: Rows) -> tuple[Float[Tensor, "rows"], ...]:  # noqa: D102
        return ()

    def soft(self, rows: Rows, *learned: Float[Tensor, "rows 1"]) -> Rows:  # noqa: D102
        steps, half = _steps(rows, self.bits), 2 ** (self.bits - 1)
        ratio = (rows / steps).clamp(-half, half)
        cell = ratio.detach().floor().clamp(-half, half - 1)
        k = math.log(2 / self.sharpness - 1)
        phi = torch.tanh(k * (ratio - cell - 0.5)) / (1 - self.sharpness)
        return steps * (cell + (phi + 1) / 2)

    def numbers(  # noqa: D102
        self, rows: Rows, *learned: Float[Tensor, "rows 1"]
    ) -> tuple[Int64[Tensor, "rows n"], Reconstruction]:
        steps, half = _steps(rows, self.bits), 2 ** (self.bits - 1)
        return (rows / steps).floor().clamp(-half, half - 1).long(), rise(steps)


@torch.no_grad()
def _steps(rows: Rows, bits: int) -> Float[Tensor, "rows 1"]:
    mean, deviation = moments_of(rows)
    return held((mean.abs() + REACH * deviation) / 2 ** (bits - 1))
