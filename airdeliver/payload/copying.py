"""Copies of torch modules, also of those that `copy.deepcopy` refuses."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from airdeliver.payload.learned import is_float, learned
from airdeliver.payload.published import is_published, mark_of
from airdeliver.payload.reach import outside
from airdeliver.payload.unsent import is_forgotten


@torch.no_grad()
def copied(model: nn.Module) -> nn.Module:
    """A module of the same architecture that shares no learned memory with the model.

    Tensors that were computed (an activation that is kept, a weight that a hook makes of others) are copied without
    their history; what cannot be copied at all (a lock, an open file) is shared.

    Raises:
        ValueError: a module whose own way of copying shares its weights.
    """
    memo = _computed(model)
    try:
        twin = copy.deepcopy(model, dict(memo))
    except Exception:  # A stranger's attribute may fail in any way.
        twin = _by_parts(model, memo)
    own = {each.tensor.data_ptr() for each in learned(model) if each.tensor.numel() and not each.tensor.is_meta}
    for each in learned(twin):
        if each.tensor.numel() and not each.tensor.is_meta and each.tensor.data_ptr() in own:
            raise ValueError(
                f"a copy of the model shares {each.name} with it: correct __deepcopy__ or __getstate__ of its class"
            )
    return twin


@torch.no_grad()
def forget_unregistered(model: nn.Module) -> None:
    """Make what each forward pass computes anew and keeps in a plain attribute NaN: it is made of learned values."""
    marks = [(prefix, mark) for prefix, module in model.named_modules() if (mark := mark_of(module)) is not None]
    for found in outside(model):
        value = found.value
        if (
            isinstance(value, Tensor)
            and is_float(value)
            and is_forgotten(found)
            and not is_published(found.path, marks)
        ):
            value.fill_(torch.nan)


def _computed(model: nn.Module) -> dict[int, Any]:
    """Copies of the tensors that a deep copy would refuse, or would give memory for what it repeats."""
    memo: dict[int, Any] = {}
    for found in outside(model):
        if isinstance(found.value, Tensor) and not found.shared and not found.value.is_leaf:
            memo[id(found.value)] = found.value.detach().clone()
    for module in model.modules():
        for tensor in vars(module).get("_flat_weights", ()):
            if isinstance(tensor, Tensor) and not tensor.is_leaf:
                memo.setdefault(id(tensor), tensor.detach().clone())
        for buffer in module._buffers.values():
            if buffer is not None and not buffer.is_leaf:
                memo[id(buffer)] = buffer.detach().clone()
        for parameter in module._parameters.values():
            if parameter is not None and _is_expanded(parameter):
                repeated = [0 if stride == 0 else slice(None) for stride in parameter.stride()]
                own = parameter.detach()[tuple(slice(0, 1) if r == 0 else r for r in repeated)].clone()
                expanded = own.expand(parameter.shape)
                memo[id(parameter)] = nn.Parameter(expanded, requires_grad=parameter.requires_grad)
    return memo


def _is_expanded(tensor: Tensor) -> bool:
    strided = tensor.layout == torch.strided
    return strided and any(length > 1 and stride == 0 for length, stride in zip(tensor.shape, tensor.stride()))


def _by_parts(model: nn.Module, memo: dict[int, Any]) -> nn.Module:
    """A copy made module by module, in which an attribute that cannot be copied is shared."""
    if id(model) in memo:
        return memo[id(model)]
    kind: Any = type(model)
    twin = kind.__new__(kind)
    memo[id(model)] = twin
    for attribute, value in vars(model).items():
        if attribute in ("_parameters", "_buffers"):
            made: Any = {name: None if t is None else copy.deepcopy(t, memo) for name, t in value.items()}
        elif attribute == "_modules":
            made = {name: None if m is None else _by_parts(m, memo) for name, m in value.items()}
        else:
            made = _attempt(value, memo)
        twin.__dict__[attribute] = made
    return twin


def _attempt(value: Any, memo: dict[int, Any]) -> Any:
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        return type(value)(_attempt(each, memo) for each in value)
    if type(value) is dict:
        return {key: _attempt(each, memo) for key, each in value.items()}
    trial = dict(memo)
    try:
        made = copy.deepcopy(value, trial)
    except Exception:  # A stranger's object may fail in any way.
        return value
    # What `deepcopy` keeps alive stands under the number of the memo itself, which another object may have later.
    kept = trial.pop(id(trial), [])
    memo.update(trial)
    memo.setdefault(id(memo), []).extend(kept)
    return made
