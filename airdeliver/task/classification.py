"""Classification: one of several classes for each example."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from airdeliver.task.base import Signature, Task


@dataclass(frozen=True, eq=False)
class Classification(Task):
    """One class for each example; the score is 1 where the most likely class is the label, else 0."""

    @property
    def metric(self) -> str:
        """Accuracy."""
        return "accuracy"

    @property
    def bounds(self) -> tuple[float, float]:
        """From 0 to 1."""
        return 0.0, 1.0

    @property
    def floor(self) -> float:
        """Chance: one over the number of classes."""
        return 1 / self.dataset.classes

    @property
    def signature(self) -> Signature:
        """An image in, a logit for each class out."""
        return Signature(self.dataset.shape, self.dataset.channels, self.dataset.classes)

    def loss(
        self, outputs: Float[Tensor, "batch classes"], targets: Int64[Tensor, "batch"], label_smoothing: float = 0.0
    ) -> Float[Tensor, ""]:
        """Cross entropy in nats, mean over the batch."""
        return nn.functional.cross_entropy(outputs, targets, label_smoothing=label_smoothing)

    def score(self, outputs: Float[Tensor, "n classes"], targets: Int64[Tensor, "n"]) -> Float[Tensor, "n"]:
        """1 where the most likely class is the label, else 0: its mean is the accuracy."""
        right = (outputs.argmax(-1) == targets).to(torch.float32)
        return torch.where(outputs.isfinite().all(-1), right, self.floor)
