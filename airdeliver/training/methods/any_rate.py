"""One training for several rates: each step sees the weights as the quantiser leaves them at one of these."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Generator

from airdeliver.compression.quantisers.base import State
from airdeliver.compression.quantisers.rate_distortion import RateDistortion
from airdeliver.training.methods.base import Run
from airdeliver.training.methods.quantised import QUANTISER, Quantised, QuantisedRun


@dataclass(frozen=True)
class AtAnyRate(Quantised):
    """Another method, whose network bears in each step weights quantised at one of several rates, drawn at random.

    One set of weights then serves all of these rates, at the price of one training. Every rate has a quantiser state of
    its own: steps and slope. Batch norm sees all rates, so its moments fit none: the receiver estimates them.

    Args:
        method: how the rest is trained.
        quantiser: of the weights, one that follows a rate; its own is not used.
        rate_weight: of the bits a value beside the task's loss.
        bound: of the gradient of each unit.
        rates: bits a value.

    Raises:
        ValueError: a quantiser that follows no rate, no rate, one that is not positive, and what `Quantised` refuses.

    Source: the idea is that of networks that run at any precision, H. Yu et al., Any-Precision Deep Neural Networks,
    arXiv 1911.07346, with rates of an entropy coder in place of bit widths and one of them a step in place of all.
    """

    rates: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.quantiser, RateDistortion):
            raise ValueError(f"rates need a quantiser that follows them, RateDistortion, got {self.quantiser}")
        if not self.rates or not min(self.rates) > 0:
            raise ValueError(f"rates must be at least one, above 0 bits a value, got {list(self.rates)}")

    def around(self, run: Run) -> "AnyRateRun":  # noqa: D102
        assert isinstance(self.quantiser, RateDistortion)
        quantisers = [replace(self.quantiser, bits_per_value=rate) for rate in self.rates]
        return AnyRateRun(run, quantisers, self.rate_weight, self.bound)

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words} for {', '.join(f'{rate:g}' for rate in self.rates)} bits a value"


class AnyRateRun(QuantisedRun):
    """A run whose network bears, in each step, what one of several quantisers makes of it.

    Args:
        run: inside.
        quantisers: one for each rate; without learned tensors.
        rate_weight: of the bits a value.
        bound: of the gradient of each unit.
    """

    def __init__(self, run: Run, quantisers: list[RateDistortion], rate_weight: float, bound: float) -> None:
        super().__init__(run, quantisers[0], rate_weight, bound)
        self.quantisers, values = quantisers, self.arrival.payload().values
        self.states: list[State] = [self.state, *(q.init(values, self.arrival.layout) for q in quantisers[1:])]

    @contextmanager
    def arriving(self, generator: Generator) -> Iterator[None]:  # noqa: D102
        drawn = int(torch.randint(len(self.states), (1,), generator=generator, device=generator.device))
        self.quantiser, self.state = self.quantisers[drawn], self.states[drawn]
        with super().arriving(generator):
            self.states[drawn] = self.state
            yield

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the state of every rate."""
        self.run.load_state_dict(state)
        pairs = zip(self.quantisers, state[QUANTISER], strict=True)
        self.states = [quantiser.restore(plain, self.arrival.layout) for quantiser, plain in pairs]

    def told(self) -> Any:
        """That of every rate."""
        return [state.to_plain() for state in self.states]
