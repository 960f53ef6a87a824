"""Packages that pieces of a sweep need and this environment lacks: told while planning, before anything is trained."""

import dataclasses
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from experiments.refusal import ConfigurationError

if TYPE_CHECKING:
    from experiments.planner import Plan

REQUIRES = "requires"
"""Attribute of a class that needs a package which not everybody has: its name, and the extra that installs it."""


def refuse_what_is_lacking(plan: "Plan") -> None:
    """Refuse a plan with a piece that needs a package which is not installed.

    Args:
        plan: whose schemes and channels are looked at.

    Raises:
        ConfigurationError: one line that says which piece, which package, and how to install it.
    """
    pieces = {("channel", cell.channel): cell.stage.channel for cell in plan.cells}
    pieces |= {("scheme", cell.scheme): cell.stage.scheme for cell in plan.cells}
    for (group, name), piece in pieces.items():
        for part, (package, extra) in requirements(piece):
            if find_spec(package) is None:
                raise ConfigurationError(
                    f"{group} {name}: {type(part).__name__} needs the package {package}: pip install '{extra}'"
                )


def requirements(piece: Any) -> Iterator[tuple[Any, tuple[str, str]]]:
    """Each part of a piece that needs a package, with its name and the extra that installs it.

    >>> from airdeliver import DigitalLink
    >>> [needed for _, needed in requirements(DigitalLink())], list(requirements(DigitalLink("capacity")))
    ([('sionna', 'airdeliver[sionna]')], [])
    """
    if dataclasses.is_dataclass(piece) and not isinstance(piece, type):
        if (needed := getattr(piece, REQUIRES, None)) is not None:
            yield piece, needed
        for field in dataclasses.fields(piece):
            yield from requirements(getattr(piece, field.name, None))
    elif isinstance(piece, Mapping):
        yield from requirements(list(piece.values()))
    elif isinstance(piece, list | tuple):
        for item in piece:
            yield from requirements(item)
