"""Which arguments a class takes, read from its constructor."""

import importlib
import inspect


def parameters_of(target: str) -> list[str] | None:
    """Names of the arguments of a class or function.

    Args:
        target: `module.Class`.

    Returns:
        None if anything may be given, or it cannot be told because there is no such class: building it says so.

    >>> parameters_of("channels.Rician")[:1], parameters_of("nowhere.Class")
    (['k_factor'], None)
    """
    module, _, name = target.rpartition(".")
    try:
        parameters = inspect.signature(getattr(importlib.import_module(module), name)).parameters.values()
    except Exception:  # the module may be anyone's, and raise anything
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
