"""Training in turn: networks for several tasks, a step for each task after the other."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Generator, Tensor

from airdeliver.models.several import SeveralNetworks
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task import MultiTask, Task
from airdeliver.task.judged import loss_of
from airdeliver.training.methods.base import TASK, Batch, Run, Wrapped, WrappedRun
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class InTurn(Wrapped):
    """Another method whose network serves several tasks, each step of which trains one of them, in turn.

    Args:
        method: how the rest is trained; it makes a `SeveralNetworks`.

    Source: arXiv 2105.03822 (round robin).
    """

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        if not isinstance(task, MultiTask):
            raise ValueError(
                f"tasks are trained in turn where there are several: take a data set such as digits_tasks, got "
                f"{task.dataset.name}"
            )
        return InTurnRun(self.method.start(task, needs, recipe, execution), task, recipe.label_smoothing)


class InTurnRun(WrappedRun):
    """A run of which each step sees one task.

    Args:
        run: inside.
        task: several at once.
        smoothing: of labels.
    """

    def __init__(self, run: Run, task: MultiTask, smoothing: float) -> None:
        super().__init__(run)
        assert isinstance(run.network, SeveralNetworks)
        self.several, self.task, self.smoothing, self.step = run.network, task, smoothing, 0

    @property
    def place(self) -> int:
        """Of the task of this step, among those that are served."""
        return self.step % len(self.several.served.tasks)

    def outputs(self, batch: Batch, generator: Generator) -> Tensor:
        """What the network says of one task."""
        return self.several.answer(self.place, batch.inputs).float()

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:  # noqa: D102
        number = self.several.served.tasks[self.place]
        task, targets = list(self.task.tasks.values())[number], self.task.kind.apart(batch.targets)[number]
        return {TASK: loss_of(task, outputs, targets, self.smoothing)}

    def after_step(self, step: int) -> None:  # noqa: D102
        super().after_step(step)
        self.step = step + 1

    def state_dict(self) -> dict[str, Any]:  # noqa: D102
        return {**super().state_dict(), "step": self.step}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: D102
        super().load_state_dict(state)
        self.step = int(state["step"])
