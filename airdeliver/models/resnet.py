"""ResNet-20 for CIFAR."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, no_type_check

from jaxtyping import Float
from torch import Tensor, nn

from airdeliver.models.base import ModelBuilder, check, convolution, normalisation, widened

STAGES = ((16, 1), (32, 2), (64, 2))
"""Channels of each stage, and the stride that it begins with."""


class Block(nn.Module):
    """Layers around which the input skips; a 1 x 1 convolution where the shape changes.

    Args:
        residual: the layers.
        inputs: channels before them.
        outputs: channels after them.
        norm: `batch` or `group`, behind the 1 x 1 convolution.
        stride: of the layers, all together.
    """

    def __init__(self, residual: nn.Sequential, inputs: int, outputs: int, norm: str, stride: int):
        super().__init__()
        self.residual = residual
        self.skip = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.skip.append(nn.Conv2d(inputs, outputs, 1, stride, bias=False))
            self.skip.append(normalisation(norm, outputs))
        self.activation = nn.ReLU(inplace=True)

    @no_type_check  # torch.fx traces it with proxies, which are no tensors
    def forward(self, x: Float[Tensor, "images inputs h w"]) -> Float[Tensor, "images outputs h2 w2"]:
        """Activation of the residual plus the skipped input."""
        return self.activation(self.residual(x) + self.skip(x))


@dataclass(frozen=True)
class ResNet20(ModelBuilder):
    """Three stages of three blocks with 16, 32 and 64 channels.

    272,474 parameters with 3 channels and 10 classes, 40.8 million multiply-accumulates for a 32 x 32 image. Where
    the number of channels changes, a 1 x 1 convolution skips (option B of the paper, whose option A has 269,722
    parameters).

    Args:
        width: factor on all channels, rounded to multiples of 8.
        norm: `batch` or `group`.

    Raises:
        ValueError: an unknown norm, or a width that is not positive.

    Source: K. He et al., Deep Residual Learning for Image Recognition, CVPR 2016, section 4.2.

    >>> sum(p.numel() for p in ResNet20()(channels=3, classes=10).parameters())
    272474
    """

    width: float = 1.0
    norm: Literal["batch", "group"] = "batch"

    def __post_init__(self):
        check(self.width, self.norm)

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        return staged(self.width, self.norm, channels, classes, partial(convolved, norm=self.norm))


def convolved(inputs: int, outputs: int, stride: int, norm: str) -> Block:
    """A block of two 3 x 3 convolutions."""
    residual = nn.Sequential(
        *convolution(inputs, outputs, norm, stride), nn.ReLU(inplace=True), *convolution(outputs, outputs, norm)
    )
    return Block(residual, inputs, outputs, norm, stride)


def staged(
    width: float, norm: str, channels: int, classes: int, block: Callable[[int, int, int], nn.Module]
) -> nn.Sequential:
    """A convolution, three stages of three blocks, global average pooling and one linear layer.

    Args:
        width: factor on all channels.
        norm: `batch` or `group`, of the first convolution.
        channels: of the images.
        classes: outputs.
        block: makes a block from channels before and after it, and its stride.
    """
    inputs = widened(16, width)
    layers: list[nn.Module] = [*convolution(channels, inputs, norm), nn.ReLU(inplace=True)]
    for outputs, stride in STAGES:
        outputs = widened(outputs, width)
        for block_stride in (stride, 1, 1):
            layers.append(block(inputs, outputs, block_stride))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
