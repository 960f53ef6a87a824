"""Dependent quantisation by rate and distortion: the levels that a value may take depend on those before it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from airdeliver.compression.codec.entropy_coding import fit
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.codec.trellis import Trellis
from airdeliver.compression.quantisers import large
from airdeliver.compression.quantisers.allocation import Allocated, followed
from airdeliver.compression.quantisers.base import State
from airdeliver.compression.quantisers.large_paths import in_pieces
from airdeliver.compression.quantisers.paths import Path, Paths, nearest
from airdeliver.compression.quantisers.rate import rate
from airdeliver.compression.quantisers.rate_distortion import (
    RateDistortion,
    RateDistortionState,
    last_of,
    state_of,
    steps_of,
)
from airdeliver.payload import Layout, Payload


@dataclass(frozen=True)
class TrellisCoded(RateDistortion):
    """`RateDistortion` whose large bands are quantised dependently, by a trellis: less error at the same bits.

    Two quantisers of twice the step take turns as the parity of the levels says; of all paths through the trellis the
    one of least error plus bits is taken. Small bands, and those that need more than 127 levels on either side, are
    quantised plainly.

    Args:
        bits_per_value: that all values of a network take on average in training, by an ideal entropy coder.
        states: of the trellis, 4 or 8.

    Raises:
        ValueError: a rate that is not positive, or another number of states.

    Source: `airdeliver.compression.codec.trellis.Trellis`; T. R. Fischer and M. Wang, Entropy-constrained trellis-coded
    quantization, IEEE Trans. IT 38(2), 1992.

    >>> import torch
    >>> from airdeliver.payload import Segment
    >>> values, layout = torch.randn(4096, generator=torch.Generator().manual_seed(0)), Layout((Segment("w", (4096,)),))
    >>> error = {}
    >>> for quantiser in (RateDistortion(), TrellisCoded()):
    ...     levels = quantiser.levels(values, layout, quantiser.init(values, layout))
    ...     error[type(quantiser)] = float((levels.values() - values).square().mean())
    >>> error[TrellisCoded] < 0.9 * error[RateDistortion]
    True
    """

    states: Literal[4, 8] = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        Trellis(self.states)

    @property
    def trellis(self) -> Trellis:
        """That large bands follow."""
        return Trellis(self.states)

    def init(self, values: Float[Tensor, "n"], layout: Layout) -> RateDistortionState:  # noqa: D102
        paths = Paths(Payload(values.detach(), layout), self.trellis)
        return state_of(nearest(paths, lambda levels: levels.bits, self.bits_per_value * layout.size))

    def levels(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Path:  # noqa: D102
        paths = Paths(Payload(values.detach(), layout), self.trellis)
        slope = float(state.settings["slope"])
        wanted = paths.steps(slope)
        return paths.solve(slope, followed(steps_of(state), wanted))

    def rate(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, ""]:
        """By one model of the multiples of a band, whichever quantiser they are of: it rises from 0 on, as bits do."""
        last = last_of(state)
        smooth = tuple(fit(run, model.centre) for model, run in zip(last.models, last.runs(), strict=True))
        return rate(values, replace(last, models=smooth))

    def _fitted(
        self,
        payload: Payload,
        most: float,
        size: Callable[[Levels], float],
        steps: tuple[int, ...] | None,
        near: Allocated | None,
    ) -> Allocated:
        if payload.layout.size >= large.LARGE:
            return in_pieces(payload, self.trellis, most, size, steps, near)
        return nearest(Paths(payload, self.trellis), size, most, steps, near)
