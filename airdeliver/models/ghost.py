"""C-Ghost: half of the channels by convolution, the others as cheap filters of these."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal, no_type_check

import torch
from jaxtyping import Float
from torch import Tensor, nn

from airdeliver.models.base import ModelBuilder, check, convolution, normalisation
from airdeliver.models.resnet import Block, staged
from airdeliver.models.vgg import activated, check_stack, stacked


class Ghost(nn.Module):
    """ceil(c / s) channels by a 3 x 3 convolution, and s - 1 ghosts of each by a filter of its own; c of them go on.

    Args:
        inputs: channels.
        outputs: channels c.
        norm: `batch` or `group`.
        stride: of the convolution.
        ratio: s, channels that go on for each that is convolved.
        size: d of the d x d filters.
        active: whether both parts end with ReLU.
    """

    def __init__(
        self, inputs: int, outputs: int, norm: str, stride: int = 1, ratio: int = 2, size: int = 3, active: bool = True
    ):
        super().__init__()
        own = math.ceil(outputs / ratio)
        ghosts = own * (ratio - 1)
        self.excess = own + ghosts - outputs
        filters = nn.Conv2d(own, ghosts, size, padding=size // 2, groups=own, bias=False)
        self.own = nn.Sequential(*convolution(inputs, own, norm, stride), *_relu(active))
        self.cheap = nn.Sequential(filters, normalisation(norm, ghosts), *_relu(active))

    @no_type_check  # torch.fx traces it with proxies, which are no tensors
    def forward(self, x: Float[Tensor, "n inputs h w"]) -> Float[Tensor, "n outputs h2 w2"]:
        """Channels and their ghosts, one after the other."""
        own = self.own(x)
        together = torch.cat([own, self.cheap(own)], 1)
        return together[:, : -self.excess] if self.excess else together


def _relu(active: bool) -> list[nn.Module]:
    return [nn.ReLU(inplace=True)] if active else []


def ghost_block(inputs: int, outputs: int, stride: int, norm: str, ratio: int, size: int) -> Block:
    """ResNet's block of two ghost modules, the second without ReLU."""
    residual = nn.Sequential(
        Ghost(inputs, outputs, norm, stride, ratio, size), Ghost(outputs, outputs, norm, 1, ratio, size, active=False)
    )
    return Block(residual, inputs, outputs, norm, stride)


@dataclass(frozen=True)
class GhostVGG(ModelBuilder):
    """VGG whose convolutions, but for the first, are ghost modules.

    59,434 parameters and 3.95 million multiply-accumulates at width 1 for 3 x 32 x 32 images of 10 classes: those of a
    plain VGG of width 0.7; at width 1.375 those of a plain one of width 1. Kernels of the convolutions are 3 x 3: with
    1 x 1, the default of the authors' module, nothing but filters of single channels would look at neighbours.

    Args:
        width: factor on all channels, rounded to multiples of 8.
        size: `cpu` or `small16`, as for `VGG`.
        norm: `batch` or `group`.
        ratio: s, channels for each that is convolved.
        filter_size: d, odd, of the filters that make ghosts.

    Raises:
        ValueError: an unknown size or norm, a width that is not positive, a ratio below 2, an even filter.

    Source: K. Han et al., GhostNet: More Features from Cheap Operations, arXiv 1911.11907; C-Ghost of arXiv 2201.03297;
    the authors' module in huawei-noah/Efficient-AI-Backbones.

    >>> sum(p.numel() for p in GhostVGG()(channels=3, classes=10).parameters())
    59434
    """

    width: float = 1.0
    size: Literal["cpu", "small16"] = "cpu"
    norm: Literal["batch", "group"] = "batch"
    ratio: int = 2
    filter_size: int = 3

    def __post_init__(self):
        check_stack(self.size, self.width, self.norm)
        check_ghosts(self.ratio, self.filter_size)

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        ghosts = {"norm": self.norm, "ratio": self.ratio, "size": self.filter_size}
        first = partial(activated, norm=self.norm)
        return stacked(self.size, self.width, channels, classes, first, lambda *ends: [Ghost(*ends, **ghosts)])


@dataclass(frozen=True)
class GhostResNet20(ModelBuilder):
    """ResNet-20 whose blocks are of ghost modules; the first convolution and those that skip stay.

    Args:
        width: factor on all channels, rounded to multiples of 8.
        norm: `batch` or `group`.
        ratio: s, channels for each that is convolved.
        filter_size: d, odd, of the filters that make ghosts.

    Raises:
        ValueError: an unknown norm, a width that is not positive, a ratio below 2, an even filter.

    Source: as for `GhostVGG`.

    >>> sum(p.numel() for p in GhostResNet20()(channels=3, classes=10).parameters())
    141866
    """

    width: float = 1.0
    norm: Literal["batch", "group"] = "batch"
    ratio: int = 2
    filter_size: int = 3

    def __post_init__(self):
        check(self.width, self.norm)
        check_ghosts(self.ratio, self.filter_size)

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        ghosts = {"norm": self.norm, "ratio": self.ratio, "size": self.filter_size}
        return staged(self.width, self.norm, channels, classes, partial(ghost_block, **ghosts))


def check_ghosts(ratio: int, size: int) -> None:
    """Refuse ghost modules that cannot be.

    Raises:
        ValueError: a ratio below 2 or an even filter.
    """
    if ratio < 2 or size < 1 or size % 2 == 0:
        raise ValueError(f"ratio must be at least 2 and filter_size odd, got {ratio} and {size}")
