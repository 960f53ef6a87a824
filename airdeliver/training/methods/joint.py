"""Joint training: all members of an elastic network in one run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from airdeliver.asked import asked
from airdeliver.elastic import Elastic, ElasticArchitecture, ElasticBuilder, NestedBuilder, Sampler, Sandwich
from airdeliver.elastic.answers import built, drawn
from airdeliver.elastic.resized import check_resolutions
from airdeliver.links import Plan
from airdeliver.links.condition import Condition
from airdeliver.models.resizing import at_resolution
from airdeliver.payload import Payload
from airdeliver.problem import Execution
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import Batch, Continuing, Run, named_state
from airdeliver.training.methods.pruned import prunable
from airdeliver.training.methods.teaching import Teaching
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class Joint(Continuing):
    """The making of an elastic network out of a trained one: members are cut out, then trained together.

    A member with a condition is trained through its link; one without as it is. A network that was trained for no
    epoch is a fresh one.

    Args:
        before: the training whose network members are cut out of; an elastic network goes on as it is, under these
            conditions.
        conditions: of the members that are delivered, that of the smallest first: link with expansion, channel, range
            of SNR, budget; None for a member that is trained without a link.
        builder: the kind of elastic network.
        sampler: which members a step trains.
        teaching: who learns from whom.
        statistics: whether members are pruned with room for batch-norm statistics.
        resolutions: of which each member of a step but the widest draws one, that it sees its images at; empty for
            images as they are.
        bases: trainings of elastic networks that the builder takes something from, the shapes of members, say.

    Raises:
        ValueError: no conditions, another number of them than the builder has members, or no resolution.

    Source: AirNet, arXiv 2105.11166; J. Yu and T. Huang, arXiv 1903.05134, sections 3.2 and 3.3.
    """

    conditions: tuple[Condition | None, ...]
    builder: ElasticBuilder = field(default_factory=NestedBuilder)
    sampler: Sampler = field(default_factory=Sandwich)
    teaching: Teaching = field(default_factory=Teaching)
    statistics: bool = False
    resolutions: tuple[int, ...] = ()
    bases: "tuple[Training, ...]" = ()

    def __post_init__(self) -> None:
        check_resolutions(self.resolutions)
        if not self.conditions:
            raise ValueError("an elastic network needs at least one condition")
        if self.builder.members not in (None, len(self.conditions)):
            raise ValueError(
                f"{type(self.builder).__name__} has {self.builder.members} members, got {len(self.conditions)} "
                "conditions: give one for each"
            )

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        trained = needs[self.before]
        model = trained.model().to(execution.device)
        if isinstance(trained.architecture, ElasticArchitecture) and isinstance(model, Elastic):
            architecture = replace(trained.architecture, conditions=self.conditions)
            elastic = architecture.receive(trained.description).to(execution.device)
            elastic.load_state_dict(model.state_dict())
        else:
            unpruned = prunable(trained.architecture)
            architecture = ElasticArchitecture(self.builder, unpruned, self.conditions)
            seed, statistics = execution.seed, self.statistics
            builder = self.builder.of_bases([_elastic(needs[base]) for base in self.bases], unpruned)
            with asked(builder, "build"):
                made = builder.build(model, self.conditions, unpruned, task, seed, statistics)
            elastic = built(builder, made, len(self.conditions))
        return JointRun(elastic, architecture, self, task, recipe, execution.seed)

    @property
    def needs(self) -> "tuple[Training, ...]":  # noqa: D102
        return (self.before, *self.bases)

    @property
    def words(self) -> str:  # noqa: D102
        return f"training {type(self.model).__name__} with {len(self.conditions)} members"


def _elastic(trained: Trained) -> Elastic:
    model = trained.model()
    if not isinstance(model, Elastic):
        raise ValueError(f"bases must be elastic networks, got one of {type(trained.architecture).__name__}")
    return model


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
        """What the widest member of the step says; what the smaller ones say is kept for `terms`."""
        # Each step has a noise of its own, also in a training that was interrupted.
        noise = stream(self.seed, "training noise", int(self.elastic.steps), batch.inputs.device)
        self.elastic.steps += 1
        *smaller, widest = self._drawn(noise)
        seen = self.joint.teaching.seen(len(batch.targets))
        together = self.elastic.together(widest)
        if together is not None:
            said = together(self.arrivals[widest].parameters(noise), batch.inputs)
            self._smaller = {index: said[index][:seen].float() for index in smaller}
            return said[widest].float()
        outputs = self.arrivals[widest](batch.inputs, noise)
        examples = batch.inputs[:seen]
        self._smaller = {index: self.arrivals[index](self._resized(examples, noise), noise) for index in smaller}
        return outputs

    def _drawn(self, generator: Generator) -> list[int]:
        sampler, count = self.joint.sampler, len(self.arrivals)
        with asked(sampler, "draw"):
            found = sampler.draw(count, generator)
        return drawn(sampler, found, count)

    def _resized(self, images: Tensor, generator: Generator) -> Tensor:
        """At one of the resolutions, each as likely as any other."""
        resolutions = self.joint.resolutions
        if not resolutions:
            return images
        drawn = int(torch.randint(len(resolutions), (), generator=generator, device=generator.device))
        return at_resolution(images, resolutions[drawn])

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:  # noqa: D102
        smoothing = self.recipe.label_smoothing
        return self.joint.teaching.terms(self._smaller, outputs, batch, self.task, smoothing)

    def finish(self) -> Trained:  # noqa: D102
        self.elastic.calibrate(self.task, self.seed)
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
        self.plan = None if self.condition is None else self._plan(self.condition)

    def __call__(self, inputs: Tensor, generator: Generator) -> Tensor:
        return self.compute(self.parameters(generator), inputs).float()

    def parameters(self, generator: Generator) -> dict[str, Tensor]:
        """Its parameters by name, as they would arrive."""
        if self.condition is None or self.plan is None:
            return self.elastic.parameters_of(self.index)
        values = self._values()
        self.plan, arrived = self.condition.arrival(self.plan, values.detach(), self.layout, generator)
        seen = values + (arrived - values.detach())
        parts = zip(self.layout.segments, self.layout.split(seen), strict=True)
        return {segment.name: part.view(segment.shape) for segment, part in parts}

    def _plan(self, condition: Condition) -> Plan:
        payload = Payload(self._values().detach(), self.layout)
        return condition.link.plan(payload, condition.symbols, condition.knowledge())

    def _values(self) -> Tensor:
        tensors = {**dict(self.model.named_buffers()), **self.elastic.parameters_of(self.index)}
        return torch.cat([tensors[name].reshape(-1) for name in self.layout.names])
