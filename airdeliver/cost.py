"""What a network costs to run."""

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode


@torch.no_grad()
def multiply_accumulates(model: nn.Module, example: Tensor) -> int:
    """Multiply-accumulates of convolutions and linear layers for one example.

    Args:
        model: left in evaluation mode.
        example: one prepared input, a batch of one.

    >>> multiply_accumulates(nn.Conv2d(3, 8, 3, padding=1), torch.zeros(1, 3, 32, 32)) == 3 * 8 * 9 * 32 * 32
    True
    """
    example = example.to(next(model.parameters()).device)
    with FlopCounterMode(display=False) as counter:
        model.eval()(example)
    return counter.get_total_flops() // 2
