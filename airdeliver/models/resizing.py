"""Images at another resolution."""

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def at_resolution(images: Tensor, resolution: int) -> Tensor:
    """Images resized to a square, bilinearly and with antialiasing; as they are if they have that size already.

    Args:
        images: `(n, channels, height, width)`.
        resolution: height and width afterwards.

    >>> at_resolution(torch.zeros(2, 3, 8, 8), 4).shape
    torch.Size([2, 3, 4, 4])
    >>> at_resolution(torch.zeros(2, 3, 8, 8, dtype=torch.bfloat16), 4).dtype
    torch.bfloat16
    """
    if tuple(images.shape[-2:]) == (resolution, resolution):
        return images
    # Processors resize with antialiasing in single precision alone.
    wide = images.float() if images.dtype in (torch.bfloat16, torch.float16) else images
    return interpolate(wide, (resolution, resolution), mode="bilinear", align_corners=False, antialias=True).to(
        images.dtype
    )
