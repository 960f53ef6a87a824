"""A multilayer perceptron for rows of numbers."""

from dataclasses import dataclass

from torch import nn

from airdeliver.models.base import ModelBuilder


@dataclass(frozen=True)
class MLP(ModelBuilder):
    """Fully connected layers with ReLU between them.

    Args:
        width: units of each hidden layer.
        depth: hidden layers; 0 for a linear model.

    Raises:
        ValueError: a width below 1, or a negative depth.

    >>> sum(p.numel() for p in MLP(width=64, depth=2)(10, 1).parameters())
    4929
    """

    width: int = 64
    depth: int = 2

    def __post_init__(self):
        if self.width < 1 or self.depth < 0:
            raise ValueError(f"width must be at least 1 and depth at least 0, got {self.width} and {self.depth}")

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        layers: list[nn.Module] = []
        inputs = channels
        for _ in range(self.depth):
            layers += [nn.Linear(inputs, self.width), nn.ReLU()]
            inputs = self.width
        return nn.Sequential(*layers, nn.Linear(inputs, classes))
