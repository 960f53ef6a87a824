"""Parts of a model that the receiver has already: left out of the payload by name."""

from fnmatch import fnmatchcase
from typing import Any, TypeVar

from torch import nn

M = TypeVar("M")

_MARK = "_airdeliver_published"

Mark = tuple[tuple[str, ...], tuple[str, ...]]


def published(model: M, *names: str, but: tuple[str, ...] = ()) -> M:
    """Mark parts of a model as published: they are not sent, the receiver has their exact values.

    An adapter is sent alone, on a base that the receiver knows, and a constant that looks like something learned is
    left where it is. The mark stays with the model and its copies; a second call replaces the first.

    Args:
        model: a torch module or a Keras model, or a part of a torch module; it is marked in place.
        names: of parameters and buffers, from this module on: whole names, beginnings that end at a dot (`features.0`),
            or patterns (`*.base_layer.*`); none for all of it.
        but: names, beginnings or patterns of what travels nevertheless.

    Returns:
        The model.

    Raises:
        ValueError: a name that fits no parameter or buffer.

    >>> from airdeliver.payload import layout_of
    >>> layout_of(published(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), "0")).names
    ('1.weight', '1.bias')
    """
    known = _names(model)
    for name in (*names, *but):
        if not any(fits(each, (name,)) for each in known):
            raise ValueError(
                f"{name!r} fits no parameter or buffer of {type(model).__name__}: names are such as {known[:3]}"
            )
    object.__setattr__(model, _MARK, (names or ("*",), but))
    return model


def mark_of(model: Any) -> Mark | None:
    """What `published` said of a module, if anything."""
    return getattr(model, "__dict__", {}).get(_MARK)


def copy_mark(source: Any, target: Any) -> None:
    """Carry a mark over to a model that was built anew."""
    mark = mark_of(source)
    if mark is not None:
        object.__setattr__(target, _MARK, mark)


def is_published(name: str, marks: list[tuple[str, Mark]]) -> bool:
    """Whether a tensor is left out.

    Args:
        name: dotted, from the model on.
        marks: of the model and its parts, each with the part's dotted name.
    """
    for prefix, (names, but) in marks:
        if prefix and not name.startswith(prefix + "."):
            continue
        inner = name[len(prefix) + 1 :] if prefix else name
        if fits(inner, names) and not fits(inner, but):
            return True
    return False


def fits(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name is one of these, begins with one of these up to a dot, or follows one as a pattern."""
    return any(
        name == pattern or name.startswith(pattern.rstrip(".") + ".") or fnmatchcase(name, pattern)
        for pattern in patterns
    )


def _names(model: Any) -> list[str]:
    """What can be marked: parameters, buffers, and plain attributes beside them."""
    if not isinstance(model, nn.Module):
        return [f"{position}.{variable.name}" for position, variable in enumerate(model.weights)]
    tensors = (*model.named_parameters(remove_duplicate=False), *model.named_buffers(remove_duplicate=False))
    attributes = (
        f"{prefix}.{name}" if prefix else name
        for prefix, module in model.named_modules()
        for name in vars(module)
        if not name.startswith("_") and name != "training"
    )
    return [*(name for name, _ in tensors), *attributes]
