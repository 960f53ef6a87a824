"""What a torch module holds outside of its parameters, buffers and submodules: in attributes, lists, closures."""

import array
import dis
import functools
import types
import weakref
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

MANY = 16
"""Numbers in a plain list, or in a global tensor, that may still be settings; more could be learned."""

_LIMIT = 200_000
"""Objects that are looked at in one model."""

_OWN = frozenset(
    [
        "_parameters",
        "_buffers",
        "_modules",
        "_non_persistent_buffers_set",
        "training",
        "_flat_weights",
        "_flat_weight_refs",
        "_compiled_call_impl",
        "_airdeliver_published",
    ]
)
"""Attributes that every module has, or that repeat what is registered."""

_ATOMS = (
    str,
    int,
    float,
    complex,
    bool,
    type(None),
    types.ModuleType,
    type,
    torch.dtype,
    torch.device,
    torch.Generator,
)


@dataclass(frozen=True)
class Found:
    """Something that may be learned and is not registered.

    Args:
        path: where it is, for people: `layers.0`.
        value: a tensor, an array, a module, bytes, or an object of TorchScript.
        module: whose attribute it is reached from.
        attribute: of that module.
        shared: whether a deep copy of the module would hold the very same object: it stands in a function's closure, in
            a global variable, in a class or behind a weak reference.
    """

    path: str
    value: Any
    module: nn.Module
    attribute: str
    shared: bool


def outside(model: nn.Module) -> Iterator[Found]:
    """All that a model's code may look at and that is not among its parameters, buffers and submodules."""
    walk = _Walk(model)
    for prefix, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            continue
        for attribute, value in list(vars(module).items()):
            if attribute not in _OWN and not _is_nothing(value):
                path = f"{prefix}.{attribute}" if prefix else attribute
                yield from walk.from_(value, path, module, attribute, False)
        for kind in type(module).__mro__:
            if kind is nn.Module:
                break
            yield from walk.of_class(kind, prefix or type(module).__name__, module)


def _is_nothing(value: Any) -> bool:
    """Whether a walk would end there, as at most attributes that torch gives its modules."""
    return isinstance(value, _ATOMS) or (type(value) in (dict, OrderedDict) and not value)


class _Walk:
    """A walk over objects, each once."""

    def __init__(self, model: nn.Module) -> None:
        self.registered = {id(module) for module in model.modules()}
        for module in model.modules():
            for tensor in (*module._parameters.values(), *module._buffers.values()):
                self.registered.add(id(tensor))
        self.seen: dict[tuple[int, bool], Any] = {}

    def from_(self, value: Any, path: str, module: nn.Module, attribute: str, shared: bool) -> Iterator[Found]:
        stack: deque[tuple[Any, str, bool]] = deque([(value, path, shared)])
        while stack and len(self.seen) < _LIMIT:
            here, where, shares = stack.popleft()
            if isinstance(here, _ATOMS) or (id(here), shares) in self.seen:
                continue
            self.seen[id(here), shares] = here
            if _is_leaf(here):
                if shares or id(here) not in self.registered:
                    yield Found(where, here, module, attribute, shares)
                if isinstance(here, nn.Module) and id(here) not in self.registered:
                    stack.extend(
                        (inner, f"{where}.{name}", shares) for name, inner in vars(here).items() if name not in _OWN
                    )
                continue
            stack.extend((inner, f"{where}{step}", shares or held) for inner, step, held in _inside(here))

    def of_class(self, kind: type, path: str, module: nn.Module) -> Iterator[Found]:
        """Attributes of a class and what its functions close over; libraries are published code."""
        if (id(kind), True) in self.seen or kind.__module__.partition(".")[0] in ("torch", "builtins"):
            return
        self.seen[id(kind), True] = kind
        for name, value in list(vars(kind).items()):
            function = _function(value)
            if function is not None and "site-packages" in function.__code__.co_filename:
                continue
            yield from self.from_(value, f"{path}.{name}", module, name, True)


