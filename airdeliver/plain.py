"""Recipes as JSON and back: frozen dataclasses, by the names of their classes."""

import dataclasses
import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

TRUSTED = ("airdeliver", "channels")
"""Packages whose classes a file may name: a file of unknown origin must not run any other code."""


def refused(value: Any) -> Any:
    """What has no place in a file.

    Raises:
        TypeError: always.
    """
    raise TypeError(f"cannot write {value!r} into a file: use a dataclass of numbers, texts and dataclasses")


def attributes(value: Any) -> dict[str, Any]:
    """An object of any class as its class and its attributes, for files that nobody else writes.

    Raises:
        TypeError: it is more than its attributes, as a tensor is, or they hold what cannot be written.
    """
    kind = type(value)
    own = kind.__reduce_ex__ is not object.__reduce_ex__ or kind.__reduce__ is not object.__reduce__
    if isinstance(value, type) or own or not hasattr(value, "__dict__"):
        refused(value)
    _, made_with, state, *rest = (*value.__reduce_ex__(2), None)
    if made_with != (kind,) or any(part is not None for part in rest) or (state or {}) != vars(value):
        refused(value)
    return {"class": dotted(kind), **{name: to_plain(item, attributes) for name, item in vars(value).items()}}


def to_plain(recipe: Any, other: Callable[[Any], Any] = refused, brief: bool = False) -> Any:
    """What JSON can hold of numbers, texts, sequences, mappings and dataclasses.

    A dataclass is its class and the fields of its constructor.

    Args:
        recipe: what is to be written.
        other: what becomes of everything else; refused if it is not given.
        brief: whether fields at their default are left out: one more field with a default then changes nothing.

    Raises:
        TypeError: something that cannot be written.

    >>> from channels import AWGN, Rician
    >>> to_plain((AWGN(), 5.0))
    [{'class': 'channels.awgn.AWGN'}, 5.0]
    >>> to_plain(Rician(3.0), brief=True)
    {'class': 'channels.fading.Rician', 'k_factor': 3.0}
    """
    if recipe is None or isinstance(recipe, bool | int | float | str):
        return recipe
    if isinstance(recipe, list | tuple):
        return [to_plain(item, other, brief) for item in recipe]
    if isinstance(recipe, Mapping):
        if "class" in recipe:
            raise TypeError("a mapping with the key 'class' would be taken for an object: use another word")
        return {str(name): to_plain(item, other, brief) for name, item in recipe.items()}
    if not dataclasses.is_dataclass(recipe) or isinstance(recipe, type):
        return other(recipe)
    fields = [field for field in dataclasses.fields(recipe) if field.init]
    plain = {field.name: to_plain(getattr(recipe, field.name), other, brief) for field in fields}
    if brief:
        defaults = {field.name: to_plain(default_of(field), other, brief) for field in fields if has_default(field)}
        plain = {name: value for name, value in plain.items() if name not in defaults or value != defaults[name]}
    return {"class": dotted(type(recipe)), **plain}


def from_plain(plain: Any, trusted: Sequence[str] | None = ()) -> Any:
    """The inverse of `to_plain`; sequences become tuples, fields that are not given their default.

    Args:
        plain: from JSON.
        trusted: packages whose classes may be made, beside those of this project; None for all, where nobody else
            can have written it: then objects of any class are made from what `attributes` wrote.

    Raises:
        ValueError: a class of another package, one that there is not, or one that does not take these fields.

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
    if "class" not in plain:
        return {str(name): from_plain(value, trusted) for name, value in plain.items()}
    name = str(plain["class"])
    known = (*TRUSTED, *(trusted or ()))
    if trusted is not None and name.partition(".")[0] not in known:
        raise ValueError(
            f"the file names {name}, which is not of {', '.join(known)}: if you trust it, give its package"
        )
    kind = _class(name)
    if trusted is not None and not dataclasses.is_dataclass(kind):
        raise ValueError(f"the file names {name}, which is no dataclass")
    values = {str(name): from_plain(value, trusted) for name, value in plain.items() if name != "class"}
    if not dataclasses.is_dataclass(kind):
        made = object.__new__(kind)
        vars(made).update(values)
        return made
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"the file has other values than {name} takes: was it written by another version?") from error


def dotted(kind: Any) -> str:
    """The name by which a class is found again."""
    return f"{kind.__module__}.{kind.__qualname__}"


def has_default(field: dataclasses.Field) -> bool:
    """Whether a field need not be given."""
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def default_of(field: dataclasses.Field) -> Any:
    """What a field is if it is not given."""
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _class(name: str) -> type:
    """The class of a dotted name; it may be nested in others.

    Raises:
        ValueError: there is none.
    """
    words = name.split(".")
    for end in range(len(words) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(words[:end]))
            for word in words[end:]:
                found = getattr(found, word)
        except ModuleNotFoundError:
            continue
        except (ImportError, AttributeError) as error:
            raise _missing(name) from error
        if not isinstance(found, type):
            raise ValueError(f"the file names {name}, which is no dataclass")
        if dotted(found) != name:  # a class of another package, by way of a module that imports it
            raise _missing(name)
        return found
    raise _missing(name)


def _missing(name: str) -> ValueError:
    return ValueError(f"the file names {name}, which does not exist here: was it written by another version?")
