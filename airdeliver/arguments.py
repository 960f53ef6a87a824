"""Arguments as they are meant: converted where that is plain, otherwise refused in one line."""

import math
from typing import Any, TypeVar

Kind = TypeVar("Kind")


def an_object(value: Any, kind: type[Kind], name: str, example: str) -> Kind:
    """A value of a kind.

    Args:
        value: that was given.
        kind: class that it must be of.
        name: of the argument.
        example: of what may be given.

    Raises:
        TypeError: a name, a class in place of an object, anything else.

    >>> an_object(int, int, "count", "3")
    Traceback (most recent call last):
    ...
    TypeError: count must be an object of class int, got the class int itself: give 3
    """
    if isinstance(value, kind):
        return value
    got = f"the class {value.__name__} itself" if isinstance(value, type) else _shown(value)
    raise TypeError(f"{name} must be an object of class {kind.__name__}, got {got}: give {example}")


def whole(value: Any, name: str, least: int | None = None) -> int:
    """A whole number, however it is written.

    Raises:
        TypeError: no whole number.
        ValueError: one below `least`.

    >>> whole(6e4, "channel_uses"), whole(3, "seed")
    (60000, 3)
    """
    number = _number(value)
    if number is None or not math.isfinite(number) or number != int(number):
        raise TypeError(f"{name} must be a whole number, got {_shown(value)}")
    found = int(value)
    if least is not None and found < least:
        raise ValueError(f"{name} must be at least {least}, got {found}")
    return found


def decibel(value: Any, name: str) -> float:
    """One SNR in dB.

    Raises:
        TypeError: several, or no number.

    >>> decibel(5, "snr_db")
    5.0
    """
    number = _number(value)
    if number is None:
        several = not isinstance(value, str) and hasattr(value, "__len__")
        hint = ": deliver once for each SNR" if several else ": give one such as 5.0"
        raise TypeError(f"{name} must be one number of dB, got {_shown(value)}{hint}")
    return number


def _number(value: Any) -> float | None:
    """What is one number, an array or a tensor of one element, too."""
    if isinstance(value, str | bytes | bool | complex) or value is None or getattr(value, "ndim", 0) > 0:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
