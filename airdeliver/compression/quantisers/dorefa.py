"""DoReFa: weights are squeezed into [-1, 1] by a hyperbolic tangent and rounded there."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.compression.codec.reconstruction import MidRise, Reconstruction, bfloat16
from airdeliver.compression.quantisers.per_band import PerBand, Rows, rounded

_SATURATED = 0.99
"""Mean magnitude of tangents from which on nothing but signs is left."""


@dataclass(frozen=True)
class DoReFa(PerBand):
    r"""$\hat w = 2\,q_b(\tanh w / (2 \max|\tanh w|) + 1/2) - 1$, $q_b$ rounding to multiples of $1 / (2^b - 1)$.

    Straight through the rounding, not through the tangent. Levels are odd multiples of $1 / (2^b - 1)$, that step
    rounded to bfloat16. The scale of a layer is 1 whatever its weights are: made for layers that a norm follows.

    Raises:
        ValueError: bits out of range, or scales per channel; when it quantises, weights so large that the tangent of
            nearly all of them is 1.

    Source: S. Zhou et al., DoReFa-Net, arXiv 1606.06160, section 2.3.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.per_channel:
            raise ValueError("DoReFa has one scale a layer, which is 1: give per_channel=False")

    def begin(self, rows: Rows) -> tuple[Float[Tensor, "rows"], ...]:  # noqa: D102
        return ()

    def soft(self, rows: Rows, *learned: Float[Tensor, "rows 1"]) -> Rows:  # noqa: D102
        return 2 * rounded(_unit(rows) * (2**self.bits - 1)) / (2**self.bits - 1) - 1

    def numbers(  # noqa: D102
        self, rows: Rows, *learned: Float[Tensor, "rows 1"]
    ) -> tuple[Int64[Tensor, "rows n"], Reconstruction]:
        if float(torch.tanh(rows).abs().mean()) > _SATURATED:
            raise ValueError(
                f"DoReFa squeezes weights by a hyperbolic tangent, of which {rows.numel()} weights of up to "
                f"{float(rows.abs().max()):.1g} leave nothing but signs: divide them by a power of two, or choose "
                "another quantiser"
            )
        levels = (_unit(rows) * (2**self.bits - 1)).round().long() - 2 ** (self.bits - 1)
        return levels, MidRise(bfloat16(2 / (2**self.bits - 1)))


def _unit(rows: Rows) -> Rows:
    squeezed = torch.tanh(rows)
    most = squeezed.detach().abs().max()
    return squeezed / (2 * torch.where(most > 0, most, 1.0)) + 0.5
