"""torch's optimisers without torch's compiler, whose import takes longer than many a training.

Optimisers of torch keep `torch.compile` away from some of their functions, for which they import it, a thousand
modules, when they are made: 1.3 s of processor time in every process that trains. Nothing is compiled here. These have
the functions within, which do the same.
"""

from inspect import unwrap

import torch
from torch.optim import Optimizer

_add_param_group, _zero_grad = unwrap(Optimizer.add_param_group), unwrap(Optimizer.zero_grad)


class SGD(torch.optim.SGD):
    """`torch.optim.SGD`, made in no time."""

    add_param_group = _add_param_group
    zero_grad = _zero_grad
    step = torch.no_grad()(unwrap(torch.optim.SGD.step))


class AdamW(torch.optim.AdamW):
    """`torch.optim.AdamW`, made in no time."""

    add_param_group = _add_param_group
    zero_grad = _zero_grad
    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))
