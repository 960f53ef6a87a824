"""Learned values that a payload would not carry and a copy would: found, and refused by name."""

import array
import dis
import types
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from airdeliver.payload.constants import is_constant, is_learned_integer
from airdeliver.payload.learned import is_float, join
from airdeliver.payload.published import is_published, mark_of
from airdeliver.payload.reach import Found, numbers, outside
from airdeliver.payload.scalars import learned_numbers


def refuse_unsent(model: nn.Module) -> None:
    """Refuse a model that holds something learned which is neither a parameter nor a buffer.

    Raises:
        ValueError: the first such thing by name, and what to do about it.
    """
    marks = [(prefix, mark) for prefix, module in model.named_modules() if (mark := mark_of(module)) is not None]
    for found in outside(model):
        if not is_published(found.path, marks):
            _check(found)
    for path, number in learned_numbers(model):
        if not is_published(path, marks):
            raise ValueError(
                f"{path} is the number {number:.6g}, which the module's own code changes, and would not be sent: make "
                "it a buffer by register_buffer(), or mark it by published() if the receiver has it"
            )
    for prefix, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            _check_graph(prefix or type(module).__name__, module)
        else:
            _check_state(prefix, module)


def is_forgotten(found: Found) -> bool:
    """Whether a tensor in a plain attribute is made anew in every forward pass: an activation, a masked weight."""
    return not found.shared and (_is_derived(found) or _is_kept(found))


def _check(found: Found) -> None:
    value = found.value
    if isinstance(value, nn.Module):
        name = _first_learned(value)
        if name is None:
            return
        if found.shared:
            raise ValueError(
                f"{found.path} is a module of the sender's that a function, a class or a global variable holds, so "
                f"that {name} would reach the receiver unsent: make it a submodule and call it as self.NAME"
            )
        raise ValueError(
            f"{found.path}.{name} is learned and its module is not registered, so that it would not be sent: put the "
            "module into an attribute of its own, nn.ModuleList or nn.ModuleDict"
        )
    if is_forgotten(found) or not _may_be_learned(found):
        return
    raise ValueError(
        f"{found.path} is a {_described(value)} that is neither parameter nor buffer, so that it would not be sent: "
        "register it as one (register_buffer(..., persistent=False) if it is a constant of the architecture)"
    )


def _may_be_learned(found: Found) -> bool:
    value = found.value
    if isinstance(value, (bytes, bytearray, memoryview, array.array, torch.ScriptObject)):
        return True
    if isinstance(value, Tensor):
        tensor = value.detach()
    else:
        held = np.asarray(value if isinstance(value, np.ndarray) else numbers(value))
        if held.dtype.kind not in "fciub":
            return False
        tensor = torch.from_numpy(np.array(held, held.dtype.newbyteorder("=")))
    if isinstance(value, Tensor) and value.requires_grad and value.is_leaf:
        return True
    if tensor.numel() < 2 or tensor.is_meta:
        return False
    name = _own_name(found)
    if tensor.is_quantized:
        return True
    return not is_constant(name, tensor) if is_float(tensor) else is_learned_integer(name, tensor)


def _own_name(found: Found) -> str:
    """The last word of a path that is a name, not a number in a list."""
    named = [part for part in found.path.replace(":", ".").split(".") if not part.isdigit()]
    return named[-1] if named else found.attribute


def _is_derived(found: Found) -> bool:
    """Whether a weight is computed from parameters before every forward pass: weight norm, spectral norm, pruning."""
    parameters = found.module._parameters
    name = found.attribute
    return f"{name}_orig" in parameters or f"{name}_g" in parameters


def _is_kept(found: Found) -> bool:
    """Whether the forward pass writes the attribute before it reads it."""
    if not isinstance(found.value, Tensor) or (found.value.requires_grad and found.value.is_leaf):
        return False
    return _written_first(type(found.module), found.attribute)


def _written_first(kind: type, attribute: str) -> bool:
    """Whether `forward`, and the methods that it calls, write an attribute, none of them reading it before."""
    written, todo, done = False, ["forward"], set()
    while todo:
        name = todo.pop()
        function = getattr(kind, name, None)
        if name in done or not isinstance(function, types.FunctionType):
            continue
        done.add(name)
        function = _unwrapped(function)
        first = None
        for step in dis.get_instructions(function):
            if step.opname in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR") and step.argval == attribute:
                first = first or step.opname
            elif step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
                todo.append(str(step.argval))
        written = written or first == "STORE_ATTR"
        if first not in (None, "STORE_ATTR") and name == "forward":
            return False
    return written


def _unwrapped(function: Any) -> Any:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function


def _check_state(prefix: str, module: nn.Module) -> None:
    """Refuse learned values that a module's own way of saving itself adds to its state dict."""
    kind = type(module)
    name = join(prefix, "get_extra_state")
    if kind.get_extra_state is not nn.Module.get_extra_state and _holds_numbers(module.get_extra_state()):
        raise ValueError(
            f"{name}() holds learned values that the payload would not carry: keep them in parameters or buffers"
        )
    if kind._save_to_state_dict is nn.Module._save_to_state_dict:
        return
    saved: dict[str, Any] = {}
    module._save_to_state_dict(saved, "", True)
    own = {*module._parameters, *module._buffers}
    for key, value in saved.items():
        if key not in own and not key.endswith("_extra_state") and _holds_numbers(value):
            raise ValueError(
                f"{join(prefix, key)} of {kind.__module__}.{kind.__qualname__} is packed, not a parameter or buffer, "
                "so that it would not be sent: send the network before it is quantised or packed"
            )


def _check_graph(path: str, module: torch.jit.ScriptModule) -> None:
    """Refuse learned values that TorchScript has made constants of its code, as freezing and tracing do."""
    graph = getattr(module, "inlined_graph", None)
    for node in () if graph is None else graph.findAllNodes("prim::Constant", True):
        if not node.hasAttribute("value") or node.kindOf("value") != "t":
            continue
        value = node.t("value")
        dense = value.to_dense() if value.layout != torch.strided else value
        if dense.numel() > 1 and is_float(dense) and not is_constant("", dense):
            raise ValueError(
                f"{path} is TorchScript whose code holds {dense.numel()} learned values as a constant, which would not "
                "be sent: send the module that it was made of, or script it without freezing it"
            )


def _holds_numbers(state: Any) -> bool:
    """Whether something that a module saves could be learned: anything but settings."""
    if isinstance(state, Tensor):
        return state.numel() > 0 and (is_float(state) or state.is_quantized or state.numel() > 1)
    if isinstance(state, dict):
        return any(_holds_numbers(value) for value in state.values())
    if isinstance(state, (list, tuple, set)):
        return any(_holds_numbers(value) for value in state)
    return not isinstance(state, (str, bool, int, type(None), torch.dtype, torch.device, torch.Size, torch.qscheme))


def _first_learned(module: nn.Module) -> str | None:
    """The name of a parameter, or of a buffer that is no constant."""
    for name, _ in module.named_parameters():
        return name
    for name, buffer in module.named_buffers():
        if not is_constant(name, buffer) if is_float(buffer) else is_learned_integer(name, buffer):
            return name
    return None


def _described(value: Any) -> str:
    kind = type(value).__name__
    if isinstance(value, torch.ScriptObject):
        return f"packed {kind}"
    held = numbers(value) or value
    values = held.numel() if isinstance(held, Tensor) else held.size if isinstance(held, np.ndarray) else len(held)
    return f"{kind} of {values} values"
