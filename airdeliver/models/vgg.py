"""VGG for small images: plain stacks of 3 x 3 convolutions."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from torch import nn

from airdeliver.models.base import ModelBuilder, check, convolution, widened

# Channels of each convolution; 0 halves the image by maximum pooling. The cpu size has a single convolution at full
# resolution, where norm and activation cost more than arithmetic: with a second one of 16 channels training was 1.7
# times slower (919 against 539 images a second and core), and for the same time less accurate on CIFAR-10's
# validation images (77.3 % after 4 epochs, against 79.7 % after 7).
STACKS = {
    "cpu": (16, 0, 32, 32, 0, 48, 48, 0, 64, 64),
    "small16": (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512),
}


@dataclass(frozen=True)
class VGG(ModelBuilder):
    """VGG with a norm after each convolution, global average pooling and one linear layer.

    Args:
        width: factor on all channels, rounded to multiples of 8.
        size: `cpu`, for CIFAR-10 in minutes on two cores, or `small16`, VGG16 with a single linear layer of 512
            inputs, as the literature uses it on CIFAR.
        norm: `batch` or `group`.

    | size | parameters | multiply-accumulates an image (3 x 32 x 32, 10 classes) |
    | --- | --- | --- |
    | cpu | 114,586 | 7.2 million |
    | small16 | 14,724,042 | 313 million |

    Raises:
        ValueError: an unknown size or norm, or a width that is not positive.

    Source: K. Simonyan and A. Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR
    2015, configuration D.

    >>> sum(p.numel() for p in VGG()(channels=3, classes=10).parameters())
    114586
    """

    width: float = 1.0
    size: Literal["cpu", "small16"] = "cpu"
    norm: Literal["batch", "group"] = "batch"

    def __post_init__(self):
        check_stack(self.size, self.width, self.norm)

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        return stacked(self.size, self.width, channels, classes, partial(activated, norm=self.norm))


def check_stack(size: str, width: float, norm: str) -> None:
    """Refuse a size, a width and a norm that there are not.

    Raises:
        ValueError: an unknown size or norm, or a width that is not positive.
    """
    check(width, norm)
    if size not in STACKS:
        raise ValueError(f"size must be one of {', '.join(STACKS)}, got {size}")


def activated(inputs: int, outputs: int, norm: str) -> list[nn.Module]:
    """A 3 x 3 convolution, its norm and ReLU."""
    return [*convolution(inputs, outputs, norm), nn.ReLU(inplace=True)]


def stacked(
    size: str,
    width: float,
    channels: int,
    classes: int,
    first: Callable[[int, int], list[nn.Module]],
    layer: Callable[[int, int], list[nn.Module]] | None = None,
) -> nn.Sequential:
    """A stack of layers with pooling between them, global average pooling and one linear layer.

    Args:
        size: name of the stack.
        width: factor on all channels.
        channels: of the images.
        classes: outputs.
        first: makes the first layer, from its channels before and after it.
        layer: makes each other layer; None for what makes the first.
    """
    layers: list[nn.Module] = []
    inputs = channels
    for outputs in STACKS[size]:
        if outputs == 0:
            layers.append(nn.MaxPool2d(2))
            continue
        outputs = widened(outputs, width)
        layers += (layer if layers and layer is not None else first)(inputs, outputs)
        inputs = outputs
    return nn.Sequential(nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
