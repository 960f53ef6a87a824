"""Fields of frozen dataclasses that convert what they are given, where they are declared."""

from collections.abc import Callable, Mapping
from typing import Any


class _Converted:
    """A dataclass keeps the descriptor that a field has as its default, and its constructor assigns through it."""

    def __init__(self, default: Any, convert: Callable[[str, Any], Any]) -> None:
        self.default, self.convert = default, convert

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self.default = self.convert(name, self.default)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self.default
        try:
            return vars(instance)[self.name]
        except KeyError:  # a half-made instance, as for any other attribute
            raise AttributeError(self.name) from None

    def __set__(self, instance: Any, value: Any) -> None:
        vars(instance)[self.name] = self.convert(self.name, value)


def converted(convert: Callable[[Any], Any], default: Any) -> Any:
    """A field of a dataclass, frozen or not but without slots, that keeps what a function makes of its value.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Shelf:
    ...     depth: float = converted(float, 1)
    >>> Shelf("2.5"), Shelf()
    (Shelf(depth=2.5), Shelf(depth=1.0))
    """
    return _Converted(default, lambda _, value: convert(value))


def named(names: Mapping[str, Callable[[], Any]], default: Any, noun: str) -> Any:
    """A field of a dataclass in which a name stands for what its class makes: objects are equal however they are given.

    Args:
        names: names, and what each stands for: called without arguments.
        default: a name, an object, or None.
        noun: what it may be beside a name, for the message.

    A constructor raises ValueError for a name that there is not.

    >>> from dataclasses import dataclass
    >>> from channels import AWGN
    >>> @dataclass(frozen=True)
    ... class Path:
    ...     channel: object = named({"awgn": AWGN}, "awgn", "a Channel")
    >>> Path("awgn") == Path(AWGN()) == Path()
    True
    >>> Path("fog")
    Traceback (most recent call last):
    ...
    ValueError: channel must be one of awgn, or a Channel, got 'fog'
    """

    def convert(field: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value not in names:
            raise ValueError(f"{field} must be one of {', '.join(names)}, or {noun}, got {value!r}")
        return names[value]()

    return _Converted(default, convert)
