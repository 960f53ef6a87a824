"""Binary weights: signs, and one scale a band."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.compression.bands import bands_of, ends_of
from airdeliver.compression.codec.levels import Levels, centre_of
from airdeliver.compression.codec.reconstruction import MidRise, Reconstruction, bfloat16
from airdeliver.compression.quantisers.base import Quantiser, State
from airdeliver.compression.quantisers.octaves import magnitude_of
from airdeliver.compression.quantisers.uniform import uniform
from airdeliver.conversion import Converted, converted, tuple_of
from airdeliver.payload import Layout
from airdeliver.payload.published import fits


@dataclass(frozen=True)
class Signs(Quantiser):
    r"""$\hat w = \alpha\,\mathrm{sign}(w)$ with $\alpha = \overline{|w|}$ of the band, and $\mathrm{sign}(0) = 1$.

    The gradient is $\partial \hat w_i / \partial w_j = \mathrm{sign}(w_i)\,\mathrm{sign}(w_j) / N + \alpha\,
    [|w_i| \le 1]\,\delta_{ij}$. The small bands (scales, biases, normalisation) have uniform levels over their range,
    straight through. Scales are rounded to bfloat16, as they travel. Nothing is learned but the weights.

    Args:
        small_bits: of a level of the small bands.
        ends: whether the first and the last weights of the network have such levels too, as the other quantisers have
            it, instead of signs.
        but: names of large segments that have such levels too, or their beginnings or patterns, as
            `airdeliver.payload.published` takes them.

    Raises:
        ValueError: bits outside 2 to 16.

    Source: M. Rastegari et al., XNOR-Net, arXiv 1603.05279 (scale and gradient).

    >>> from airdeliver.payload import Segment
    >>> layout, values = Layout((Segment("weight", (512, 2)),)), torch.linspace(-1, 1, 1024)
    >>> Signs().quantise(values, layout, Signs().init(values, layout)).unique()
    tensor([-0.5000,  0.5000])
    """

    small_bits: int = 8
    ends: bool = False
    but: Converted[Iterable[str], tuple[str, ...]] = converted(tuple_of(str), ())

    def __post_init__(self) -> None:
        if not 2 <= self.small_bits <= 16:
            raise ValueError(f"small_bits must be 2 to 16, got {self.small_bits}")

    def init(self, values: Float[Tensor, "n"], layout: Layout) -> State:  # noqa: D102
        return State()

    def quantise(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, "n"]:  # noqa: D102
        bands, parts = bands_of(layout), []
        order = torch.from_numpy(bands.order).to(values.device)
        binary = self._binary(layout)
        for band, part in enumerate(values[order].split(bands.sizes)):
            if band not in binary:
                parts.append(part)
            else:
                scale = magnitude_of(part[None])
                sign = torch.where(part >= 0, 1.0, -1.0).to(part)
                passed = torch.where(part.abs() <= 1, part, part.detach())
                parts.append(scale * (sign + passed - passed.detach()))
        through = torch.empty_like(values)
        through[order] = torch.cat([values[:0], *parts])
        return through + (self.levels(values, layout, state).values().to(values) - through).detach()

    @torch.no_grad()
    def levels(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Levels:  # noqa: D102
        bands = bands_of(layout)
        numbers, reconstructions, centres = [np.zeros(0, np.int64)], list[Reconstruction](), []
        ordered = values.detach().float().cpu().numpy()[bands.order]
        binary = self._binary(layout)
        for band, part in enumerate(bands.split(ordered)):
            if band not in binary:
                run, reconstruction = uniform(part, self.small_bits)
                centres.append(centre_of(part.astype(np.float64) / reconstruction.step))
            else:
                run = np.where(part >= 0, 0, -1).astype(np.int64)
                reconstruction = MidRise(2 * bfloat16(float(np.abs(part, dtype=np.float64).mean())) or 1.0)
                centres.append(0)
            numbers.append(run)
            reconstructions.append(reconstruction)
        return Levels.fitted(layout, np.concatenate(numbers), reconstructions, centres)

    def _binary(self, layout: Layout) -> set[int]:
        """The bands that have signs: large ones, but for those that are kept finer."""
        bands, names = bands_of(layout), layout.names
        finer = ends_of(layout) if self.ends else set()
        finer |= {index for index, name in enumerate(names) if fits(name, self.but)}
        return {band for band in range(bands.protected, len(bands)) if not finer & set(bands.members[band])}
