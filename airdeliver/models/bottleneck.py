"""A network cut in two by a bottleneck: a device computes the first layers, a server the rest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from airdeliver.models.base import ModelBuilder, convolution

EXIT_SIDE = 2
"""Height and width that features are pooled to before the early exit."""

_LEAST = 1e-12


class Device(nn.Module):
    """What the device computes: the first layers, the bottleneck, and an exit of its own if it has one.

    Args:
        head: layers up to the bottleneck, which ends in `channels` maps.
        channels: of the bottleneck.
        classes: of the exit; 0 for none.

    Attributes:
        threshold: with an exit, the confidence (largest probability) from which the exit's answer stands; a value like
            the others, so that whoever delivers the device's part delivers it too.
    """

    threshold: Tensor

    def __init__(self, head: nn.Sequential, channels: int, classes: int) -> None:
        super().__init__()
        self.head = head
        self.exit: nn.Sequential | None = None
        if classes:
            linear = nn.Linear(channels * EXIT_SIDE**2, classes)
            self.exit = nn.Sequential(nn.AdaptiveAvgPool2d(EXIT_SIDE), nn.Flatten(), linear)
            self.register_buffer("threshold", torch.ones(1))

    def forward(self, images: Tensor) -> Float[Tensor, "n channels height width"]:
        """Features of mean square 1 over each image's: what is sent needs no scale."""
        features = self.head(images)
        return features * features.square().mean((1, 2, 3), keepdim=True).clamp(min=_LEAST).rsqrt()

    def answer(self, features: Tensor) -> tuple[Float[Tensor, "n classes"], Tensor]:
        """What the exit says of features, and whether its answer stands.

        Raises:
            ValueError: a device without an exit.
        """
        if self.exit is None:
            raise ValueError("the device has no exit of its own: it asks for every input")
        said = self.exit(features)
        return said, said.softmax(-1).amax(-1) >= self.threshold


class Cut(nn.Module):
    """Both parts; as a whole it computes what a device and a server do over a link that changes nothing.

    Args:
        device: first part.
        server: from features to logits.

    Attributes:
        air: what becomes of features on their way, `(n, values)` to the same; None for nothing.
    """

    def __init__(self, device: Device, server: nn.Sequential) -> None:
        super().__init__()
        self.device, self.server = device, server
        self.air: Callable[[Tensor], Tensor] | None = None

    def arrived(self, images: Tensor) -> Float[Tensor, "n channels height width"]:
        """The features that the server has of images."""
        features = self.device(images)
        return features if self.air is None else self.air(features.flatten(1)).view(features.shape)

    def forward(self, images: Tensor) -> Tensor:  # noqa: D102
        return self.server(self.arrived(images))


@dataclass(frozen=True)
class Bottlenecked(ModelBuilder):
    """Another stack of convolutions with a bottleneck in place of its second block.

    Device: the first block (convolution, norm, ReLU, and the pooling that follows it, if one does), a 2 x 2 convolution
    of stride 2 to a few channels, norm, ReLU. Server: a 3 x 3 convolution to the channels of the second block, norm,
    ReLU, and all layers behind the pooling that ends the second block.

    Args:
        model: the stack: a `CNN`, a `VGG`, or any other whose layers follow one another and that pools.
        channels: of the bottleneck.
        early_exit: whether the device has an exit of its own.

    Raises:
        ValueError: fewer channels than one; when built, a network that is no such stack.

    Source: the split of Y. Matsubara et al., BottleFit: Learning Compressed Representations in Deep Neural Networks.

    >>> from airdeliver.models import VGG
    >>> cut = Bottlenecked(VGG(), channels=12)(3, 10)
    >>> sum(p.numel() for p in cut.device.parameters()), cut.device(torch.zeros(1, 3, 32, 32)).shape
    (1256, torch.Size([1, 12, 8, 8]))
    """

    model: ModelBuilder
    channels: int = 4
    early_exit: bool = False

    def __post_init__(self) -> None:
        if self.channels < 1:
            raise ValueError(f"a bottleneck needs at least 1 channel, got {self.channels}")

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        first, second, rest = _blocks(list(_layers(self.model.architecture(channels, classes))))
        inside, outside = _convolutions(first)[-1].out_channels, _convolutions(second)[-1].out_channels
        narrow = nn.Conv2d(inside, self.channels, 2, 2, bias=False)
        head = nn.Sequential(*first, narrow, nn.BatchNorm2d(self.channels), nn.ReLU(inplace=True))
        decoder = (*convolution(self.channels, outside, "batch"), nn.ReLU(inplace=True))
        return Cut(Device(head, self.channels, classes if self.early_exit else 0), nn.Sequential(*decoder, *rest))


@dataclass(frozen=True)
class DevicePart(ModelBuilder):
    """The device's part of a network that is cut in two, alone: what is delivered to it.

    Args:
        whole: builder of both parts.
    """

    whole: Bottlenecked

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        cut = self.whole.architecture(channels, classes)
        assert isinstance(cut, Cut)
        return cut.device


def teacher_layers(model: nn.Module) -> tuple[nn.Sequential, nn.Sequential, nn.Sequential]:
    """First block, second block and all layers behind it of a network that `Bottlenecked` can cut."""
    first, second, rest = _blocks(list(_layers(model)))
    return nn.Sequential(*first), nn.Sequential(*second), nn.Sequential(*rest)


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    """Layers that follow one another, containers opened."""
    if isinstance(module, nn.Sequential):
        for child in module:
            yield from _layers(child)
    else:
        yield module


def _blocks(layers: list[nn.Module]) -> tuple[list[nn.Module], list[nn.Module], list[nn.Module]]:
    """The first block, the second with the pooling that ends it, and the rest."""
    activation = next((i for i, layer in enumerate(layers) if isinstance(layer, nn.ReLU)), None)
    pools = [i for i, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
    end = -1 if activation is None else activation + 1
    end += end in pools
    pool = next((i for i in pools if i >= end), None)
    if activation is None or pool is None or not _convolutions(layers[:end]) or not _convolutions(layers[end:pool]):
        raise ValueError(
            "a bottleneck needs a stack of convolutions with ReLU and max pooling, one layer after the other, such as "
            f"CNN or VGG: got {', '.join(type(layer).__name__ for layer in layers[:4])}, ..."
        )
    return layers[:end], layers[end : pool + 1], layers[pool + 1 :]


def _convolutions(layers: Sequence[nn.Module]) -> list[nn.Conv2d]:
    return [layer for layer in layers if isinstance(layer, nn.Conv2d)]
