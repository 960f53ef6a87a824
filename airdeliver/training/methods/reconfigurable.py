"""The making of one binary parameter set for several tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from airdeliver.architecture.keyed import Keyed
from airdeliver.architecture.keys import Device, task_key
from airdeliver.models import ModelBuilder
from airdeliver.models.reconfigurable import Reconfigurable
from airdeliver.models.several import Served
from airdeliver.normalisation import estimate_statistics
from airdeliver.problem import Execution
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import Method, Run, named_state
from airdeliver.training.methods.plain import PlainRun
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training

STATISTICS_INPUTS = 1024
"""Training inputs of which a finished network has its batch-norm statistics."""


@dataclass(frozen=True)
class OneParameterSet(Method):
    """Training from scratch of one binary parameter set, of which each task has the order that its key says.

    Keys are drawn from the seed. The optimiser holds real numbers, kept within -1 to 1, of which every step takes the
    signs; what is made are signs times the mean magnitude of their layer, and norms with statistics for these.

    Args:
        builder: of the network of a task.
        served: which tasks.
        device: for which keys are wrapped.

    Source: arXiv 2105.03822.
    """

    builder: ModelBuilder
    served: Served
    device: Device = field(default_factory=Device)

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        channels = task.signature.inputs // len(self.served.outputs)
        architecture = Keyed(self.builder, channels, self.served, self.device)
        keys = [task_key(execution.seed, number) for number in self.served.tasks]
        network = architecture.fresh(keys, stream(execution.seed, "initialisation")).to(execution.device)
        network.latent = True
        return OneParameterSetRun(network, architecture, architecture.describe(keys), task, recipe)

    @property
    def needs(self) -> "tuple[Training, ...]":  # noqa: D102
        return ()

    @property
    def model(self) -> ModelBuilder:  # noqa: D102
        return self.builder

    @property
    def words(self) -> str:  # noqa: D102
        return f"training {type(self.builder).__name__} for {len(self.served.tasks)} tasks in one parameter set"


class OneParameterSetRun(PlainRun):
    """A run whose network takes signs."""

    network: Reconfigurable

    def after_step(self, step: int) -> None:  # noqa: D102
        self.network.clip()

    @torch.no_grad()
    def finish(self) -> Trained:
        """The network with the signs that are sent."""
        self.network.harden()
        data = self.task.dataset
        rows = torch.arange(min(STATISTICS_INPUTS, len(data.train)))
        device = next(self.network.parameters()).device
        estimate_statistics(self.network, data.prepare(data.train.take(rows)[0].to(device)))
        return Trained(named_state(self.network), self.architecture, self.description)
