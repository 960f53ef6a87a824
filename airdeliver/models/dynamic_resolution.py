"""Any architecture at one of several resolutions, which a small network chooses for each image."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from airdeliver.conversion import Converted, converted, tuple_of
from airdeliver.models.base import ModelBuilder, convolution
from airdeliver.models.cnn import CNN
from airdeliver.models.dynamic import Dynamic
from airdeliver.models.resizing import at_resolution

PREDICTOR = (8, 16)
"""Channels of the convolutions of the predictor, each of which halves the image."""


def falling_pixels(resolutions: Any) -> tuple[int, ...]:
    """Resolutions in pixels, the finest first, each once.

    >>> falling_pixels([8, 6, 4])
    (8, 6, 4)
    """

    def pixels(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 255:
            raise ValueError(f"must be whole numbers from 1 to 255 pixels, got {value!r}")
        return value

    found = tuple_of(pixels)(resolutions)
    if not found or list(found) != sorted(set(found), reverse=True):
        raise ValueError(f"must be falling resolutions, one at least, got {list(found)}")
    return found


class PrivateNorm(nn.Module):
    """A batch norm of which each resolution has one of its own.

    Args:
        norm: that takes the place of.
        count: of resolutions.

    Attributes:
        active: the number of the resolution that is computed now.
    """

    def __init__(self, norm: _BatchNorm, count: int) -> None:
        super().__init__()
        self.active = 0
        kind: Any = type(norm)
        own = (norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        self.norms = nn.ModuleList(kind(*own) for _ in range(count))

    def forward(self, x: Tensor) -> Tensor:
        """What the active one makes of its inputs."""
        return self.norms[self.active](x)


class ResolutionNetwork(Dynamic):
    """A network that sees each image at the resolution which the predictor thinks best.

    The images of a batch are parted by their resolution, so that in training each batch norm sees its own alone. Where
    moments are estimated anew (evaluation mode, but for the norms) each norm sees all images at its resolution: those
    that are served may choose one for a few images of one class, whose moments say nothing but that class.

    Args:
        network: with a `PrivateNorm` in place of each batch norm.
        predictor: of a logit for each resolution, from images at `seen`.
        resolutions: in pixels, the finest first.
        seen: resolution that the predictor sees.

    Attributes:
        shares: None where the predictor chooses. Otherwise the resolution of an image is drawn, each as often as its
            share says, and the predictor is not asked: what its choice is worth is told by the comparison.
        forced: the path that every image takes, though the predictor is asked; None for its own choice.
    """

    def __init__(self, network: nn.Module, predictor: nn.Module, resolutions: Sequence[int], seen: int) -> None:
        super().__init__()
        self.network, self.predictor = network, predictor
        self.resolutions, self.seen = tuple(resolutions), seen
        self.paths = tuple(f"{resolution}px" for resolution in self.resolutions)
        self.shares: tuple[float, ...] | None = None
        self.forced: int | None = None
        self.taken = torch.zeros(0, dtype=torch.int64)

    def forward(self, images: Float[Tensor, "n channels h w"]) -> Tensor:
        """What the network says of each image at its resolution."""
        self.taken = self.choice(images)
        if self.training or not any(m.training for m in self.network.modules()):
            return self.routed(images, self.taken)
        every = torch.stack([self.at(images, number) for number in range(len(self.resolutions))])
        return every[self.taken, torch.arange(len(images), device=images.device)]

    def choice(self, images: Float[Tensor, "n channels h w"]) -> Int64[Tensor, "n"]:
        """The number of the resolution of each image."""
        if self.shares is not None:
            # The same draw for every batch of a length, as `estimate_statistics` asks of random networks.
            generator = torch.Generator().manual_seed(0)
            drawn = torch.multinomial(torch.tensor(self.shares), len(images), replacement=True, generator=generator)
            return drawn.to(images.device)
        chosen = self.logits(images).argmax(1)
        return chosen if self.forced is None else torch.full_like(chosen, self.forced)

    def logits(self, images: Float[Tensor, "n channels h w"]) -> Float[Tensor, "n resolutions"]:
        """What the predictor says of the images."""
        return self.predictor(at_resolution(images, self.seen))

    def at(self, images: Float[Tensor, "n channels h w"], number: int) -> Tensor:
        """What the network says of all images at one resolution.

        Args:
            images: of full resolution.
            number: of the resolution.
        """
        for module in self.network.modules():
            if isinstance(module, PrivateNorm):
                module.active = number
        return self.network(at_resolution(images, self.resolutions[number]))

    def routed(self, images: Float[Tensor, "n channels h w"], chosen: Int64[Tensor, "n"]) -> Tensor:
        """What the network says of each image at a given resolution.

        Args:
            images: of full resolution.
            chosen: number of the resolution of each.
        """
        parts, rows = [], []
        for number in range(len(self.resolutions)):
            own = torch.nonzero(chosen == number).flatten()
            if len(own):
                parts.append(self.at(images[own], number))
                rows.append(own)
        said = torch.cat(parts)
        return torch.zeros_like(said).index_copy(0, torch.cat(rows), said)

    def along(self, path: int) -> "ResolutionNetwork":  # noqa: D102
        if self.shares is not None:
            return self.drawing([float(number == path) for number in range(len(self.paths))])
        one = copy(self)
        one.forced = path
        return one

    def drawing(self, shares: Sequence[float]) -> "ResolutionNetwork":
        """The same network, its parameters shared, with resolutions that are drawn.

        Args:
            shares: of each resolution, at least 0, not all of them.
        """
        one = copy(self)
        one.shares = tuple(map(float, shares))
        return one


@dataclass(frozen=True)
class DynamicResolution(ModelBuilder):
    """Another architecture at a resolution that a predictor chooses for each image; batch norms of each their own.

    The predictor is two strided 3 x 3 convolutions of 8 and 16 channels with their norms, average pooling and a linear
    layer: 1,467 values and 32 thousand multiply-accumulates with 3 channels, 3 resolutions and 16 pixels.

    Args:
        model: the architecture; it must bear images of any resolution.
        resolutions: in pixels, the finest first.
        seen: resolution that the predictor sees.

    Raises:
        ValueError: resolutions that do not fall, or are none.

    Source: M. Zhu et al., Dynamic Resolution Network, arXiv 2106.02898.

    >>> network = DynamicResolution(resolutions=(8, 4), seen=8)(1, 10)
    >>> network.eval()(torch.rand(5, 1, 8, 8)).shape, len(network.taken)
    (torch.Size([5, 10]), 5)
    """

    model: ModelBuilder = field(default_factory=CNN)
    resolutions: Converted[Iterable[int], tuple[int, ...]] = converted(falling_pixels, (32, 24, 16))
    seen: int = 16

    def __post_init__(self) -> None:
        if not 1 <= self.seen <= 255:
            raise ValueError(f"seen must be from 1 to 255 pixels, got {self.seen}")

    def architecture(self, channels: int, classes: int) -> ResolutionNetwork:  # noqa: D102
        count = len(self.resolutions)
        network = self.model.architecture(channels, classes)
        for module in list(network.modules()):
            for name, child in module.named_children():
                if isinstance(child, _BatchNorm):
                    setattr(module, name, PrivateNorm(child, count))
        layers: list[nn.Module] = []
        for width in PREDICTOR:
            layers += [*convolution(channels, width, "batch", stride=2), nn.ReLU(inplace=True)]
            channels = width
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, count)]
        return ResolutionNetwork(network, nn.Sequential(*layers, *head), self.resolutions, self.seen)

    def initialise(self, model: nn.Module, generator: Generator) -> None:
        """The network as its architecture does, then the predictor."""
        assert isinstance(model, ResolutionNetwork)
        self.model.initialise(model.network, generator)
        super().initialise(model.predictor, generator)
