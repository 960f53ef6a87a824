"""Images at another resolution."""

from torch import Tensor
from torch.nn.functional import interpolate


def at_resolution(images: Tensor, resolution: int) -> Tensor:
    """Images resized to a square, bilinearly and with antialiasing; as they are if they have that size already.

    Args:
        images: `(n, channels, height, width)`.
        resolution: height and width afterwards.

    >>> import torch
    >>> at_resolution(torch.zeros(2, 3, 8, 8), 4).shape
    torch.Size([2, 3, 4, 4])
    """
    if tuple(images.shape[-2:]) == (resolution, resolution):
        return images
    return interpolate(images, (resolution, resolution), mode="bilinear", align_corners=False, antialias=True)
