"""The task: what the delivered network is for."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor, nn

from airdeliver.data import Dataset
from airdeliver.models import ModelBuilder
from airdeliver.recipe import Recipe


@dataclass(frozen=True)
class Task:
    """Data splits, model builder, loss and metric, and how networks are trained for them.

    Args:
        dataset: images and labels; the test split is never used to choose anything.
        model: the unpruned architecture.
        training: how a network is trained from scratch.
        fine_tuning: how a trained network is trained further, through the link.
        seed: of every random draw, in training as in delivery.
        threads: of each computation; part of what identifies a result, because threads change sums.
        device: where tensors live.
    """

    dataset: Dataset
    model: ModelBuilder
    training: Recipe = field(default_factory=Recipe)
    fine_tuning: Recipe = field(default_factory=Recipe)
    seed: int = 0
    threads: int = 1
    device: str = "cpu"

    def build(self, generator: Generator | None = None) -> nn.Module:
        """A network of the task's architecture, initialised from `generator`."""
        return self.model(self.dataset.channels, self.dataset.classes, generator)

    def loss(
        self, logits: Float[Tensor, "batch classes"], labels: Int64[Tensor, "batch"], label_smoothing: float = 0.0
    ) -> Float[Tensor, ""]:
        """Cross entropy in nats, mean over the batch."""
        return nn.functional.cross_entropy(logits, labels, label_smoothing=label_smoothing)

    def metric(self, logits: Float[Tensor, "batch classes"], labels: Int64[Tensor, "batch"]) -> Float[Tensor, "batch"]:
        """1 where the most likely class is the label, else 0: its mean is the accuracy."""
        return (logits.argmax(-1) == labels).to(torch.float32)
