"""The memory format in which convolutions of images are fastest."""

import torch
from torch import nn


def channels_last(network: nn.Module) -> nn.Module:
    """Bring the tensors of four axes into channels-last memory, in place, and return the network.

    Unlike `network.to(memory_format=torch.channels_last)`, it leaves kernels of volumes, which have five axes and no
    such format, as they are.

    >>> channels_last(nn.Sequential(nn.Conv2d(2, 2, 3), nn.Conv3d(2, 2, 3)))[0].weight.stride()
    (18, 1, 6, 2)
    """
    return network._apply(lambda t: t.to(memory_format=torch.channels_last) if t.ndim == 4 else t)
