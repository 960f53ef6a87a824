"""A choice is made once, however often a sender asks for it: to compare, to group and to plan."""

from collections.abc import Callable, Hashable
from dataclasses import fields
from hashlib import blake2b
from typing import Generic, TypeVar

from torch import Tensor

from channels import ChannelState

T = TypeVar("T")

LARGEST = 1 << 14
"""Answers that are kept, where these are a few numbers each."""


class Memory(Generic[T]):
    """Answers by their question; what cannot be compared is asked anew.

    Args:
        largest: answers that are kept; the memory is emptied when it would hold more.

    >>> memory, asked = Memory[int](), []
    >>> [memory.answer(("two",), lambda: asked.append(1) or 2) for _ in range(3)], len(asked)
    ([2, 2, 2], 1)
    """

    def __init__(self, largest: int = LARGEST) -> None:
        self.largest = largest
        self._answers: dict[Hashable, T] = {}

    def answer(self, question: Hashable, find: Callable[[], T]) -> T:
        """The answer that was found before, or is now."""
        try:
            known = question in self._answers
        except TypeError:
            return find()
        if not known:
            if len(self._answers) >= self.largest:
                self._answers.clear()
            self._answers[question] = find()
        return self._answers[question]


def digest(state: ChannelState) -> Hashable:
    """What tells one realized channel from another: all that it holds, to the bit."""
    parts: list[Hashable] = [type(state)]
    for field in fields(state):
        value = getattr(state, field.name)
        parts.append(digest_of(value) if isinstance(value, Tensor) else value)
    return tuple(parts)


def digest_of(tensor: Tensor) -> Hashable:
    """What tells one tensor from another, to the bit."""
    data = tensor.detach().cpu().contiguous().numpy()
    return str(data.dtype), data.shape, blake2b(data.tobytes(), digest_size=16).digest()
