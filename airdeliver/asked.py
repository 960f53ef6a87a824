"""Asking a piece of one's own: whatever its code raises becomes one line that names it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


class PieceError(ValueError):
    """A piece of one's own that fails, or answers with what cannot be; an exception of its own is the cause."""


@contextmanager
def asked(piece: Any, method: str) -> Iterator[None]:
    """Call a method of a piece within this context.

    Errors of one line that are meant for people (`ValueError`) are passed on as they are, and so are want of memory and
    the user's interrupt.

    Args:
        piece: that is called.
        method: of it, for the message.

    Raises:
        PieceError: anything else that is raised, what would end the program among it; names the piece, the method and
            the exception.

    >>> with asked(1, "inverse"):
    ...     1 / 0
    Traceback (most recent call last):
    ...
    airdeliver.asked.PieceError: inverse of int fails (ZeroDivisionError: division by zero)
    """
    try:
        yield
    except (MemoryError, torch.OutOfMemoryError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # a piece of the user's may raise anything, or call sys.exit
        text = str(error)
        if isinstance(error, ValueError) and text and "\n" not in text:
            raise
        said = " ".join(text.split())[:200]
        raise PieceError(f"{method} of {type(piece).__name__} fails ({type(error).__name__}: {said})") from error
