"""Which pieces are somebody's own: what this project's tests examine need not be examined in a sweep."""

from typing import Any

OURS = ("airdeliver", "channels")
"""Packages whose pieces the tests of this project examine."""


def is_own(piece: Any) -> bool:
    """Whether the class of an object is none of this project's.

    >>> from airdeliver import AnalogLink
    >>> is_own(AnalogLink())
    False
    """
    return type(piece).__module__.partition(".")[0] not in OURS


def holds_own(piece: Any) -> bool:
    """Whether a channel, link or scheme, or any part of it that can be examined, is somebody's own.

    >>> from airdeliver import AnalogLink
    >>> holds_own(AnalogLink())
    False
    """
    from airdeliver.conformance import parts

    return any(is_own(part) for _, part in parts(piece))
