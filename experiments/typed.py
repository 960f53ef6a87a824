"""Whether the fields of an object hold what they are declared to hold."""

import dataclasses
import types
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

OURS = ("airdeliver", "channels", "experiments")
"""Packages whose declarations are meant; a class of one's own may declare as it likes."""


def mistyped(built: Any, key: str) -> Iterator[str]:
    """One line for each field, in an object or in what it holds, whose value is of another type than is declared.

    Args:
        built: of any class.
        key: where it stands, for messages.
    """
    if isinstance(built, tuple | list):
        for number, item in enumerate(built):
            yield from mistyped(item, f"{key}[{number}]")
    if not dataclasses.is_dataclass(built) or isinstance(built, type):
        return
    declared = declared_types(type(built))
    for field in dataclasses.fields(built):
        value = getattr(built, field.name, None)
        kind = declared.get(field.name, Any)
        if not is_of(value, kind):
            shown = repr(value) if len(repr(value)) <= 60 else f"{type(value).__name__}"
            yield f"{key}.{field.name} must be {said(kind)}, got {shown}"
        else:
            yield from mistyped(value, f"{key}.{field.name}")


def is_text_for_a_number(value: Any, owner: Any, name: str) -> bool:
    """Whether a text is given for a field of a class that is declared as a number, or true or false, and nothing else.

    Asked before the class is built, whose own checks would compare the text with numbers.
    """
    if not isinstance(value, str) or not isinstance(owner, type):
        return False
    kind = declared_types(owner).get(name, Any)
    kinds = get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,)
    return set(kinds) <= {int, float, bool, type(None)}


def is_of(value: Any, kind: Any) -> bool:
    """Whether a value is of a declared type; declarations that it does not know, it takes for fulfilled.

    >>> is_of(3, float), is_of(True, int), is_of((1, 2), tuple[int, ...]), is_of("a", Literal["b"] | None)
    (True, False, True, False)
    """
    origin, inner = get_origin(kind), get_args(kind)
    if kind is None or kind is type(None):
        return value is None
    if origin is Literal:
        return value in inner
    if origin in (Union, types.UnionType):
        return any(is_of(value, each) for each in inner)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        each = [inner[0]] * len(value) if inner[1:] == (...,) else list(inner)
        return len(each) == len(value) and all(map(is_of, value, each))
    if kind in (int, float):
        return isinstance(value, int | kind) and not isinstance(value, bool)
    known = origin if isinstance(origin, type) else kind
    return not _is_plain(known) or isinstance(value, known)


def said(kind: Any) -> str:
    """A declared type in words.

    >>> said(int | None), said(tuple[float, ...]), said(Literal["a", "b"])
    ('an int or None', 'a tuple of float', "'a' or 'b'")
    """
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(map(repr, inner))
    if origin in (Union, types.UnionType):
        return " or ".join(said(each) for each in inner)
    if kind is None or kind is type(None):
        return "None"
    if origin is tuple:
        return f"a tuple of {', '.join(getattr(each, '__name__', str(each)) for each in inner if each is not ...)}"
    name = getattr(kind, "__name__", str(kind))
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _is_plain(kind: Any) -> bool:
    """Whether `isinstance` tells what is of a class: not so for protocols and for shapes of tensors."""
    if kind is Any or not isinstance(kind, type):
        return False
    return not getattr(kind, "_is_protocol", False) and "jaxtyping" not in kind.__module__


@lru_cache
def declared_types(kind: type) -> dict[str, Any]:
    """The declared type of each field of a class; nothing where these cannot be told, and of a class of one's own."""
    if kind.__module__.partition(".")[0] not in OURS:
        return {}
    try:
        return get_type_hints(kind)
    except Exception:  # names that exist for type checkers alone
        return {}
