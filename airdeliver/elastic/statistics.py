"""What members have of batch norm for themselves: scales and shifts, and the moments of what they normalise."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from airdeliver.normalisation import batch_norms, estimate_statistics
from airdeliver.randomness import stream
from airdeliver.task.base import Task

CALIBRATION_BATCH = 256
"""Training examples of one batch that moments are averaged over."""


@dataclass(frozen=True)
class Statistics:
    """Which parts of the norms are a member's own.

    In training every member normalises by the moments of its batch. What differs is what it has afterwards; over the
    air the receiver estimates moments anew unless the recipe sends them.

    Args:
        affine: `shared` scales and shifts, of which a member takes its channels', or `own` ones of each member.
        moments: `own` running averages of each member, or `calibrated`: reset after the training and averaged with
            equal weight over some batches, which costs members that are rarely trained nothing.
        batches: of that calibration, `CALIBRATION_BATCH` training examples each.

    Raises:
        ValueError: an unknown word, or no batch.

    Source: J. Yu et al., arXiv 1812.08928 (own); J. Yu and T. Huang, arXiv 1903.05134 (calibrated).
    """

    affine: Literal["shared", "own"] = "shared"
    moments: Literal["own", "calibrated"] = "own"
    batches: int = 5

    def __post_init__(self) -> None:
        if self.affine not in ("shared", "own") or self.moments not in ("own", "calibrated"):
            raise ValueError(
                f"affine must be shared or own and moments own or calibrated, got {self.affine!r} and {self.moments!r}"
            )
        if self.batches < 1:
            raise ValueError(f"batches must be at least 1, got {self.batches}")

    def own_names(self, model: nn.Module) -> frozenset[str]:
        """Names of the parameters that each member has for itself.

        >>> sorted(Statistics("own").own_names(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))))
        ['1.bias', '1.weight']
        """
        if self.affine == "shared":
            return frozenset()
        norms = ((path, m) for path, m in model.named_modules() if isinstance(m, _BatchNorm | nn.GroupNorm))
        return frozenset(f"{path}.{name}" for path, m in norms for name, _ in m.named_parameters(recurse=False))

    def calibrate(self, models: Iterable[nn.Module], task: Task, seed: int) -> None:
        """Reset and average the moments of each model over training examples, if they are calibrated.

        Args:
            models: changed in place, left in evaluation mode.
            task: whose training split, neither augmented nor with labels.
            seed: of the choice of examples.
        """
        if self.moments == "own":
            return
        data = task.dataset
        order = torch.randperm(len(data.train), generator=stream(seed, "calibration"))
        rows = order[: self.batches * CALIBRATION_BATCH].split(CALIBRATION_BATCH)
        batches = [data.prepare(data.train.take(part)[0]) for part in rows]
        for model in models:
            if batch_norms(model):
                estimate_statistics(model, _on(batches, next(model.parameters()).device))


def _on(batches: list[Tensor], device: torch.device) -> list[Tensor]:
    return [batch.to(device) for batch in batches]
