"""Fields that may be given in several ways and hold one: values are converted where the field is declared."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

Given = TypeVar("Given")
Held = TypeVar("Held")
Item = TypeVar("Item")

NO_DEFAULT: Any = object()
"""Default of a field that must be given."""


class Converted(Generic[Given, Held]):
    """Annotation of a field that is `converted`: what may be given, and what every object holds.

    For type checkers alone: at runtime it is `Any`, since the converter says what may be given. An instance is the
    descriptor that such a field has as its default: the constructor of a dataclass, frozen or not, assigns through it.

    Args:
        convert: from what is given to what is held.
        default: as it may be given.

    Source: descriptors as defaults, Python's `dataclasses`.
    """

    if not TYPE_CHECKING:

        def __class_getitem__(cls, types: tuple[Any, Any]) -> Any:
            return Any

    def __init__(self, convert: Callable[[Any], Held], default: Any) -> None:
        self.convert, self.default = convert, default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Held:
        if instance is not None:
            try:
                return instance.__dict__[self.name]
            except KeyError:
                raise AttributeError(f"{owner.__name__} has no {self.name} yet") from None
        if self.default is NO_DEFAULT:  # how a dataclass learns that there is no default
            raise AttributeError(self.name)
        self.default = self._converted(self.default)
        return self.default

    def __set__(self, instance: Any, value: Given) -> None:
        instance.__dict__[self.name] = self._converted(value)

    def _converted(self, value: Any) -> Held:
        try:
            return self.convert(value)
        except ValueError as error:
            raise ValueError(f"{self.name} {error}") from None


def converted(convert: Callable[[Any], Any], default: Any = NO_DEFAULT) -> Any:
    """A field of a dataclass whose value is converted whenever an object is made.

    Whatever is given in whichever way, objects that hold the same are equal, have one hash and one description;
    `__post_init__` and the default that `dataclasses.fields` tells see the converted value. A subclass may declare the
    field anew.

    Args:
        convert: from what is given to what is held; it must leave what is held as it is, since `dataclasses.replace`
            gives it again.
        default: as it may be given; the field must be given if there is none.

    Raises:
        ValueError: when an object is made, with the name of the field before what the converter says.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Ladder:
    ...     snr_db: Converted[Iterable[float], tuple[float, ...]] = converted(tuple_of(real), [0])
    >>> Ladder([0, 5]) == Ladder((0.0, 5.0)), Ladder()
    (True, Ladder(snr_db=(0.0,)))
    >>> Ladder("low")
    Traceback (most recent call last):
    ...
    ValueError: snr_db must be a list, got 'low'

    Source: the idea is that of `field(converter=...)`, P. Kidger, Equinox.
    """
    return Converted(convert, default)


def real(value: Any) -> float:
    """A number as float: configurations write 5 where 5.0 is meant.

    >>> real(5)
    5.0
    """
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        raise ValueError(f"must be a number, got {value!r}")
    return float(value)


def whole_number(value: Any) -> int:
    """A whole number, also where it is written as 2.0.

    >>> whole_number(2.0)
    2
    """
    if isinstance(value, bool) or int(value) != value:
        raise ValueError(f"must be whole numbers, got {value!r}")
    return int(value)


def tuple_of(convert: Callable[[Any], Item]) -> Callable[[Any], tuple[Item, ...]]:
    """Lists and other iterables, whose items are converted, as tuples, which can be hashed.

    >>> tuple_of(real)([1, 2.5])
    (1.0, 2.5)
    """

    def converted(values: Any) -> tuple[Item, ...]:
        if isinstance(values, str | bytes) or not isinstance(values, Iterable):
            raise ValueError(f"must be a list, got {values!r}")
        return tuple(convert(value) for value in values)

    return converted


def optional(convert: Callable[[Any], Item]) -> Callable[[Any], Item | None]:
    """None stays None, everything else is converted.

    >>> optional(real)(None), optional(real)(1)
    (None, 1.0)
    """
    return lambda value: None if value is None else convert(value)


def instance_of(kind: type[Item]) -> Callable[[Any], Item]:
    """Objects of a class as they are; others are refused.

    >>> instance_of(str)(3)
    Traceback (most recent call last):
    ...
    ValueError: must be a str, got 3
    """
    return named(kind)


def named(kind: type[Item], **choices: Callable[[], Item]) -> Callable[[Any], Item]:
    """Objects of a class as they are, and short names of the most common ones as what they stand for.

    Args:
        kind: that is held.
        choices: what makes the object that a name stands for.

    >>> named(tuple, nothing=tuple)("nothing")
    ()
    >>> named(tuple, nothing=tuple)("all")
    Traceback (most recent call last):
    ...
    ValueError: must be one of nothing, or a tuple, got 'all'
    """

    def converted(value: Any) -> Item:
        if isinstance(value, str) and value in choices:
            return choices[value]()
        if isinstance(value, kind):
            return value
        names = f"one of {', '.join(choices)}, or " if choices else ""
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise ValueError(f"must be {names}{article} {kind.__name__}, got {value!r}")

    return converted
