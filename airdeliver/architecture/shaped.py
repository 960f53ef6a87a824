"""The contract of an architecture whose networks differ in a few whole numbers, their shape."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import lru_cache

from torch import nn

from airdeliver.architecture.base import Architecture
from airdeliver.architecture.given import Given
from airdeliver.architecture.whole import Whole
from airdeliver.payload import Layout, layout_of


class Shaped(Architecture):
    """Networks of one family, told apart by whole numbers: units of each channel group, how many blocks are left.

    Attributes:
        whole: the network that all of them are a part of.
    """

    whole: Whole | Given

    @abstractmethod
    def of_counts(self, counts: Sequence[int]) -> nn.Module:
        """A network of this shape with fresh weights."""

    @abstractmethod
    def describe(self, counts: Sequence[int]) -> bytes:
        """The description of a network of this shape."""

    @abstractmethod
    def counts(self, description: bytes) -> tuple[int, ...]:
        """The inverse of `describe`.

        Raises:
            ValueError: bytes that describe no network of this architecture.
        """

    def layout_of_counts(self, counts: Sequence[int], statistics: bool | None) -> Layout:
        """The layout, with its description, of a network of this shape, which is built for it once.

        Args:
            counts: its shape.
            statistics: whether batch-norm statistics are part of the payload.
        """
        return _layout(self, tuple(counts), statistics)


@lru_cache(maxsize=128)
def _layout(architecture: Shaped, counts: tuple[int, ...], statistics: bool | None) -> Layout:
    segments = layout_of(architecture.of_counts(counts), statistics).segments
    return Layout(segments, architecture.describe(counts))
