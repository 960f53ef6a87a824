"""APoT: levels are sums of powers of two, dense where weights are."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import ClassVar

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.compression.codec.reconstruction import Codebook, Reconstruction, bfloat16
from airdeliver.compression.quantisers.octaves import octaves_of
from airdeliver.compression.quantisers.per_band import PerBand, Rows, scaled

_LEAST = 2.0**-100
"""Least clip, of standardised weights, whose smallest fraction bfloat16 still tells from the next."""


@dataclass(frozen=True)
class APoT(PerBand):
    r"""$\hat w = \gamma\,q(\mathrm{clip}(\tilde w / \gamma, -1, 1))$ on sums of powers of two, $\tilde w$ standardised.

    Weights have mean 0 and variance 1 before they are clipped to a learned $\gamma$, which begins at 3. Magnitudes have
    b - 1 bits, two for each power of two: 4 bits are $\{0, 1/2, 1/4, 1/16\} + \{0, 1/8\}$, divided by their largest.
    Straight through. The scale of a layer is that of standardised weights: made for layers that a norm follows.

    Raises:
        ValueError: fewer than 3 bits, of which there are none; scales per channel.

    Source: Y. Li, X. Dong and W. Wang, Additive Powers-of-Two Quantization, arXiv 1909.13144, sections 2.2 to 2.4.

    >>> len(levels_of(4)), levels_of(4)[-4:]
    (15, (0.4, 0.6, 0.8, 1.0))
    """

    least: ClassVar[int] = 3
    names: ClassVar[tuple[str, ...]] = ("clips",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.per_channel:
            raise ValueError("APoT has one clip a layer: give per_channel=False")

    def begin(self, rows: Rows) -> tuple[Float[Tensor, "rows"], ...]:  # noqa: D102
        return (torch.full((len(rows),), 3.0, device=rows.device),)

    def soft(self, rows: Rows, *learned: Float[Tensor, "rows 1"]) -> Rows:  # noqa: D102
        (clips,) = learned
        clips = scaled(clips, (rows.shape[1] * 2 ** (self.bits - 1)) ** -0.5).clamp(min=_LEAST)
        ratio = (_standardised(rows) / clips).clamp(-1, 1)
        levels = torch.tensor(levels_of(self.bits)).to(rows)
        return clips * (ratio + (levels[_nearest(ratio, levels)] - ratio).detach())

    def numbers(  # noqa: D102
        self, rows: Rows, *learned: Float[Tensor, "rows 1"]
    ) -> tuple[Int64[Tensor, "rows n"], Reconstruction]:
        clip = learned[0].clamp(min=_LEAST)
        levels = torch.tensor(levels_of(self.bits))
        entries = tuple(bfloat16(float(clip) * level) for level in levels_of(self.bits))
        return _nearest((_standardised(rows) / clip).clamp(-1, 1), levels), Codebook(entries)

    def centre(self, reconstruction: Reconstruction) -> int | None:
        """The level of 0."""
        return len(reconstruction.entries) // 2 if isinstance(reconstruction, Codebook) else 0


def _standardised(rows: Rows) -> Rows:
    each = rows / octaves_of(rows)
    centred = each - each.mean(1, keepdim=True)
    return centred / centred.square().mean(1, keepdim=True).sqrt().clamp(min=1e-12)


def _nearest(ratio: Tensor, levels: Float[Tensor, "levels"]) -> Int64[Tensor, "*shape"]:
    return torch.bucketize(ratio.detach(), (levels[1:] + levels[:-1]) / 2)


@lru_cache
def levels_of(bits: int) -> tuple[float, ...]:
    """All levels of b bits from -1 to 1.

    Two bits of a magnitude choose among 0 and three powers of two, an odd one left over between 0 and one; term i has
    the powers $2^{-i}, 2^{-(i + n)}, ...$ of n terms.

    Args:
        bits: b, a sign and b - 1 of the magnitude.
    """
    terms, odd = divmod(bits - 1, 2)
    count = terms + odd
    sets: list[tuple[float, ...]] = [(0.0, *(2.0 ** -(i + 1 + k * count) for k in range(3))) for i in range(terms)]
    if bits == 4:
        sets = [(0.0, 2.0**-1, 2.0**-2, 2.0**-4)]
    if odd:
        sets.append((0.0, 2.0**-3 if bits == 4 else 2.0**-count))
    sums = sorted({sum(chosen) for chosen in product(*sets)})
    positive = [value / sums[-1] for value in sums[1:]]
    return tuple([-value for value in reversed(positive)] + [0.0, *positive])
