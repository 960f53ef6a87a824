"""Shapes and types of every call are checked while tests run; what names no shape is checked by beartype alone.

`jaxtyping.jaxtyped` binds arguments anew and looks at them twice, for the sizes that shapes share, and builds its
checks when a module is imported. Most functions name no shape: beartype looks at those as closely in a tenth of the
time. Of those that do, jaxtyping looks at each set of shapes and dtypes once: its answer depends on nothing else, and
trainings and searches call with the same shapes a hundred thousand times. All checks are built when a function is
called for the first time.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable
from functools import cache, partial, update_wrapper, wraps
from types import FunctionType, NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import jaxtyping
import numpy as np
import torch
from jaxtyping import AbstractArray, install_import_hook

_full = jaxtyping.jaxtyped

_FULL = re.compile(r"jaxtyping|ForwardRef")
"""In annotations that beartype alone does not understand: shapes, and names that exist for type checkers only."""

_ABSENT = object()


def install(packages: list[str]) -> None:
    """Check all functions and dataclasses of packages that have not been imported yet."""
    jaxtyping.jaxtyped = _checked
    install_import_hook(packages, "beartype.beartype")


def _checked(function: Any = None, *, typechecker: Callable[[Any], Any]) -> Any:
    """What the import hook decorates with, in place of `jaxtyping.jaxtyped`."""
    if function is None:
        return partial(_checked, typechecker=typechecker)
    if inspect.isclass(function):
        if dataclasses.is_dataclass(function) and not hasattr(function.__init__, "__wrapped__"):
            function.__init__ = _checked(function.__init__, typechecker=typechecker)  # type: ignore[misc]
        return function
    if not inspect.isfunction(function):
        return _full(function, typechecker=typechecker)
    if not function.__annotations__:
        return function
    strict: Callable[..., Any] | None = None

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        nonlocal strict
        if jaxtyping.config.jaxtyping_disable:
            return function(*args, **kwargs)
        if strict is None:
            strict = _strict(function, typechecker)
        return strict(*args, **kwargs)

    return called


def _strict(function: Any, typechecker: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function with the cheapest checks that see everything."""
    hints = function.__annotations__
    shaped = {name: hint for name, hint in hints.items() if isinstance(hint, str) or _FULL.search(str(hint))}
    if not shaped:
        return typechecker(function)
    if inspect.isgeneratorfunction(function) or not all(map(_told_by_shapes, shaped.values())):
        return _full(function, typechecker=typechecker)
    return _once_a_shape(function, shaped, typechecker)


def _told_by_shapes(hint: Any) -> bool:
    """Whether types, dtypes and shapes of a value decide if it is what the hint says."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType, list) or (origin is tuple and Ellipsis not in inner):
        return all(map(_told_by_shapes, inner))
    if not isinstance(hint, type) or origin is not None:
        return False
    # A size in braces is that of another argument, whatever that is.
    return hint is NoneType or not issubclass(hint, AbstractArray) or "{" not in hint.dim_str


def _told(value: Any) -> Any:
    """Types, dtypes and shapes of a value; None for a list of unlike items, of which beartype looks at any one."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return type(value), value.dtype, value.shape
    if type(value) is tuple:
        inner = tuple(map(_told, value))
        return None if None in inner else inner
    if type(value) is list:
        alike = set(map(_told, value))
        return None if len(alike) > 1 or None in alike else (list, *alike)
    return type(value)


def _once_a_shape(function: Any, shaped: dict[str, Any], typechecker: Callable[[Any], Any]) -> Callable[..., Any]:
    """A function whose arguments and answer jaxtyping looks at where it has not seen their shapes together.

    Args:
        function: what is to be checked.
        shaped: its hints that have shapes.
        typechecker: looks at the other hints, at each call.
    """
    strict = _full(function, typechecker=typechecker)
    places = [(i, name) for i, name in enumerate(inspect.signature(function).parameters) if name in shaped]
    accepted: set[Any] = set()
    seen: set[Any] = set()
    answers: list[Any] = []

    @cache
    def loose() -> Callable[..., Any]:
        others = {name: Any if name in shaped else hint for name, hint in function.__annotations__.items()}
        return typechecker(_hinted(function, others))

    @cache
    def answering() -> Callable[..., Any]:
        return _full(_hinted(function, function.__annotations__, answers), typechecker=typechecker)

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        given = tuple([_told(args[i] if i < len(args) else kwargs.get(name, _ABSENT)) for i, name in places])
        known = given in accepted
        answer = loose()(*args, **kwargs) if known else strict(*args, **kwargs)
        if None not in given:
            accepted.add(given)
        if "return" in shaped and (together := (given, _told(answer))) not in seen:
            if known:
                answers.append(answer)
                answering()(*args, **kwargs)
            if None not in given and None not in together:
                seen.add(together)
        return answer

    return called


def _hinted(function: Any, hints: dict[str, Any], answers: list[Any] | None = None) -> Any:
    """A function with other hints; with answers, one that takes the last of these in place of working."""

    def answered(*args: Any, **kwargs: Any) -> Any:
        return answers.pop()  # type: ignore[union-attr]

    source = function if answers is None else answered
    made = FunctionType(
        source.__code__, function.__globals__, function.__name__, source.__defaults__, source.__closure__
    )
    made.__kwdefaults__ = source.__kwdefaults__
    update_wrapper(made, function)
    made.__annotations__ = dict(hints)
    if answers is None:
        del made.__wrapped__
    return made
