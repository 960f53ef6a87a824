"""Single numbers in plain attributes: those that the module's own code changes are state, all others are settings."""

import dis
import functools
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

DIGITS = 8
"""Significant decimal digits that a person may have typed, of a number in float64."""

DIGITS_32 = 6
"""The same of one in float32, which has nine at most."""


def learned_numbers(model: nn.Module) -> Iterator[tuple[str, float]]:
    """Names and values of single real numbers in plain attributes that were learned, as far as that can be seen.

    Whether a number was learned does not show in what it is: a temperature of 0.7 may be a setting or the outcome of a
    search. Nor does it show in what the network computes, where settings matter as much. What shows is that the class
    itself changes it: a method other than those that construct it writes the attribute, `forward` reads it before
    writing it, and the number has more digits than people type. Numbers that code outside of the class sets are not
    found.

    Args:
        model: any torch module. Classes of installed libraries are published code and are not looked at.
    """
    for prefix, module in model.named_modules():
        names = _changed(type(module))
        for name in names & vars(module).keys() if names else ():
            number = _number(vars(module)[name])
            if number is not None:
                yield (f"{prefix}.{name}" if prefix else name), number


def _number(value: Any) -> float | None:
    """A real number with more digits than people type; None for anything else."""
    if isinstance(value, Tensor):
        if value.numel() != 1 or not value.is_floating_point() or value.is_meta or value.layout != torch.strided:
            return None
        number = float(value.detach())
        value = number if value.dtype == torch.float64 else np.float32(number)
    elif isinstance(value, np.ndarray):
        if value.size != 1 or value.dtype.kind != "f":
            return None
        value = value.reshape(())[()]
    if isinstance(value, bool) or not isinstance(value, float | np.floating):
        return None
    most = DIGITS if np.asarray(value).itemsize > 4 else DIGITS_32
    if not np.isfinite(value) or len(np.format_float_scientific(value, trim="-").split("e")[0].strip("-")) <= most + 1:
        return None
    return float(value)


@functools.cache
def _changed(kind: type) -> frozenset[str]:
    """Attributes that `forward` reads before it writes them and that a method which constructs nothing writes."""
    methods = {
        name: function
        for base in reversed(kind.__mro__)
        if base not in nn.Module.__mro__
        for name, value in vars(base).items()
        if isinstance(function := _plain(value), types.FunctionType) and "site-packages" not in _file(function)
    }
    if "forward" not in methods:
        return frozenset()
    touched = {name: list(_touched(function.__code__)) for name, function in methods.items()}
    answering = _reachable(touched, "forward")
    building = _reachable(touched, "__init__") - answering
    written = {name for method in touched.keys() - building for writes, name in touched[method] if writes}
    first = {method: _first(touched[method]) for method in answering}
    read = {name for touches in first.values() for name, writes in touches.items() if not writes}
    # What `forward` itself writes first is an activation, whoever reads it afterwards.
    return frozenset(name for name in written & read if not first["forward"].get(name, False))


def _plain(value: Any) -> Any:
    value = value.__func__ if isinstance(value, staticmethod | classmethod) else value
    while hasattr(value, "__wrapped__"):
        value = value.__wrapped__
    return value


def _file(function: types.FunctionType) -> str:
    return function.__code__.co_filename


def _touched(code: types.CodeType) -> Iterator[tuple[bool, str]]:
    """Names of attributes in the order of the code, each with whether it is written."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_ATTR", "LOAD_METHOD", "STORE_ATTR"):
            yield step.opname == "STORE_ATTR", str(step.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _touched(constant)


def _first(touches: list[tuple[bool, str]]) -> dict[str, bool]:
    """Whether the first touch of each attribute writes it."""
    first: dict[str, bool] = {}
    for writes, name in touches:
        first.setdefault(name, writes)
    return first


def _reachable(touched: dict[str, list[tuple[bool, str]]], start: str) -> set[str]:
    """Methods that one may call, itself among them."""
    found, todo = set(), [start]
    while todo:
        name = todo.pop()
        if name in touched and name not in found:
            found.add(name)
            todo.extend(other for writes, other in touched[name] if not writes)
    return found
