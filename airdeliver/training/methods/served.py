"""Training of a network that is cut in two: in each step its features pass a channel, and its device bears noise."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor, nn

from airdeliver.architecture.whole import Whole
from airdeliver.links.condition import Condition
from airdeliver.links.features import FeatureLink
from airdeliver.models import ModelBuilder
from airdeliver.models.bottleneck import Bottlenecked, Cut, Device, teacher_layers
from airdeliver.payload import Payload
from airdeliver.problem import Execution
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.task.judged import loss_of
from airdeliver.training.methods.arrival import Arrival
from airdeliver.training.methods.base import Batch, Method, Run, Wrapped, WrappedRun, laid_out
from airdeliver.training.methods.plain import PlainRun
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class Imitating(Method):
    """The first of two stages: bottleneck and decoder learn to restore what a teacher has behind its second block.

    The loss is the sum of mean squared errors behind the second block and behind each later convolution's activation.
    All later layers are the teacher's and stay as they are, their moments too; the first block begins as the teacher's.

    Args:
        before: the training whose network is cut: the teacher.
        builder: of the network that is cut in two.

    Source: the first stage of Y. Matsubara et al., BottleFit: Learning Compressed Representations in Deep Neural
    Networks.
    """

    before: "Training"
    builder: Bottlenecked

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        network = task.build(self.builder, stream(execution.seed, "initialisation")).to(execution.device)
        teacher = needs[self.before].model().to(execution.device)
        return ImitatingRun(network, teacher, Whole.of(task, self.builder), task, recipe)

    @property
    def needs(self) -> "tuple[Training, ...]":  # noqa: D102
        return (self.before,)

    @property
    def model(self) -> ModelBuilder:  # noqa: D102
        return self.builder

    @property
    def words(self) -> str:  # noqa: D102
        return f"a bottleneck of {self.builder.channels} in {type(self.builder.model).__name__}"


class ImitatingRun(PlainRun):
    """A network that is cut in two and learns what its teacher has inside.

    Args:
        network: on its device; takes the teacher's first block and later layers.
        teacher: that it is a copy of.
        architecture: of the network.
        task: whose data it sees.
        recipe: of the training.
    """

    def __init__(self, network: nn.Module, teacher: nn.Module, architecture: Whole, task: Task, recipe: Recipe) -> None:
        super().__init__(network, architecture, b"", task, recipe)
        assert isinstance(network, Cut)
        first, second, later = teacher_layers(teacher)
        head, server = list(network.device.head), list(network.server)
        places = len(server) - len(later)
        self.decoder, self.later = nn.Sequential(*server[:places]), nn.Sequential(*server[places:])
        nn.Sequential(*head[: len(first)]).load_state_dict(first.state_dict())
        self.later.load_state_dict(later.state_dict())
        self.later.requires_grad_(False)
        self.shown = nn.Sequential(*first, *second).eval()

    def outputs(self, batch: Batch, generator: Generator) -> Tensor:
        """What the decoder restores."""
        self.later.eval()
        assert isinstance(self.network, Cut)
        return self.decoder(self.network.arrived(batch.inputs))

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Mean squared errors, by the number of the block that they are behind."""
        with torch.no_grad():
            wanted = self.shown(batch.inputs)
        errors = {"block 2": nn.functional.mse_loss(outputs.float(), wanted.float())}
        for layer in self.later:
            outputs = layer(outputs)
            with torch.no_grad():
                wanted = layer(wanted)
            if isinstance(layer, nn.ReLU):
                errors[f"block {len(errors) + 2}"] = nn.functional.mse_loss(outputs.float(), wanted.float())
        return errors

    def finish(self) -> Trained:  # noqa: D102
        self.later.requires_grad_(True)
        return super().finish()


@dataclass(frozen=True)
class Served(Wrapped):
    """Another method for a network that is cut in two: features pass the channel in every step.

    The device bears what the link of the condition delivers of it; gradients are applied to what it was (straight
    through). Both meet one SNR in a step. An exit of the device's learns from labels and leaves the rest as it is.

    Args:
        method: how the rest is trained.
        features: the link of features.
        condition: the link that delivers the device's part, the channel of both and the SNR.
    """

    features: FeatureLink
    condition: Condition

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = self.method.start(task, needs, recipe, execution)
        laid_out(run.network, task)
        return ServedRun(run, self.features, self.condition, task)

    @property
    def words(self) -> str:  # noqa: D102
        low, high = self.condition.range_db
        return f"{self.method.words}, served at {low:g} to {high:g} dB over {type(self.condition.channel).__name__}"


class ServedRun(WrappedRun):
    """A run whose network is delivered to a device and served, in each step.

    Args:
        run: inside; its network is a `Cut`.
        features: the link of features.
        condition: link, channel and SNR.
        task: whose loss the exit learns from.
    """

    def __init__(self, run: Run, features: FeatureLink, condition: Condition, task: Task) -> None:
        super().__init__(run)
        assert isinstance(self.network, Cut)
        self.features, self.condition, self.task = features, condition, task
        self.arrival = Arrival(self.network.device)
        self.plan = condition.link.plan(self.arrival.payload(), condition.symbols, condition.knowledge())

    @contextmanager
    def arriving(self, generator: Generator) -> Iterator[None]:  # noqa: D102
        condition, network = self.condition, self.network
        assert isinstance(network, Cut)
        snr_db = condition.draw_snr_db(generator)

        def arrive(values: Tensor) -> Tensor:
            with torch.no_grad():
                self.plan = condition.link.refresh(self.plan, Payload(values, self.arrival.layout))
                return condition.link.perturb(values, self.plan, condition.channel, snr_db, generator)

        network.air = lambda sent: self.features.send(sent.float(), condition.channel, snr_db, generator)
        try:
            with self.run.arriving(generator), self.arrival.bearing(arrive):
                yield
        finally:
            network.air = None

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:  # noqa: D102
        terms, device = dict(super().terms(outputs, batch)), self._device
        if device.exit is not None:
            with torch.no_grad():
                features = device(batch.inputs)
            terms["exit"] = loss_of(self.task, device.exit(features.detach()).float(), batch.targets)
        return terms

    @property
    def _device(self) -> Device:
        assert isinstance(self.network, Cut)
        return self.network.device
