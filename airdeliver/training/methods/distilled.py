"""Distillation: a student learns from what a larger teacher says of the same examples."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from airdeliver.payload import Folded
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import TASK, Batch, Run, Wrapped, WrappedRun, laid_out
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class Distillation:
    r"""The loss $(1 - w)\,L + w\,T^2\,\mathrm{KL}(p_T \| q_T)$ of teacher's and student's softened probabilities.

    Args:
        temperature: T, by which the logits of both are divided.
        weight: w, the share of the teacher, from 0 (labels alone) to 1 (teacher alone).

    Raises:
        ValueError: a temperature that is not positive, a weight that is not a share.

    Source: G. Hinton, O. Vinyals and J. Dean, Distilling the Knowledge in a Neural Network, arXiv 1503.02531, section
    2; for AirNet arXiv 2105.11166.
    """

    temperature: float = 4.0
    weight: float = 0.7

    def __post_init__(self) -> None:
        if not self.temperature > 0 or not 0 <= self.weight <= 1:
            raise ValueError(
                f"temperature must be above 0 and weight from 0 to 1, got {self.temperature} and {self.weight}"
            )


@dataclass(frozen=True)
class Distilled(Wrapped):
    """Another method, whose network learns from a teacher too.

    The teacher may be whole, pruned, elastic or quantised, and may have had a teacher of its own: a chain of assistants
    is a chain of trainings. It sees the very inputs of the step, augmented and prepared, and never the link's noise.

    Args:
        method: how the rest is trained.
        teacher: the training whose network is learned from.
        distillation: how.
    """

    teacher: "Training"
    distillation: Distillation = field(default_factory=Distillation)

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = self.method.start(task, needs, recipe, execution)
        teacher = needs[self.teacher].model().to(execution.device)
        return DistilledRun(run, laid_out(Folded(teacher).module, task), self.distillation, task)

    @property
    def needs(self) -> "tuple[Training, ...]":  # noqa: D102
        return tuple(dict.fromkeys((*self.method.needs, self.teacher)))

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words} with a teacher"


class DistilledRun(WrappedRun):
    """A run whose loss asks the teacher, too.

    Args:
        run: inside.
        teacher: in evaluation mode, on the device of the training.
        distillation: share and temperature.
        task: says how far apart two answers are.
    """

    def __init__(self, run: Run, teacher: nn.Module, distillation: Distillation, task: Task) -> None:
        super().__init__(run)
        self.teacher, self.distillation, self.task = teacher, distillation, task

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:  # noqa: D102
        with torch.inference_mode():
            taught = self.teacher(batch.inputs)
        terms = dict(super().terms(outputs, batch))
        share = self.distillation.weight
        terms[TASK] = (1 - share) * terms[TASK]
        # The clone is an ordinary tensor, which the backward pass may keep.
        apart = self.task.divergence(outputs, taught.float().clone(), self.distillation.temperature)
        terms["teacher"] = share * apart
        return terms
