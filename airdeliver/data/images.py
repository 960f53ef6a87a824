"""Images as inputs: 8-bit, standardised channel by channel, shifted and mirrored."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor

from airdeliver.data.augmentation import Augmentation
from airdeliver.data.inputs import Inputs


@dataclass(frozen=True)
class Images(Inputs):
    """8-bit images; a network sees each channel with mean 0 and variance 1 over the training split.

    Args:
        channels: of colour: 1 or 3.
        height: in pixels.
        width: in pixels.
        mean: of each channel over the training split, in 0..255.
        std: standard deviation of each channel over the training split, in 0..255.
        augmentation: the right one for these images.
    """

    channels: int
    height: int
    width: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels, height and width."""
        return self.channels, self.height, self.width

    @property
    def size(self) -> int:
        """Colour channels."""
        return self.channels

    def prepare(  # noqa: D102
        self, inputs: UInt8[Tensor, "n c h w"], dtype: torch.dtype = torch.float32, channels_last: bool = True
    ) -> Float[Tensor, "n c h w"]:
        n, channels, height, width = inputs.shape
        if channels != self.size:
            raise ValueError(f"images must have {self.size} channels, as the data set has, got {channels}")
        scale = (1 / torch.tensor(self.std)).to(inputs.device)
        shift = -torch.tensor(self.mean).to(inputs.device) * scale
        # Whole rows of pixels are scaled at once: a last axis of 3 channels would be ten times slower.
        rows = inputs.permute(0, 2, 3, 1).reshape(n, height, width * channels)
        rows = rows.float().mul_(scale.repeat(width)).add_(shift.repeat(width)).to(dtype)
        prepared = rows.view(n, height, width, channels).permute(0, 3, 1, 2)
        return prepared if channels_last else prepared.contiguous()

    def augment(self, inputs: Tensor, generator: Generator) -> Tensor:  # noqa: D102
        return self.augmentation(inputs, generator)

    def augment_jointly(self, inputs: Tensor, masks: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:  # noqa: D102
        return self.augmentation.jointly(inputs, masks, generator)


def moments(images: UInt8[Tensor, "n c h w"]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, exact on every machine since they come from integer counts.

    A constant channel has standard deviation 1, so that it can be divided by.

    >>> moments(torch.tensor([0, 0, 10, 10], dtype=torch.uint8).view(1, 1, 2, 2))
    ((5.0,), (5.0,))
    """
    levels = torch.arange(256, dtype=torch.float64)
    means, deviations = [], []
    for channel in images.unbind(1):
        # Some images at a time: counting converts them to eight bytes a pixel.
        counts = torch.zeros(256, dtype=torch.float64)
        for part in channel.split(10_000):
            counts += torch.bincount(part.reshape(-1), minlength=256)
        mean = float((counts * levels).sum() / counts.sum())
        variance = float((counts * (levels - mean) ** 2).sum() / counts.sum())
        means.append(mean)
        deviations.append(variance**0.5 or 1.0)
    return tuple(means), tuple(deviations)
