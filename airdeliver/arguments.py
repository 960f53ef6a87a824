"""Arguments as they are meant: converted where that is plain, otherwise refused in one line."""

import math
import os
from pathlib import Path
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


def whole(value: Any, name: str, least: int | None = None, most: int | None = None) -> int:
    """A whole number, however it is written.

    Raises:
        TypeError: no whole number.
        ValueError: one below `least`, or above `most`.

    >>> whole(6e4, "channel_uses"), whole(3, "seed")
    (60000, 3)
    """
    number = number_of(value)
    if number is None or not math.isfinite(number) or number != int(number):
        raise TypeError(f"{name} must be a whole number, got {_shown(value)}")
    found = int(value)
    if least is not None and found < least:
        raise ValueError(f"{name} must be at least {least}, got {_shown(value)}")
    if most is not None and found > most:
        raise ValueError(f"{name} must be at most {most:,}, got {_shown(value)}")
    return found


def folder_path(value: Any, name: str) -> Path:
    """A path; `~` is the home folder.

    Raises:
        TypeError: no text and no path.
        ValueError: what cannot be one: empty, with a zero byte, longer than any, of a user that there is not.

    >>> folder_path("runs/1", "store").parts
    ('runs', '1')
    """
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} must be a path, got {_shown(value)}")
    text = os.fspath(value)
    if not isinstance(text, str) or not text or "\0" in text:
        raise ValueError(f"{name} must be a path, got {_shown(text)}")
    try:
        path = Path(text).expanduser()
        path.exists()
    except (OSError, RuntimeError) as error:
        raise ValueError(f"{name} cannot be a path ({error.args[-1]}): {_shown(text)}") from error
    return path


def finite_number(value: Any, name: str, low: float = -math.inf, high: float = math.inf) -> float:
    """One finite number within bounds.

    Raises:
        TypeError: several, or no number.
        ValueError: NaN, infinite, or beyond the bounds.

    >>> finite_number(1, "chance", 0.0, 1.0)
    1.0
    """
    number = number_of(value)
    if number is None:
        raise TypeError(f"{name} must be one number, got {_shown(value)}")
    if not math.isfinite(number) or not low <= number <= high:
        within = "" if math.isinf(low) and math.isinf(high) else f" from {low:g} to {high:g}"
        raise ValueError(f"{name} must be a finite number{within}, got {_shown(value)}")
    return number


def decibel(value: Any, name: str) -> float:
    """One SNR in dB.

    Raises:
        TypeError: several, or no number.

    >>> decibel(5, "snr_db")
    5.0
    """
    number = number_of(value)
    if number is None:
        several = not isinstance(value, str) and hasattr(value, "__len__")
        hint = ": deliver once for each SNR" if several else ": give one such as 5.0"
        raise TypeError(f"{name} must be one number of dB, got {_shown(value)}{hint}")
    return number


def number_of(value: Any) -> float | None:
    """What is one real number, an array or a tensor without dimensions, too; None for anything else.

    >>> number_of(3), number_of("3"), number_of([3])
    (3.0, None, None)
    """
    if isinstance(value, str | bytes | bool | complex) or value is None or getattr(value, "ndim", 0) > 0:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return None


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
