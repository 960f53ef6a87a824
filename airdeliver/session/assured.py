"""A choice whose sender knows what score to expect of what has arrived so far."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.package import Choice


@dataclass(frozen=True)
class Promise:
    """The expected score over the loss that noise on the values is expected to add.

    Args:
        points: (added loss, score) in rising order of loss, measured on validation data; between them it is
            interpolated over the logarithm of the loss.

    Raises:
        ValueError: no points, or losses that do not rise.

    >>> Promise(((0.01, 0.9), (1.0, 0.5))).of(torch.tensor([0.001, 0.1, 10.0]))
    tensor([0.9000, 0.7000, 0.5000])
    """

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        losses = [loss for loss, _ in self.points]
        if not losses or losses != sorted(set(losses)) or losses[0] <= 0:
            raise ValueError(f"a promise needs points of rising losses above 0, got {losses}")

    @classmethod
    def measured(cls, losses: Iterable[float], scores: Iterable[float]) -> "Promise":
        """From measurements in any order: what is promised of more loss is never more."""
        points = sorted(dict(zip(losses, scores, strict=True)).items())
        falling = np.minimum.accumulate([score for _, score in points]).tolist()
        return cls(tuple((loss, score) for (loss, _), score in zip(points, falling, strict=True)))

    @property
    def best(self) -> float:
        """Score of the least loss."""
        return self.points[0][1]

    def of(self, loss: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Expected score."""
        losses, scores = zip(*self.points, strict=True)
        found = np.interp(np.log(loss.double().clamp(min=1e-30).cpu().numpy()), np.log(losses), scores)
        return torch.from_numpy(np.asarray(found)).to(loss)


@dataclass(frozen=True)
class AssuredChoice(Choice):
    """A choice that says what score its values promise while noise is still on them.

    Args:
        promise: measured beforehand; None for a sender that never knows enough to stop.
    """

    promise: Promise | None = None
