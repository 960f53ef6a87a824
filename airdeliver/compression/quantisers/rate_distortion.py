"""Quantisation by rate and distortion: one slope for all bands, which follows a number of bits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.quantisers import large
from airdeliver.compression.quantisers.allocation import Allocated, adjust, allocate, requantise
from airdeliver.compression.quantisers.base import Quantiser, State
from airdeliver.compression.quantisers.rate import rate
from airdeliver.payload import Layout, Payload

GAIN = 0.1
"""Octaves that the slope is corrected by for a rate that is twice the one wanted. Much more, and where weights gather
next to a change of level, the steps jump to and fro between too many bits and too few."""


@dataclass(frozen=True, eq=False)
class RateDistortionState(State):
    """Index of each band's step, and the slope, as settings; and what the values were quantised to last."""

    last: Allocated | None = None


@dataclass(frozen=True)
class RateDistortion(Quantiser):
    """Uniform steps with a dead zone; levels and steps by rate and distortion together.

    A link fits it to the channel, whatever rate the network was trained for.

    Args:
        bits_per_value: that all values of a network take on average in training, by an ideal entropy coder.

    Raises:
        ValueError: a rate that is not positive.
    """

    bits_per_value: float = 1.0
    adapts = True

    def __post_init__(self) -> None:
        if not self.bits_per_value > 0:
            raise ValueError(f"bits_per_value must be above 0, got {self.bits_per_value}")

    def init(self, values: Float[Tensor, "n"], layout: Layout) -> RateDistortionState:  # noqa: D102
        payload = Payload(values.detach(), layout)
        return state_of(allocate(payload, self.bits_per_value * layout.size))

    def refresh(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> RateDistortionState:
        """New levels at the same slope, which is then corrected towards the rate."""
        levels = self.levels(values, layout, state)
        excess = levels.bits / max(1, layout.size) / self.bits_per_value - 1
        return state_of(levels, levels.slope * 2 ** (GAIN * max(-1.0, min(1.0, excess))))

    def quantise(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, "n"]:
        """The levels of the state, straight through: `refresh` has chosen them for these values."""
        return values + (last_of(state).values().to(values.device) - values).detach()

    def levels(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Allocated:  # noqa: D102
        return requantise(Payload(values.detach(), layout), steps_of(state), float(state.settings["slope"]))

    def rate(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, ""]:  # noqa: D102
        return rate(values, last_of(state))

    def restore(self, plain: Mapping[str, Any], layout: Layout) -> RateDistortionState:
        """The inverse of `State.to_plain`; levels are chosen anew with the next values."""
        settings = {"steps": [int(step) for step in plain["steps"]], "slope": float(plain["slope"])}
        return RateDistortionState({}, settings, None)

    def fit(  # noqa: D102
        self,
        payload: Payload,
        state: State | None,
        size: Callable[[Levels], float],
        most: float = 1.0,
        near: Levels | None = None,
    ) -> Allocated:
        steps = None if state is None else steps_of(state)
        before = near if isinstance(near, Allocated) else None
        return self._fitted(payload, most, size, steps, before)

    def _fitted(
        self,
        payload: Payload,
        most: float,
        size: Callable[[Levels], float],
        steps: tuple[int, ...] | None,
        near: Allocated | None,
    ) -> Allocated:
        """What `fit` finds: with the steps that a network was trained with, or near an earlier answer."""
        if payload.layout.size >= large.LARGE:
            return large.fit(payload, most, size, steps, near)
        if near is not None:
            return adjust(payload, near, most, size)
        return allocate(payload, most, size, steps)


def state_of(last: Allocated, slope: float | None = None) -> RateDistortionState:
    """A state of these levels; at their slope, or another."""
    return RateDistortionState({}, {"steps": list(last.steps), "slope": last.slope if slope is None else slope}, last)


def steps_of(state: State) -> tuple[int, ...]:
    """Index of each band's step."""
    return tuple(int(step) for step in state.settings["steps"])


def last_of(state: State) -> Allocated:
    """What the values were quantised to last."""
    if not isinstance(state, RateDistortionState) or state.last is None:
        raise ValueError("the state holds no levels: make it with `init`, or `refresh` it for the values")
    return state.last
