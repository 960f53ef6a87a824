"""Classification: one of several classes for each example, be it an image, a row of numbers or a text."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn

from airdeliver.task.accuracy import Accuracy
from airdeliver.task.base import Task


@dataclass(frozen=True, eq=False)
class Classification(Task):
    """One class for each example; the score is 1 where the most likely class is the label, else 0.

    >>> from airdeliver.data import load_dataset
    >>> task = Classification(load_dataset("digits"))
    >>> task.metric, task.bounds, task.floor, task.signature.outputs
    ('accuracy', (0.0, 1.0), 0.1, 10)
    """

    @property
    def accuracy(self) -> Accuracy:
        """Of as many classes as the data set has."""
        return Accuracy(self.dataset.classes)

    @property
    def metric(self) -> str:
        """Accuracy."""
        return self.accuracy.metric

    @property
    def bounds(self) -> tuple[float, float]:
        """From 0 to 1."""
        return self.accuracy.bounds

    @property
    def floor(self) -> float:
        """Chance: one over the number of classes."""
        return self.accuracy.floor

    def loss(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Float[Tensor, ""]:
        """Cross entropy in nats, mean over the batch; a single output is the logit of class 1 of two."""
        if outputs.ndim == 1 or outputs.shape[1] == 1:
            labels = self.accuracy.labels(outputs, targets).to(outputs.dtype)
            smooth = labels * (1 - label_smoothing) + label_smoothing / 2
            return nn.functional.binary_cross_entropy_with_logits(outputs.view(-1), smooth)
        targets = targets[:, 0] if targets.ndim == 2 else targets
        return nn.functional.cross_entropy(outputs, targets, label_smoothing=label_smoothing)

    def score(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, "n"]:
        """1 where the most likely class is the label, else 0: its mean is the accuracy."""
        return self.accuracy.score(outputs, targets)
