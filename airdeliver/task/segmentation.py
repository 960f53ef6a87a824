"""Segmentation: a class for each pixel."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from airdeliver.data.targets import UNLABELLED, Masks
from airdeliver.task.accuracy import Accuracy, predicted
from airdeliver.task.answers import finite_rows
from airdeliver.task.base import Task


@dataclass(frozen=True, eq=False)
class Segmentation(Task):
    """A class for each pixel; the score of an image is the share of its pixels whose most likely class is right.

    The mean intersection over union, which the field reports, is one number for all images together: it has no value
    an image, so it is among the extras, and intervals are of the pixel accuracy.

    Args:
        dataset: images with masks.
        boundary: weight of the cross entropy of the pixels at which the class changes within one pixel's distance,
            added to that of all pixels; 0 for none.

    Raises:
        ValueError: a data set without masks, or a negative weight.

    Source: of the boundary's share, as SlimSeg (D. Xue et al., SlimSeg: Slimmable Semantic Segmentation with Boundary
    Supervision, arXiv 2207.06242) has it, after its abstract.
    """

    boundary: float = 0.0

    def __post_init__(self) -> None:
        if not isinstance(self.dataset.targets, Masks):
            raise ValueError(f"segmentation needs masks, data set {self.dataset.name} has none")
        if not self.boundary >= 0:
            raise ValueError(f"boundary must be a weight of at least 0, got {self.boundary}")

    @property
    def accuracy(self) -> Accuracy:
        """Of the pixels; those that nobody has labelled do not count."""
        return Accuracy(self.dataset.classes, self.floor, UNLABELLED)

    @property
    def metric(self) -> str:  # noqa: D102
        return "pixel_accuracy"

    @property
    def bounds(self) -> tuple[float, float]:  # noqa: D102
        return 0.0, 1.0

    @property
    def floor(self) -> float:
        """That of calling every pixel by the commonest class, for which it takes no network."""
        assert isinstance(self.dataset.targets, Masks)
        return self.dataset.targets.commonest

    def loss(
        self, outputs: Float[Tensor, "n classes h w"], targets: Tensor, label_smoothing: float = 0.0
    ) -> Float[Tensor, ""]:
        """Cross entropy in nats, mean over the pixels, and `boundary` times its mean over those at a boundary."""
        labels = targets.long()
        each = nn.functional.cross_entropy(
            outputs, labels, ignore_index=UNLABELLED, label_smoothing=label_smoothing, reduction="none"
        )
        loss = each.sum() / (labels != UNLABELLED).sum().clamp(min=1)
        if self.boundary:
            loss = loss + self.boundary * self.boundary_loss(outputs, targets, label_smoothing)
        return loss

    def boundary_loss(
        self, outputs: Float[Tensor, "n classes h w"], targets: Tensor, label_smoothing: float = 0.0
    ) -> Float[Tensor, ""]:
        """Cross entropy in nats, mean over the labelled pixels at a boundary; 0 where there are none."""
        labels = targets.long()
        edge = boundaries(labels) & (labels != UNLABELLED)
        # They are few: it takes a fraction of the time of all pixels.
        logits, few = outputs.movedim(1, -1)[edge], labels[edge]
        each = nn.functional.cross_entropy(logits, few, label_smoothing=label_smoothing, reduction="sum")
        return each / edge.sum().clamp(min=1)

    def score(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, "n"]:
        """Share of each image's labelled pixels whose most likely class is the right one."""
        return self.accuracy.score(outputs, targets)

    def tally(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, "counts"]:
        """Of each class the pixels that are it and are said to be, then those that are it or are said to be."""
        labels, classes = self.accuracy.labels(outputs, targets), self.dataset.classes
        said = predicted(outputs, labels)
        counted = self.accuracy.known(labels)
        # Of an image with outputs that are not finite, every pixel is wrong: it is said to be nothing.
        said = torch.where(finite_rows(outputs).view(-1, 1, 1), said, classes)
        pairs = torch.bincount(labels[counted] * (classes + 1) + said[counted], minlength=classes * (classes + 1))
        table = pairs.view(classes, classes + 1).double()
        both = table[:, :classes].diagonal()
        return torch.cat([both, table.sum(1) + table[:, :classes].sum(0) - both])

    def extras(self, tally: Float[Tensor, "counts"]) -> Mapping[str, float]:
        """`mean_iou`: intersection over union of each class that occurs, over all images, and then their mean."""
        both, either = tally.view(2, -1)
        return {"mean_iou": float((both / either)[either > 0].mean())}


def boundaries(labels: Tensor) -> Bool[Tensor, "n h w"]:
    """Pixels with one of another class among their eight neighbours.

    >>> boundaries(torch.tensor([[[0, 0, 0, 1]]])).long().tolist()
    [[[0, 0, 1, 1]]]
    """
    values = nn.functional.pad(labels.float()[:, None], (1, 1, 1, 1), mode="replicate")
    highest = nn.functional.max_pool2d(values, 3, 1)
    lowest = -nn.functional.max_pool2d(-values, 3, 1)
    return (highest != lowest)[:, 0]
