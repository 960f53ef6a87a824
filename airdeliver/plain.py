"""Recipes as JSON and back: frozen dataclasses of this project, by the names of their classes."""

import dataclasses
import importlib
from collections.abc import Sequence
from typing import Any

TRUSTED = ("airdeliver", "channels")
"""Packages whose classes a file may name: a file of unknown origin must not run any other code."""


def to_plain(recipe: Any) -> Any:
    """What JSON can hold of numbers, texts, sequences and dataclasses; a dataclass is its class and its fields.

    Raises:
        TypeError: something else.

    >>> from channels import AWGN
    >>> to_plain((AWGN(), 5.0))
    [{'class': 'channels.awgn.AWGN'}, 5.0]
    """
    if recipe is None or isinstance(recipe, bool | int | float | str):
        return recipe
    if isinstance(recipe, list | tuple):
        return [to_plain(item) for item in recipe]
    if not dataclasses.is_dataclass(recipe) or isinstance(recipe, type):
        raise TypeError(f"cannot write {recipe!r} into a file: use a dataclass of numbers, texts and dataclasses")
    kind = type(recipe)
    fields = {f.name: to_plain(getattr(recipe, f.name)) for f in dataclasses.fields(recipe) if f.init}
    return {"class": f"{kind.__module__}.{kind.__qualname__}", **fields}


def from_plain(plain: Any, trusted: Sequence[str] | None = ()) -> Any:
    """The inverse of `to_plain`; sequences become tuples.

    Args:
        plain: from JSON.
        trusted: packages whose classes may be made, beside those of this project; None for all, where nobody else
            can have written it.

    Raises:
        ValueError: a class of another package, or one that there is not.

    >>> from_plain({"class": "channels.awgn.AWGN"})
    AWGN()
    >>> from_plain({"class": "os.system"})
    Traceback (most recent call last):
    ...
    ValueError: the file names os.system, which is not of airdeliver, channels: if you trust it, give its package
    """
    if isinstance(plain, list):
        return tuple(from_plain(item, trusted) for item in plain)
    if not isinstance(plain, dict):
        return plain
    fields = dict(plain)
    dotted = str(fields.pop("class"))
    module, _, name = dotted.rpartition(".")
    known = (*TRUSTED, *(trusted or ()))
    if trusted is not None and dotted.partition(".")[0] not in known:
        raise ValueError(
            f"the file names {dotted}, which is not of {', '.join(known)}: if you trust it, give its package"
        )
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"the file names {dotted}, which does not exist here: was it written by another version?"
        ) from error
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        raise ValueError(f"the file names {dotted}, which is no dataclass")
    return kind(**{key: from_plain(value, trusted) for key, value in fields.items()})
