"""Two convolutions and a linear layer."""

from dataclasses import dataclass

from torch import nn

from airdeliver.models import ModelBuilder


@dataclass(frozen=True)
class Small(ModelBuilder):
    """A network for small grey or colour images.

    Args:
        features: channels of both convolutions.
    """

    features: int = 16

    def __post_init__(self):
        if self.features < 1:
            raise ValueError(f"features must be at least 1, got {self.features}")

    def architecture(self, channels: int, classes: int) -> nn.Module:
        """The layers; their weights are drawn afterwards, from the seed."""
        return nn.Sequential(
            nn.Conv2d(channels, self.features, 3, padding=1, bias=False),
            nn.BatchNorm2d(self.features),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(self.features, self.features, 3, padding=1, bias=False),
            nn.BatchNorm2d(self.features),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(self.features, classes),
        )
