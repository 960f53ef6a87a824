"""Structured pruning before training: whole channels go until the network fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airdeliver.architecture import pruned as architectures
from airdeliver.architecture.base import Architecture
from airdeliver.architecture.given import Given
from airdeliver.architecture.whole import Whole
from airdeliver.compression.pruning import Pruning
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import Run, Wrapped
from airdeliver.training.methods.plain import PlainRun
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class Pruned(Wrapped):
    """A method that makes a network, which loses channels before the first step.

    Args:
        method: that makes the network: `Plain`, `Continued`, or `Pruned` again (gradual pruning is a chain of
            trainings, one a step).
        pruning: what is removed.
    """

    pruning: Pruning

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = self.method.start(task, needs, recipe, execution)
        if not isinstance(run, PlainRun):
            raise ValueError(
                f"{type(self.method).__name__} cannot be pruned: put Pruned around the method that makes the network "
                "(Plain or Continued), and the others around Pruned"
            )
        architecture = prunable(run.architecture)
        before = architecture.counts(run.description) if run.description else architecture.groups.units
        network, counts = self.pruning.prune(run.network, before, architecture, task, execution.seed)
        return PlainRun(network, architecture, architecture.describe(counts), task, recipe)

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words} pruned"


def prunable(architecture: Architecture) -> architectures.Pruned:
    """The architecture that says what can be removed of a network.

    Raises:
        ValueError: a network that is neither whole nor pruned.
    """
    if isinstance(architecture, (Whole, Given)):
        return architectures.Pruned(architecture)
    if isinstance(architecture, architectures.Pruned):
        return architecture
    raise ValueError(
        f"a network of {type(architecture).__name__} cannot be pruned: start from a whole or pruned network"
    )
