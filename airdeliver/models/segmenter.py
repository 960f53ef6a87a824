"""A small segmentation network: an encoder as VGG's, and a classifier on each of its finer scales."""

from dataclasses import dataclass
from typing import Literal, no_type_check

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate

from airdeliver.models.base import ModelBuilder, check, convolution, widened

BLOCKS = ((16,), (32, 32), (48, 48), (64, 64))
"""Channels of the convolutions of each block; each block but the first begins by halving the image."""


class Scales(nn.Module):
    """An encoder of four scales, and 1 x 1 convolutions to the classes on the last three, enlarged and summed."""

    def __init__(self, channels: int, classes: int, width: float, norm: str):
        super().__init__()
        self.blocks, self.heads = nn.ModuleList(), nn.ModuleList()
        inputs = channels
        for number, block in enumerate(BLOCKS):
            layers: list[nn.Module] = [nn.MaxPool2d(2)] if number else []
            for outputs in block:
                outputs = widened(outputs, width)
                layers += [*convolution(inputs, outputs, norm), nn.ReLU(inplace=True)]
                inputs = outputs
            self.blocks.append(nn.Sequential(*layers))
            if number:
                self.heads.append(nn.Conv2d(inputs, classes, 1))

    @no_type_check  # torch.fx traces it with proxies, which are no tensors
    def forward(self, x: Float[Tensor, "n channels h w"]) -> Float[Tensor, "n classes h w"]:
        """A logit of each class for each pixel."""
        features, size = [], x.shape[-2:]
        for block in self.blocks:
            x = block(x)
            features.append(x)
        second, third, fourth = (head(each) for head, each in zip(self.heads, features[1:], strict=True))
        third = third + interpolate(fourth, size=third.shape[-2:], mode="bilinear")
        second = second + interpolate(third, size=second.shape[-2:], mode="bilinear")
        return interpolate(second, size=size, mode="bilinear")


@dataclass(frozen=True)
class Segmenter(ModelBuilder):
    """Four blocks of 3 x 3 convolutions with a norm each, 1 x 1 classifiers on blocks 2 to 4, enlarged and summed.

    115,553 parameters with 3 channels and 11 classes. Images have at least 8 pixels a side.

    Args:
        width: factor on all channels, rounded to multiples of 8.
        norm: `batch` or `group`.

    Raises:
        ValueError: an unknown norm, or a width that is not positive.

    Source: J. Long, E. Shelhamer and T. Darrell, Fully Convolutional Networks for Semantic Segmentation, CVPR 2015
    (scores of several scales, summed).

    >>> import torch
    >>> Segmenter()(3, 11)(torch.zeros(1, 3, 32, 32)).shape
    torch.Size([1, 11, 32, 32])
    """

    width: float = 1.0
    norm: Literal["batch", "group"] = "batch"

    def __post_init__(self):
        check(self.width, self.norm)

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        return Scales(channels, classes, self.width, self.norm)
