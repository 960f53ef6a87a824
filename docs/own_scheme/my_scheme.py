"""A sparse network: the smallest weights of each layer are zero before it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from airdeliver import Problem
from airdeliver.package import Package
from airdeliver.schemes import Clean
from airdeliver.training import Trained, Training


@dataclass(frozen=True)
class Sparse(Clean):
    """Sends the largest weights of a cleanly trained network, and zeros for the others.

    Args:
        share: of each layer's weights that stay, by magnitude.
    """

    share: float = 0.5

    def __post_init__(self):
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {self.share}")

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:
        """The package of `Clean` with another payload."""
        package = super().pack(problem, trained, channel_uses)
        choice = package.choices[0]
        layout, parts = choice.payload.layout, []
        for segment, part in zip(layout.segments, layout.split(choice.payload.values), strict=True):
            # Norms and biases are of scales of their own, and stay.
            least = torch.quantile(part.abs(), 1 - self.share) if len(segment.shape) > 1 else 0.0
            parts.append(part * (part.abs() >= least))
        payload = replace(choice.payload, values=torch.cat(parts))
        return replace(package, choices=(replace(choice, payload=payload),))
