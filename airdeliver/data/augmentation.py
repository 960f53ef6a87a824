"""Augmentation of a batch as tensor operations, with randomness of each image's own."""

from dataclasses import dataclass

import torch
from jaxtyping import Int64, UInt8
from torch import Generator, Tensor


@dataclass(frozen=True)
class Augmentation:
    """Random crop of the image reflected at its borders, and random horizontal flip, for each image alone.

    Args:
        padding: the crop is shifted by up to this many pixels in each direction; 0 for none.
        flip: whether every second image, at random, is mirrored left to right.

    Raises:
        ValueError: negative padding.

    >>> images = torch.zeros(4, 3, 32, 32, dtype=torch.uint8)
    >>> Augmentation(padding=4, flip=True)(images, torch.Generator().manual_seed(0)).shape
    torch.Size([4, 3, 32, 32])
    """

    padding: int = 0
    flip: bool = False

    def __post_init__(self):
        if self.padding < 0:
            raise ValueError(f"padding must be 0 pixels or more, got {self.padding}")

    def __call__(self, images: UInt8[Tensor, "n c h w"], generator: Generator) -> UInt8[Tensor, "n c h w"]:
        """Augmented copies, in channels-last memory.

        Args:
            images: 8-bit images, fastest in channels-last memory.
            generator: source of each image's shift and flip, on the images' device.

        Raises:
            ValueError: images not larger than the padding.
        """
        if not self.padding and not self.flip:
            return images
        return _gathered(images, self._source(images, generator))

    def jointly(
        self, images: UInt8[Tensor, "n c h w"], masks: UInt8[Tensor, "n h w"], generator: Generator
    ) -> tuple[UInt8[Tensor, "n c h w"], UInt8[Tensor, "n h w"]]:
        """Augmented copies of images and of the masks over them: every mask is shifted and mirrored as its image is.

        Args:
            images: 8-bit images, fastest in channels-last memory; augmented as by a call, with the same draws.
            masks: a class for each pixel.
            generator: source of each image's shift and flip, on the images' device.

        Raises:
            ValueError: images not larger than the padding.
        """
        if not self.padding and not self.flip:
            return images, masks
        source = self._source(images, generator)
        return _gathered(images, source), masks.reshape(-1).index_select(0, source).view(masks.shape)

    def _source(self, images: UInt8[Tensor, "n c h w"], generator: Generator) -> Int64[Tensor, "pixels"]:
        """Reflection, crop and flip are one choice of source pixel for every pixel: a single gather."""
        n, _, height, width = images.shape
        if self.padding >= min(height, width):
            raise ValueError(f"padding must be below the images' {height} x {width} pixels, got {self.padding}")
        device = generator.device
        shifts = torch.randint(-self.padding, self.padding + 1, (2, n, 1), generator=generator, device=device)
        rows = _reflected(torch.arange(height, device=device) + shifts[0], height)
        columns = _reflected(torch.arange(width, device=device) + shifts[1], width)
        if self.flip:
            flipped = torch.rand((n, 1), generator=generator, device=device) < 0.5
            columns = torch.where(flipped, columns.flip(1), columns)
        rows = (torch.arange(n, device=device).unsqueeze(1) * height + rows) * width
        return (rows.unsqueeze(2) + columns.unsqueeze(1)).view(-1)


def _gathered(images: UInt8[Tensor, "n c h w"], source: Int64[Tensor, "pixels"]) -> UInt8[Tensor, "n c h w"]:
    n, channels, height, width = images.shape
    pixels = images.permute(0, 2, 3, 1).reshape(n * height * width, channels)
    return pixels.index_select(0, source).view(n, height, width, channels).permute(0, 3, 1, 2)


def _reflected(positions: Tensor, length: int) -> Tensor:
    positions = positions.abs()
    return torch.minimum(positions, 2 * (length - 1) - positions)
