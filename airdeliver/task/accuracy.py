"""Accuracy: the share of answers, or of pixels, whose most likely class is the right one."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from airdeliver.task.answers import floored
from airdeliver.task.base import Score


@dataclass(frozen=True)
class Accuracy(Score):
    """1 where the most likely class is the label, else 0; the share of such pixels where there is a label for each.

    A single output is the logit of class 1 of two.

    Args:
        classes: how many there are.
        chance: what a delivery of which nothing usable arrived counts as; None for one over the number of classes.
        unlabelled: a label that nobody has said the truth of, neither right nor wrong; None if there is none.

    Raises:
        ValueError: fewer than one class.

    >>> Accuracy(3).score(torch.eye(3), torch.tensor([0, 1, 1])).tolist()
    [1.0, 1.0, 0.0]
    """

    classes: int
    chance: float | None = None
    unlabelled: int | None = None

    def __post_init__(self) -> None:
        if self.classes < 1:
            raise ValueError(f"accuracy needs at least one class, got {self.classes}")

    @property
    def metric(self) -> str:  # noqa: D102
        return "accuracy"

    @property
    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return 0.0, 1.0

    @property
    def floor(self) -> float:  # noqa: D102
        return 1 / self.classes if self.chance is None else self.chance

    def floor_of(self, outputs: Tensor) -> float:
        """One over as many classes as the answers tell apart: labels alone may not show all that there are.

        A network that is broken gains nothing by that.
        """
        return 1 / max(self.classes, logits(outputs)) if self.chance is None else self.chance

    def score(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, "n"]:
        """See the class.

        Args:
            outputs: logits (n, classes) or (n, classes, h, w); (n, 1), (n, 1, h, w) or (n,) for two classes.
            targets: labels (n,), (n, 1) or (n, h, w), whole numbers from 0.

        Raises:
            ValueError: shapes that do not belong together, or labels out of range.
        """
        labels = self.labels(outputs, targets)
        right = (predicted(outputs, labels) == labels).to(torch.float32)
        floor = self.floor_of(outputs)
        if labels.ndim > 1:
            known = self.known(labels)
            count = known.flatten(1).sum(1)
            shares = (right * known).flatten(1).sum(1) / count.clamp(min=1)
            right = torch.where(count > 0, shares, floor)
        return floored(right, outputs, floor)

    def known(self, labels: Tensor) -> Bool[Tensor, "..."]:
        """Which labels somebody has given."""
        return torch.ones_like(labels, dtype=torch.bool) if self.unlabelled is None else labels != self.unlabelled

    def labels(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Targets as int64 in the shape that the outputs ask for.

        Raises:
            ValueError: shapes that do not belong together, labels that are no whole numbers from 0 to classes - 1.
        """
        shapes = f"outputs {tuple(outputs.shape)} and labels {tuple(targets.shape)}"
        if targets.is_floating_point() or targets.is_complex():
            raise ValueError(
                f"labels must be whole numbers, got {targets.dtype}: "
                "labels.long() makes them whole, numbers to predict need task=Explained()"
            )
        if targets.ndim == 2 and targets.shape[1] == 1 and outputs.ndim <= 2:
            targets = targets[:, 0]
        wanted = (len(outputs), *outputs.shape[2:])
        if outputs.ndim < 1 or tuple(targets.shape) != wanted:
            one_hot = targets.shape == outputs.shape
            meant = ": labels.argmax(1) makes numbers of one-hot labels" if one_hot else ""
            raise ValueError(f"there must be a logit of each class for each label, got {shapes}{meant}")
        said = logits(outputs)
        if targets.dtype == torch.bool and said > 2:
            raise ValueError(f"labels must be the numbers of {said} classes, got true and false: {shapes}")
        if said < self.classes:
            raise ValueError(f"there must be a logit of each of the {self.classes} classes, got {shapes}")
        labels = targets.long()
        given = labels if self.unlabelled is None else labels[self.known(labels)]
        least, greatest = (int(end) for end in given.aminmax()) if given.numel() else (0, 0)
        if not 0 <= least <= greatest < said:
            raise ValueError(f"labels must be from 0 to {said - 1}, got {least} to {greatest}")
        return labels


def logits(outputs: Tensor) -> int:
    """How many classes outputs tell apart: a single one is the logit of class 1 of two.

    >>> logits(torch.zeros(5)), logits(torch.zeros(5, 1)), logits(torch.zeros(5, 3))
    (2, 2, 3)
    """
    return 2 if outputs.ndim == 1 or outputs.shape[1] == 1 else outputs.shape[1]


def predicted(outputs: Tensor, labels: Tensor) -> Tensor:
    """The most likely class, of each example or of each pixel, in the shape of the labels."""
    if outputs.shape == labels.shape and outputs.ndim == 1:
        return (outputs > 0).long()
    return (outputs[:, 0] > 0).long() if outputs.shape[1] == 1 else outputs.argmax(1)
