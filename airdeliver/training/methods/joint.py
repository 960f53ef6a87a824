"""Joint training: all members of an elastic network in one run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from airdeliver.elastic import Elastic, ElasticArchitecture, ElasticBuilder, NestedBuilder
from airdeliver.links.condition import Condition
from airdeliver.payload import Payload
from airdeliver.problem import Execution
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import TASK, Batch, Continuing, Run, named_state
from airdeliver.training.methods.distilled import Distillation
from airdeliver.training.methods.pruned import prunable
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training

IN_PLACE = Distillation(temperature=1.0, weight=0.5)
"""How small members learn from the largest, unless said otherwise."""


@dataclass(frozen=True)
class Sandwich:
    """Which members a step trains: the smallest, the largest, and some in between at random.

    Args:
        between: how many between.

    Raises:
        ValueError: fewer than none.

    Source: J. Yu and T. Huang, Universally Slimmable Networks and Improved Training Techniques, arXiv 1903.05134,
    section 3.2.
    """

    between: int = 1

    def __post_init__(self) -> None:
        if self.between < 0:
            raise ValueError(f"between must be 0 or more members, got {self.between}")

    def draw(self, members: int, generator: Generator) -> list[int]:
        """Indices of the members of one step, the smallest first, the largest last.

        Args:
            members: how many there are.
            generator: of the choice.
        """
        last = members - 1
        order = torch.randperm(max(0, last - 1), generator=generator, device=generator.device) + 1
        return [*([0] if last else []), *order[: self.between].tolist(), last]


@dataclass(frozen=True)
class Joint(Continuing):
    """The making of an elastic network out of a trained one: members are cut out, then trained together.

    Each member is trained through the link in its own condition. The largest learns from the labels, the others from
    labels and from what the largest says of the same examples in the same step.

    Args:
        before: the training whose network members are cut out of; an elastic network of these conditions goes on as it
            is.
        conditions: of the members, that of the smallest first: link with expansion, channel, range of SNR, budget.
        builder: the kind of elastic network.
        sampler: which members a step trains.
        in_place: how small members learn from the largest.
        share: of a step's examples that all but the largest member see.
        statistics: whether members are pruned with room for batch-norm statistics.

    Raises:
        ValueError: no conditions, or a share that is none.

    Source: AirNet, arXiv 2105.11166; J. Yu and T. Huang, arXiv 1903.05134, sections 3.2 and 3.3.
    """

    conditions: tuple[Condition, ...]
    builder: ElasticBuilder = field(default_factory=NestedBuilder)
    sampler: Sandwich = field(default_factory=Sandwich)
    in_place: Distillation = IN_PLACE
    share: float = 0.5
    statistics: bool = False

    def __post_init__(self) -> None:
        if not self.conditions:
            raise ValueError("an elastic network needs at least one condition")
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {self.share}")

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        trained = needs[self.before]
        model = trained.model().to(execution.device)
        if isinstance(trained.architecture, ElasticArchitecture) and isinstance(model, Elastic):
            architecture, elastic = trained.architecture, model
        else:
            unpruned = prunable(trained.architecture)
            architecture = ElasticArchitecture(self.builder, unpruned, self.conditions)
            seed, statistics = execution.seed, self.statistics
            elastic = self.builder.build(model, self.conditions, unpruned, task, seed, statistics)
        return JointRun(elastic, architecture, self, task, recipe, execution.seed)

    @property
    def words(self) -> str:  # noqa: D102
        return f"{super().words} with {len(self.conditions)} members"


class JointRun(Run):
    """An elastic network whose members learn together; gradients at the arrived weights add up at the shared ones.

    Args:
        elastic: on its device.
        architecture: that it is of.
        joint: who is trained, and how small members learn.
        task: gives the loss.
        recipe: whose label smoothing the loss has.
        seed: of the choice of members and of the noise.
    """

    def __init__(
        self, elastic: Elastic, architecture: ElasticArchitecture, joint: Joint, task: Task, recipe: Recipe, seed: int
    ) -> None:
        self.network = self.elastic = elastic
        self.architecture, self.joint, self.task, self.recipe, self.seed = architecture, joint, task, recipe, seed
        self.arrivals = [_Arrival(elastic, index) for index in range(len(elastic.members))]
        self._smaller: dict[int, Tensor] = {}

    def outputs(self, batch: Batch, generator: Generator) -> Tensor:
        """What the largest member says; what the smaller members of the step say is kept for `terms`."""
        # Each step has a noise of its own, also in a training that was interrupted.
        noise = stream(self.seed, "training noise", int(self.elastic.steps), batch.inputs.device)
        self.elastic.steps += 1
        *smaller, largest = self.joint.sampler.draw(len(self.arrivals), noise)
        taught = self.arrivals[largest](batch.inputs, noise)
        seen = max(2, round(self.joint.share * len(batch.targets)))
        self._smaller = {index: self.arrivals[index](batch.inputs[:seen], noise) for index in smaller}
        return taught

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:  # noqa: D102
        smoothing, share = self.recipe.label_smoothing, self.joint.in_place.weight
        terms = {TASK: self.task.loss(outputs, batch.targets, smoothing)}
        for index, said in self._smaller.items():
            seen = len(said)
            apart = self.task.divergence(said, outputs[:seen].detach(), self.joint.in_place.temperature)
            terms[f"member {index}"] = (1 - share) * self.task.loss(said, batch.targets[:seen], smoothing)
            terms[f"member {index} taught"] = share * apart
        return terms

    def finish(self) -> Trained:  # noqa: D102
        shapes = [member.shape for member in self.elastic.members]
        parameters = [sum(p.numel() for p in member.model.parameters()) for member in self.elastic.members]
        description = self.architecture.describe(shapes)
        return Trained(named_state(self.elastic), self.architecture, description, {"parameters": parameters})


class _Arrival:
    """A member as it would arrive: what `airdeliver.training.methods.arrival` does, differentiable by the shared."""

    def __init__(self, elastic: Elastic, index: int) -> None:
        self.elastic, self.index, member = elastic, index, elastic.members[index]
        self.model, self.condition, self.compute = member.model, member.condition, elastic.computing(index)
        self.layout = member.architecture.layout_of_counts(member.shape, statistics=False)
        payload = Payload(self._values().detach(), self.layout)
        self.plan = self.condition.link.plan(payload, self.condition.symbols, self.condition.knowledge())

    def __call__(self, inputs: Tensor, generator: Generator) -> Tensor:
        values = self._values()
        self.plan, arrived = self.condition.arrival(self.plan, values.detach(), self.layout, generator)
        seen = values + (arrived - values.detach())
        parts = zip(self.layout.segments, self.layout.split(seen), strict=True)
        named = {segment.name: part.view(segment.shape) for segment, part in parts}
        return self.compute(named, inputs).float()

    def _values(self) -> Tensor:
        tensors = {**dict(self.model.named_buffers()), **self.elastic.parameters_of(self.index)}
        return torch.cat([tensors[name].reshape(-1) for name in self.layout.names])
