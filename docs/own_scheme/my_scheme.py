"""A sparse network: its smallest weights are zero before it is sent."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from airdeliver import Problem
from airdeliver.package import Package
from airdeliver.payload import Payload
from airdeliver.schemes import Clean
from airdeliver.training import Trained, Training


@dataclass(frozen=True)
class Sparse(Clean):
    """Sends the largest values of a cleanly trained network, and zeros for the others.

    Args:
        share: of the values that stay, by magnitude.
    """

    share: float = 0.5

    def __post_init__(self):
        if not 0 < self.share <= 1:
            raise ValueError(f"share must be above 0 and at most 1, got {self.share}")

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:
        """The package of `Clean` with another payload."""
        package = super().pack(problem, trained, channel_uses)
        choice = package.choices[0]
        values = choice.payload.values
        kept = values.abs() >= torch.quantile(values.abs(), 1 - self.share)
        payload = Payload(values * kept, choice.payload.layout)
        return replace(package, choices=(replace(choice, payload=payload),))
