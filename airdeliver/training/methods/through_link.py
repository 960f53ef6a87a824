"""Training through the link: each step sees the weights as they would arrive."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Generator, Tensor

from airdeliver.links.condition import Condition
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.arrival import Arrival
from airdeliver.training.methods.base import Run, Wrapped, WrappedRun, laid_out
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class ThroughLink(Wrapped):
    """Another method, whose network bears arrived weights in every step.

    Gradients at the arrived weights are applied to the clean ones (straight through).

    Args:
        method: how the rest is trained.
        condition: the link, the channel and the SNR.

    Source: noise injection, AirNet, arXiv 2105.11166.
    """

    condition: Condition

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = self.method.start(task, needs, recipe, execution)
        laid_out(run.network, task)
        return ThroughLinkRun(run, self.condition)

    @property
    def words(self) -> str:  # noqa: D102
        low, high = self.condition.range_db
        levels = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        return f"{self.method.words} at {levels} dB over {type(self.condition.channel).__name__}"


class ThroughLinkRun(WrappedRun):
    """A run whose network bears, in each step, what the link delivers of it.

    Args:
        run: inside.
        condition: the link, the channel and the SNR.

    Raises:
        BudgetError: the network does not fit the condition's budget.
    """

    def __init__(self, run: Run, condition: Condition) -> None:
        super().__init__(run)
        self.condition, self.arrival = condition, Arrival(run.network)
        self.plan = condition.link.plan(self.arrival.payload(), condition.symbols, condition.knowledge())

    @contextmanager
    def arriving(self, generator: Generator) -> Iterator[None]:  # noqa: D102
        def arrive(values: Tensor) -> Tensor:
            self.plan, arrived = self.condition.arrival(self.plan, values.detach(), self.arrival.layout, generator)
            return arrived

        with self.run.arriving(generator), self.arrival.bearing(arrive):
            yield
