"""What a network costs to run."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


@torch.no_grad()
def multiply_accumulates(model: nn.Module, shape: tuple[int, int, int]) -> int:
    """Multiply-accumulates of convolutions and linear layers for one image.

    Args:
        model: left in evaluation mode.
        shape: channels, height and width of an image.

    >>> multiply_accumulates(nn.Conv2d(3, 8, 3, padding=1), (3, 32, 32)) == 3 * 8 * 9 * 32 * 32
    True
    """
    image = torch.zeros(1, *shape, device=next(model.parameters()).device)
    with FlopCounterMode(display=False) as counter:
        model.eval()(image)
    return counter.get_total_flops() // 2
