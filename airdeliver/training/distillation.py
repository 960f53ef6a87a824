"""Distillation: a student learns from what a larger teacher says of the same images."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import kl_div, log_softmax

from airdeliver.payload import Folded
from airdeliver.task import Task
from airdeliver.training.fit import Objective


@dataclass(frozen=True)
class Distillation:
    r"""The loss $(1 - w)\,L + w\,T^2\,\mathrm{KL}(p_T \| q_T)$ of teacher's and student's softened probabilities.

    Args:
        temperature: T, by which the logits of both are divided.
        weight: w, the share of the teacher, from 0 (labels alone) to 1 (teacher alone).

    Raises:
        ValueError: a temperature that is not positive, a weight that is not a share.

    Source: G. Hinton, O. Vinyals and J. Dean, Distilling the Knowledge in a Neural Network, arXiv 1503.02531, section
    2; of a network that is sent: M. Jankowski, D. Gündüz and K. Mikolajczyk, AirNet, arXiv 2105.11166.
    """

    temperature: float = 4.0
    weight: float = 0.7

    def __post_init__(self) -> None:
        if not self.temperature > 0 or not 0 <= self.weight <= 1:
            raise ValueError(
                f"temperature must be above 0 and weight from 0 to 1, got {self.temperature} and {self.weight}"
            )

    def objective(self, teacher: nn.Module, task: Task, label_smoothing: float = 0.0) -> Objective:
        """What a student minimises.

        The teacher sees the very images of the step, augmented and prepared, and never the link's noise.

        Args:
            teacher: trained, on the task's device.
            task: gives the loss on labels.
            label_smoothing: of that loss.
        """
        twin = Folded(teacher.eval()).module
        if any(parameter.ndim == 4 for parameter in twin.parameters()):
            twin = twin.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

        def objective(student: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
            with torch.inference_mode():
                taught = twin(images)
            logits = student(images).float()
            # The clone is an ordinary tensor, which the backward pass may keep.
            soft = self.divergence(logits, taught.float().clone())
            return (1 - self.weight) * task.loss(logits, labels, label_smoothing) + self.weight * soft

        return objective

    def divergence(
        self, student: Float[Tensor, "batch classes"], teacher: Float[Tensor, "batch classes"]
    ) -> Float[Tensor, ""]:
        """T² KL(p_T || q_T) in nats, mean over the batch: its gradients stay comparable whatever T is.

        Args:
            student: logits.
            teacher: logits.
        """
        q, p = log_softmax(student / self.temperature, -1), log_softmax(teacher / self.temperature, -1)
        return self.temperature**2 * kl_div(q, p, reduction="batchmean", log_target=True)
