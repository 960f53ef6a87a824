"""Quantisation by rate and distortion: one slope for all bands, which follows a number of bits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import Tensor

from airdeliver.compression.quantisation import Quantised, allocate, requantise
from airdeliver.compression.quantisers.base import Quantiser, State
from airdeliver.compression.rate import rate
from airdeliver.payload import Layout, Payload

GAIN = 0.1
"""Octaves that the slope is corrected by for a rate that is twice the one wanted. Much more, and where weights gather
next to a change of level, the steps jump to and fro between too many bits and too few."""


@dataclass(frozen=True, eq=False)
class RateDistortionState(State):
    """Steps and slope as settings, and what the values were quantised to last."""

    quantised: Quantised | None = None


@dataclass(frozen=True)
class RateDistortion(Quantiser):
    """Uniform steps with a dead zone; levels and steps by rate and distortion together.

    Args:
        bits_per_value: that all values take on average, by an ideal entropy coder.

    Raises:
        ValueError: a rate that is not positive.
    """

    bits_per_value: float = 1.0

    def __post_init__(self) -> None:
        if not self.bits_per_value > 0:
            raise ValueError(f"bits_per_value must be above 0, got {self.bits_per_value}")

    def init(self, values: Float[Tensor, "n"], layout: Layout) -> RateDistortionState:  # noqa: D102
        payload = Payload(values.detach(), layout)
        return _state(allocate(payload, self.bits_per_value * layout.size))

    def refresh(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> State:
        """New levels at the same slope, which is then corrected towards the rate."""
        assert isinstance(state, RateDistortionState)
        assert state.quantised is not None
        quantised = requantise(Payload(values.detach(), layout), state.quantised, state.settings["slope"])
        excess = quantised.bits / max(1, layout.size) / self.bits_per_value - 1
        return _state(quantised, quantised.slope * 2 ** (GAIN * max(-1.0, min(1.0, excess))))

    def quantise(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, "n"]:  # noqa: D102
        assert isinstance(state, RateDistortionState)
        assert state.quantised is not None
        return values + (state.quantised.values().to(values.device) - values).detach()

    def rate(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, ""]:  # noqa: D102
        assert isinstance(state, RateDistortionState)
        assert state.quantised is not None
        return rate(values, state.quantised)

    def restore(self, plain: Mapping[str, Any], layout: Layout) -> RateDistortionState:
        """The inverse of `State.to_plain`; levels are chosen anew with the next values."""
        steps, nothing = tuple(int(step) for step in plain["steps"]), np.zeros(0, np.int64)
        return _state(Quantised(layout, nothing, steps, (), float(plain["slope"])))


def _state(quantised: Quantised, slope: float | None = None) -> RateDistortionState:
    settings = {"steps": list(quantised.steps), "slope": quantised.slope if slope is None else slope}
    return RateDistortionState({}, settings, quantised)
