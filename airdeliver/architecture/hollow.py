"""Large torch modules without memory for their values: a blank network needs its shapes alone."""

from collections import Counter

import torch
from torch import nn

LARGE = 1 << 20
"""Parameters of a module, in all, from which on memory matters."""

LEAST = 1 << 16
"""Values from which on a parameter gives its memory back."""


@torch.no_grad()
def hollowed(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """Make every value of a large module's large parameters one and the same NaN, in place.

    Only of parameters that share memory with nothing else; each stays the object that it is, so that ties stay ties.

    Args:
        model: a blank one, whose values nobody needs.

    Returns:
        The strides that the parameters had, by name: what `filled` needs.

    >>> model = nn.Linear(2048, 2048)
    >>> strides = hollowed(model)
    >>> strides, model.weight.untyped_storage().nbytes()
    ({'weight': (2048, 1)}, 4)
    >>> filled(model, strides).weight.is_contiguous()
    True
    """
    if sum(p.numel() for p in model.parameters()) < LARGE:
        return {}
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        return {}
    tensors = {id(t): t for t in (*model.parameters(), *model.buffers()) if t.layout == torch.strided}
    owners = Counter(t.untyped_storage().data_ptr() for t in tensors.values())
    strides = {}
    for name, parameter in model.named_parameters():
        storage = parameter.untyped_storage() if id(parameter) in tensors else None
        if type(parameter) is not nn.Parameter or storage is None or not parameter.is_floating_point():
            continue
        own = owners[storage.data_ptr()] == 1 and storage.nbytes() == parameter.numel() * parameter.itemsize
        if own and parameter.numel() >= LEAST:
            strides[name] = parameter.stride()
            parameter.data = parameter.new_full((), torch.nan).expand(parameter.shape)
    return strides


@torch.no_grad()
def filled(model: nn.Module, strides: dict[str, tuple[int, ...]]) -> nn.Module:
    """Give the parameters of a copy of a hollowed module memory of their own, all NaN, and return it.

    Args:
        model: whose parameters are changed in place.
        strides: from `hollowed`.
    """
    for name, stride in strides.items():
        parameter = model.get_parameter(name)
        own = torch.empty_strided(parameter.shape, stride, dtype=parameter.dtype, device=parameter.device)
        parameter.data = own.fill_(torch.nan)
    return model
