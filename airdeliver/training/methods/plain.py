"""Plain training: the task's own loss on the labels, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Generator, Tensor, nn

from airdeliver.architecture.base import Architecture
from airdeliver.architecture.whole import Whole
from airdeliver.models import ModelBuilder
from airdeliver.problem import Execution
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.task.judged import loss_of
from airdeliver.training.methods.base import TASK, Batch, Continuing, Method, Run, named_state
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class Plain(Method):
    """Training from scratch.

    Args:
        builder: of the architecture.
    """

    builder: ModelBuilder

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        network = task.build(self.builder, stream(execution.seed, "initialisation"))
        return PlainRun(network.to(execution.device), Whole.of(task, self.builder), b"", task, recipe)

    @property
    def needs(self) -> "tuple[Training, ...]":  # noqa: D102
        return ()

    @property
    def model(self) -> ModelBuilder:  # noqa: D102
        return self.builder

    @property
    def words(self) -> str:  # noqa: D102
        return f"training {type(self.builder).__name__}"


@dataclass(frozen=True)
class Continued(Continuing):
    """Training of a network that another training has made: whole, pruned, elastic, sparse or quantised.

    Args:
        before: the training that it goes on from.
    """

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        trained = needs[self.before]
        network = trained.model().to(execution.device)
        return PlainRun(network, trained.architecture, trained.description, task, recipe)


class PlainRun(Run):
    """A network that learns its task.

    Args:
        network: on its device.
        architecture: that it is of.
        description: what tells it among those of its architecture.
        task: data and loss.
        recipe: whose label smoothing the loss has.
    """

    def __init__(
        self, network: nn.Module, architecture: Architecture, description: bytes, task: Task, recipe: Recipe
    ) -> None:
        self.network, self.architecture, self.description = network, architecture, description
        self.task, self.recipe = task, recipe

    def outputs(self, batch: Batch, generator: Generator) -> Tensor:  # noqa: D102
        return self.network(batch.inputs).float()

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:  # noqa: D102
        return {TASK: loss_of(self.task, outputs, batch.targets, self.recipe.label_smoothing)}

    def finish(self) -> Trained:  # noqa: D102
        return Trained(named_state(self.network), self.architecture, self.description)