def _is_leaf(value: Any) -> bool:
    if isinstance(value, (list, tuple, dict)):
        found = numbers(value)
        return found is not None and len(found) > MANY and float in map(type, found)
    if isinstance(value, (bytes, bytearray, memoryview, array.array)):
        return len(value) > MANY or (isinstance(value, array.array) and value.typecode in "fd" and len(value) > 1)
    if isinstance(value, np.ndarray):
        return not value.dtype.hasobject
    return isinstance(value, (Tensor, nn.Module, torch.ScriptObject))


def numbers(value: Any, depth: int = 5) -> list[int | float] | None:
    """The numbers of a list, tuple or mapping that holds nothing but numbers, or lists of them; None for others.

    Args:
        value: that may hold them.
        depth: of lists within lists, at most.

    >>> numbers([[0.5, 1], (2,)]), numbers({"a": 0.5}), numbers([0.5, "a"])
    ([0.5, 1, 2], [0.5], None)
    """
    if type(value) in (int, float):
        return [value]
    if not isinstance(value, (list, tuple, dict)) or not value or not depth:
        return None
    found: list[int | float] = []
    for each in value.values() if isinstance(value, dict) else value:
        # The first one tells most of what holds something else, at once.
        inner = numbers(each, depth - 1) if type(each) in (int, float, list, tuple) else None
        if inner is None:
            return None
        found += inner
    return found


def _inside(value: Any) -> Iterator[tuple[Any, str, bool]]:
    """What an object refers to, how one gets there, and whether a deep copy of the object would share it."""
    if isinstance(value, Mapping):
        for key, inner in list(value.items()):
            yield inner, f".{key}" if isinstance(key, str | int) else "", False
        yield from ((key, ":key", False) for key in list(value))
        yield getattr(value, "default_factory", None), ":default", False
    elif isinstance(value, np.ndarray):
        yield from ((inner, f".{i}", False) for i, inner in enumerate(value.ravel().tolist()))
    elif isinstance(value, (list, tuple, set, frozenset, deque)):
        yield from ((inner, f".{i}", False) for i, inner in enumerate(list(value)))
    elif isinstance(value, functools.partial):
        yield from ((inner, "", False) for inner in (value.func, *value.args, *value.keywords.values()))
    elif isinstance(value, types.MethodType):
        yield value.__self__, "", False
        yield value.__func__, "", False
    elif isinstance(value, weakref.ref):
        yield value(), "", True
    elif (function := _function(value)) is not None:
        yield from closed_over(function)
    elif _is_strangers(value):
        held = {**getattr(value, "__dict__", {})}
        for slot in getattr(type(value), "__slots__", ()):
            held.setdefault(slot, getattr(value, slot, None))
        yield from ((inner, f".{name}", False) for name, inner in held.items())


def _function(value: Any) -> types.FunctionType | None:
    if isinstance(value, property):
        value = value.fget
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    return value if isinstance(value, types.FunctionType) else None


def closed_over(function: types.FunctionType) -> Iterator[tuple[Any, str, bool]]:
    """Cells of the closure, defaults, and the global variables that a stranger's function names."""
    if (function.__module__ or "").partition(".")[0] == "torch":
        return
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield cell.cell_contents, f":{name}", True
        except ValueError:  # A cell that nothing was put in yet.
            continue
    defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    yield from ((value, ":default", True) for value in defaults)
    if "site-packages" in function.__code__.co_filename:
        return
    for name in dict.fromkeys(_globals(function.__code__)):
        value = function.__globals__.get(name)
        nearby = isinstance(value, types.FunctionType) and value.__module__ == function.__module__
        if nearby or isinstance(value, (list, dict, nn.Module)) or (_is_leaf(value) and _size(value) > MANY):
            yield value, f":{name}", True


def _globals(code: types.CodeType) -> Iterator[str]:
    """Global variables that code reads, and the functions, comprehensions and classes within it."""
    # Not `co_names`: it holds the names of attributes too, which are no globals.
    yield from (step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL")
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _globals(constant)


def _size(value: Any) -> int:
    if isinstance(value, Tensor):
        return value.numel()
    return int(value.size) if isinstance(value, np.ndarray) else MANY + 1


def _is_strangers(value: Any) -> bool:
    """Whether an object is of a class whose attributes are worth a look: neither torch's nor the language's."""
    root = type(value).__module__.partition(".")[0]
    return root not in ("torch", "builtins", "typing", "threading", "logging", "collections", "enum", "numpy", "keras")
