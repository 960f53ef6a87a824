"""A small convolutional network for images of about 8 x 8, such as the digits."""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from airdeliver.models.base import ModelBuilder, check, convolution, widened


@dataclass(frozen=True)
class CNN(ModelBuilder):
    """Three 3 x 3 convolutions, each with a norm, the first two followed by pooling, and one linear layer.

    14,458 parameters and 0.45 million multiply-accumulates for 1 x 8 x 8 images of 10 classes.

    Args:
        width: factor on all channels, rounded to multiples of 8.
        norm: `batch` or `group`.

    Raises:
        ValueError: an unknown norm, or a width that is not positive.

    >>> sum(p.numel() for p in CNN()(channels=1, classes=10).parameters())
    14458
    """

    width: float = 1.0
    norm: Literal["batch", "group"] = "batch"

    def __post_init__(self):
        check(self.width, self.norm)

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        small, large = widened(16, self.width), widened(32, self.width)
        return nn.Sequential(
            *convolution(channels, small, self.norm),
            nn.ReLU(inplace=True),
            *convolution(small, large, self.norm),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            *convolution(large, large, self.norm),
            nn.ReLU(inplace=True),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(large, classes),
        )
