"""One training for several rates: each step sees the weights as the quantiser leaves them at one of these."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator

from airdeliver.compression.quantisers.base import State
from airdeliver.compression.quantisers.rate_distortion import RateDistortion
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import Run, Wrapped, laid_out
from airdeliver.training.methods.quantised import QUANTISER, QuantisedRun
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class AtAnyRate(Wrapped):
    """Another method, whose network bears in each step weights quantised at one of several rates, drawn at random.

    One set of weights then serves all of these rates, at the price of one training. Every rate has a quantiser state of
    its own: steps and slope. Batch norm sees all rates, so its moments fit none: the receiver estimates them.

    Args:
        method: how the rest is trained.
        quantiser: of the weights; its own rate is not used.
        rates: bits a value.
        rate_weight: of the bits a value beside the task's loss.
        bound: of the gradient of each unit: see `Quantised`.

    Raises:
        ValueError: no rate, or one that is not positive.

    Source: the idea is that of networks that run at any precision, H. Yu et al., Any-Precision Deep Neural Networks,
    arXiv 1911.07346, with rates of an entropy coder in place of bit widths and one of them a step in place of all.
    """

    quantiser: RateDistortion
    rates: tuple[float, ...]
    rate_weight: float = 0.0
    bound: float = 0.1

    def __post_init__(self) -> None:
        if not self.rates or not min(self.rates) > 0:
            raise ValueError(f"rates must be at least one, above 0 bits a value, got {list(self.rates)}")

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = self.method.start(task, needs, recipe, execution)
        laid_out(run.network, task)
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
        self.quantisers = quantisers
        values = self.arrival.payload().values
        self.states: list[State] = [quantiser.init(values, self.arrival.layout) for quantiser in quantisers]

    @contextmanager
    def arriving(self, generator: Generator) -> Iterator[None]:  # noqa: D102
        drawn = int(torch.randint(len(self.states), (1,), generator=generator, device=generator.device))
        self.quantiser, self.state = self.quantisers[drawn], self.states[drawn]
        with super().arriving(generator):
            self.states[drawn] = self.state
            yield

    def state_dict(self) -> dict[str, Any]:  # noqa: D102
        return {**super().state_dict(), QUANTISER: [state.to_plain() for state in self.states]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the state of every rate."""
        self.run.load_state_dict(state)
        pairs = zip(self.quantisers, state[QUANTISER], strict=True)
        self.states = [quantiser.restore(plain, self.arrival.layout) for quantiser, plain in pairs]

    def finish(self) -> Trained:  # noqa: D102
        trained = self.run.finish()
        state = {**trained.state, QUANTISER: [state.to_plain() for state in self.states]}
        return replace(trained, state=state)
