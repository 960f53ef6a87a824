"""Earlier: a training on the data as they were before the task changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Generator, Tensor

from airdeliver.data.earlier import View
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import Batch, Run, Wrapped, WrappedRun
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class Earlier(Wrapped):
    """Another method, whose network never sees what is new: the version that a receiver of updates holds.

    Args:
        method: how the rest is trained.
        view: the examples as they were.
    """

    view: View

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        return EarlierRun(self.method.start(task, needs, recipe, execution), self.view)

    @property
    def words(self) -> str:
        """Those of the method inside, before what is new."""
        return f"{self.method.words} before {self.view.words}"


class EarlierRun(WrappedRun):
    """A run on the examples of a view.

    Args:
        run: inside.
        view: the examples as they were.
    """

    def __init__(self, run: Run, view: View) -> None:
        super().__init__(run)
        self.view = view

    def outputs(self, batch: Batch, generator: Generator) -> Tensor:
        """Of the examples that there were."""
        known = self.view.known(batch.targets)
        seen = Batch(self.view.inputs(batch.inputs[known], generator), batch.targets[known])
        return self.run.outputs(seen, generator)

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Against the targets as they were."""
        known = self.view.known(batch.targets)
        return self.run.terms(outputs, Batch(batch.inputs[known], self.view.targets(batch.targets[known])))
