"""Layered training: one set of weights that works at several precisions, each the leading bit planes of the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor
from torch.func import functional_call

from airdeliver.compression.quantisers import State, Vertical
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.arrival import Arrival
from airdeliver.training.methods.base import Batch, Run, Wrapped, WrappedRun, laid_out
from airdeliver.training.methods.quantised import QUANTISER, bounded
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class Layered(Wrapped):
    """Another method, whose network computes in each step with several numbers of bit planes of the same weights.

    A step trains all planes on the labels, and with a share of its batch the fewest planes and one number in between at
    random, each taught by the next higher one of the step. The losses are added up. Batch norm has one scale and shift
    for all precisions; its statistics are those of the last pass, so that each precision needs its own estimated.

    Args:
        method: how the rest is trained.
        quantiser: of the weights; its own `planes` does not matter.
        precisions: numbers of planes that may be drawn, rising.
        share: of a batch that all but the highest precision see.
        bound: of the gradient of each unit: see `Quantised`.

    Raises:
        ValueError: no two precisions, or ones that do not rise or exceed what there is.

    Source: vertical-layered weights, arXiv 2212.05326; each precision taught by the next higher one: Any-Precision,
    arXiv 1911.07346; sandwich rule: J. Yu and T. Huang, arXiv 1903.05134.
    """

    quantiser: Vertical = field(default_factory=Vertical)
    precisions: tuple[int, ...] = (1, 2, 4, 8)
    share: float = 0.5
    bound: float = 0.1

    def __post_init__(self) -> None:
        rising = list(self.precisions) == sorted(set(self.precisions))
        if len(self.precisions) < 2 or not rising or not 1 <= self.precisions[0] <= self.precisions[-1] <= self.most:
            raise ValueError(f"precisions must rise from 1 to at most {self.most}, got {list(self.precisions)}")
        if not 0 < self.share <= 1 or not self.bound > 0:
            raise ValueError(
                f"share must be above 0 and at most 1 and bound above 0, got {self.share} and {self.bound}"
            )

    @property
    def most(self) -> int:
        """Planes that there are."""
        return self.quantiser.most

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = self.method.start(task, needs, recipe, execution)
        laid_out(run.network, task)
        return LayeredRun(run, self, task)

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words} at {' to '.join(map(str, self.precisions))} bit planes"


class LayeredRun(WrappedRun):
    """A run that computes its network at several precisions.

    Args:
        run: inside; its network and what it says of the labels are used.
        method: precisions and shares.
        task: says how far apart two answers are.
    """

    def __init__(self, run: Run, method: Layered, task: Task) -> None:
        super().__init__(run)
        self.method, self.task, self.arrival = method, task, Arrival(run.network)

    def loss(self, batch: Batch, generator: Generator) -> Mapping[str, Tensor]:
        """The task's loss with all planes, and `planes`: what fewer of them say against the next higher ones."""
        values = self._values()
        *lower, top = self.drawn(generator)
        outputs = self._outputs(values, top, batch.inputs)
        count = max(2, round(self.method.share * len(batch.inputs)))
        taught, apart = outputs[:count], []
        for planes in reversed(lower):
            said = self._outputs(values, planes, batch.inputs[:count])
            apart.append(self.task.divergence(said, taught.detach()))
            taught = said
        return {**self.terms(outputs, batch), "planes": torch.stack(apart).sum()}

    def drawn(self, generator: Generator) -> list[int]:
        """Precisions of a step, rising: the least, one in between at random, the most."""
        least, *between, most = self.method.precisions
        if not between:
            return [least, most]
        index = torch.randint(len(between), (1,), generator=generator, device=generator.device)
        return [least, between[int(index)], most]

    def before_step(self, step: int, optimizer: torch.optim.Optimizer) -> bool:  # noqa: D102
        bounded(self.network.parameters(), self.method.bound)
        return super().before_step(step, optimizer)

    def finish(self) -> Trained:  # noqa: D102
        trained = super().finish()
        return replace(trained, state={**trained.state, QUANTISER: State().to_plain()})

    def _values(self) -> Tensor:
        """The payload's values as one vector, with gradients."""
        named = dict(self.network.named_parameters())
        return torch.cat([named[name].reshape(-1) for name in self.arrival.layout.names])

    def _outputs(self, values: Tensor, planes: int, inputs: Tensor) -> Tensor:
        layout = self.arrival.layout
        seen = replace(self.method.quantiser, planes=planes).quantise(values, layout, State())
        parts = zip(layout.segments, layout.split(seen), strict=True)
        weights = {segment.name: part.view(segment.shape) for segment, part in parts}
        return functional_call(self.network, weights, (inputs,)).float()
