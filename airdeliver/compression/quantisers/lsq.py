"""Learned step size quantisation: one step a band, trained with the weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.compression.bands import bands_of, ends_of
from airdeliver.compression.codec.levels import Levels, centre_of
from airdeliver.compression.codec.reconstruction import MidTread
from airdeliver.compression.quantisers.base import Quantiser, State
from airdeliver.compression.quantisers.octaves import SMALLEST, magnitude_of
from airdeliver.payload import Layout

STEPS = "steps"
"""Under which name the state holds the step of each band."""


@dataclass(frozen=True)
class LSQ(Quantiser):
    r"""Levels $-2^{b-1}$ to $2^{b-1} - 1$ times a learned step $s$, one a band.

    $\hat w = s \lfloor \mathrm{clip}(w / s, -Q_n, Q_p) \rceil$. Within the range, $\partial \hat w / \partial s =
    \lfloor w / s \rceil - w / s$ and $\partial \hat w / \partial w = 1$; beyond it $-Q_n$ or $Q_p$, and 0. The gradient
    of a step is scaled by $1 / \sqrt{N Q_p}$, for $N$ values in the band; steps begin at $2\,\overline{|w|} /
    \sqrt{Q_p}$. A band of nothing but zeros begins when it has other values. Steps are rounded to bfloat16, as they
    travel, straight through.

    Args:
        bits: b of a level, of the large bands.
        small_bits: b of the small bands (scales, biases, normalisation), which cost little and matter much.
        ends: whether the first and the last weights of the network have `small_bits` too, as most quantisers have it.

    Raises:
        ValueError: bits outside 2 to 16.

    Source: S. K. Esser et al., Learned Step Size Quantization, arXiv 1902.08153, equations 1 to 3 and section 2.2.

    >>> from airdeliver.payload import Segment
    >>> layout, values = Layout((Segment("weight", (512, 2)),)), torch.linspace(-1, 1, 1024)
    >>> LSQ(bits=2).quantise(values, layout, LSQ(bits=2).init(values, layout)).detach().unique()
    tensor([-1.,  0.,  1.])
    """

    bits: int = 4
    small_bits: int = 8
    ends: bool = False

    def __post_init__(self) -> None:
        if not 2 <= min(self.bits, self.small_bits) <= max(self.bits, self.small_bits) <= 16:
            raise ValueError(f"bits and small_bits must be 2 to 16, got {self.bits} and {self.small_bits}")

    def init(self, values: Float[Tensor, "n"], layout: Layout) -> State:  # noqa: D102
        return State({STEPS: self._beginning(values.detach(), layout).requires_grad_()})

    @torch.no_grad()
    def refresh(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> State:
        """The same steps; those of bands that were 0 so far begin, and none is below the least."""
        steps = state.tensors[STEPS]
        if bool((steps == 0).any()):
            steps.copy_(torch.where(steps == 0, self._beginning(values, layout).to(steps), steps))
        steps.copy_(torch.where(steps == 0, steps, steps.clamp(min=SMALLEST)))
        return state

    def quantise(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, "n"]:  # noqa: D102
        bands, steps = bands_of(layout), state.tensors[STEPS].to(values.device)
        _, largest = self._range(layout)
        count = torch.tensor(bands.sizes, dtype=torch.float64)
        scale = (count * largest).rsqrt().to(steps)
        # Forward the rounded step; backward the scaled gradient of the step itself.
        rounded = (steps * scale) + (_rounded(steps) - steps * scale).detach()
        each, numbers = self._numbers(values, layout, rounded)
        return numbers * each

    @torch.no_grad()
    def levels(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Levels:  # noqa: D102
        bands, steps = bands_of(layout), _rounded(state.tensors[STEPS].detach()).cpu()
        each, numbers = self._numbers(values.detach().cpu(), layout, steps)
        ordered = numbers.numpy().astype("int64")[bands.order]
        scaled = (values.detach().cpu() / each).nan_to_num(nan=0.0).double().numpy()[bands.order]
        reconstructions = [MidTread(step or 1.0) for step in steps.tolist()]
        return Levels.fitted(layout, ordered, reconstructions, [centre_of(part) for part in bands.split(scaled)])

    def restore(self, plain: Mapping[str, Any], layout: Layout) -> State:  # noqa: D102
        steps = torch.tensor(plain["tensors"][STEPS])
        if len(steps) != len(bands_of(layout)):
            raise ValueError(f"the payload has {len(bands_of(layout))} bands, got {len(steps)} steps")
        return State({STEPS: steps.requires_grad_()})

    def _beginning(self, values: Float[Tensor, "n"], layout: Layout) -> Float[Tensor, "bands"]:
        """Step of each band before it has learned; 0 where all values are."""
        ordered = values[torch.from_numpy(bands_of(layout).order).to(values.device)]
        means = [magnitude_of(part[None]) for part in ordered.split(bands_of(layout).sizes)] or [values.new_zeros(0)]
        return 2 * torch.cat(means) / self._range(layout)[1].sqrt().to(values)

    def _range(self, layout: Layout) -> tuple[Int64[Tensor, "bands"], Int64[Tensor, "bands"]]:
        """Qn and Qp of each band."""
        bands, ends = bands_of(layout), ends_of(layout) if self.ends else set()
        fine = [band < bands.protected or bool(ends & set(own)) for band, own in enumerate(bands.members)]
        bits = [self.small_bits if finer else self.bits for finer in fine]
        most = torch.tensor([2 ** (b - 1) for b in bits], dtype=torch.int64)
        return most, most - 1

    def _numbers(
        self, values: Float[Tensor, "n"], layout: Layout, steps: Float[Tensor, "bands"]
    ) -> tuple[Float[Tensor, "n"], Float[Tensor, "n"]]:
        """The step of each value and its level, which a gradient passes straight through within the range."""
        band = _band_of_each(layout).to(values.device)
        each = steps[band]
        low, high = (limit.to(values)[band] for limit in self._range(layout))
        # A band that has not begun holds zeros alone.
        steps = torch.where(each == 0, 1.0, each)
        ratio = values.detach() / steps.detach()
        clipped, within = ratio.clamp(-low, high), (ratio > -low) & (ratio < high)
        # Left out before the division, whose derivative overflows where a step has become next to nothing.
        kept = torch.where(within, torch.where(within, values, 0.0) / steps, clipped)
        return each, kept + (clipped.round() - kept).detach()


def _rounded(steps: Float[Tensor, "bands"]) -> Float[Tensor, "bands"]:
    """As bfloat16 holds them, ties to even."""
    return steps.to(torch.bfloat16).to(steps.dtype)


def _band_of_each(layout: Layout) -> Int64[Tensor, "n"]:
    bands = bands_of(layout)
    band = torch.empty(layout.size, dtype=torch.int64)
    band[torch.from_numpy(bands.order)] = torch.arange(len(bands)).repeat_interleave(torch.tensor(bands.sizes).long())
    return band
