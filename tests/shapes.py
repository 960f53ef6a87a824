"""Shapes and types of every call are checked while tests run; what names no shape is checked by beartype alone.

`jaxtyping.jaxtyped` binds arguments anew and looks at them twice, for the sizes that shapes share, and builds its
checks when a module is imported. Most functions name no shape: beartype looks at those as closely in a tenth of the
time. All checks are built when a function is called for the first time.
"""

import dataclasses
import inspect
import re
from collections.abc import Callable
from functools import partial, wraps
from typing import Any

import jaxtyping
from jaxtyping import install_import_hook

_full = jaxtyping.jaxtyped

_FULL = re.compile(r"jaxtyping|ForwardRef")
"""In annotations that beartype alone does not understand: shapes, and names that exist for type checkers only."""


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
    strict: Callable[..., Any] | None = None

    @wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        nonlocal strict
        if jaxtyping.config.jaxtyping_disable:
            return function(*args, **kwargs)
        if strict is None:
            hints = function.__annotations__.values()
            full = any(isinstance(hint, str) or _FULL.search(str(hint)) for hint in hints)
            strict = _full(function, typechecker=typechecker) if full else typechecker(function)
        return strict(*args, **kwargs)

    return called
