"""Bands: the groups of a payload's segments that share one quantisation step and one probability model."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate

import numpy as np
from jaxtyping import Int64, Shaped

from airdeliver.payload import Layout

LARGE = 512
"""Values from which on a segment is a band of its own: below, a step of its own costs more than it saves."""


@dataclass(frozen=True, eq=False)
class Bands:
    """How the values of a layout fall into bands; follows from the layout alone, so it is never sent.

    Args:
        layout: of the payload.
        members: the segments of each band; those of the `protected` first bands are small.
        sizes: number of values in each band.
        protected: how many bands, the first ones, hold what a network cannot do without: the many small segments
            (scales, biases, normalisation) that a little redundancy saves.
    """

    layout: Layout
    members: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    protected: int

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def protected_values(self) -> int:
        """Number of values in the protected bands."""
        return sum(self.sizes[: self.protected])

    @cached_property
    def order(self) -> Int64[np.ndarray, "n"]:
        """Position in the payload of every value, band after band."""
        ranges = [np.arange(place, place + size) for place, size in zip(self._places, self._lengths)]
        return np.concatenate([np.zeros(0, np.int64), *ranges])

    def spans(self, first: int, end: int) -> Iterator[tuple[slice, slice]]:
        """Where the values from `first` to `end` of the band order lie: stretches there, and in the payload.

        What `order` says, without the memory of an index for each value.

        >>> from airdeliver.payload import Segment
        >>> bands = bands_of(Layout((Segment("a.weight", (600,)), Segment("a.bias", (2,)), Segment("b.bias", (3,)))))
        >>> [(there.start, there.stop, here.start, here.stop) for there, here in bands.spans(1, 8)]
        [(1, 2, 601, 602), (2, 5, 602, 605), (5, 8, 0, 3)]
        """
        segment = bisect_right(self._starts, first) - 1
        while first < end:
            stop = min(end, self._starts[segment] + self._lengths[segment])
            if stop > first:
                place = self._places[segment] + first - self._starts[segment]
                yield slice(first, stop), slice(place, place + stop - first)
            first, segment = max(first, stop), segment + 1

    @cached_property
    def places(self) -> tuple[slice, ...]:
        """Where each band lies in band order."""
        return tuple(slice(end - size, end) for size, end in zip(self.sizes, accumulate(self.sizes)))

    def split(self, ordered: Shaped[np.ndarray, "n"]) -> list[Shaped[np.ndarray, "_"]]:
        """What belongs to each band, of an array in band order."""
        return [ordered[place] for place in self.places]

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        """Values of each segment, in band order."""
        return tuple(self.layout.sizes[i] for indices in self.members for i in indices)

    @cached_property
    def _places(self) -> tuple[int, ...]:
        """First value of each segment in the payload, in band order."""
        return tuple(self.layout.offsets[i] for indices in self.members for i in indices)

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        """First value of each segment in band order."""
        return (0, *accumulate(self._lengths))[: len(self._lengths)]


@lru_cache(maxsize=64)
def bands_of(layout: Layout, mixed: bool = False) -> Bands:
    """The bands of a layout: large segments alone, small ones together with those like them.

    Alike are those of the same last name and transform, of one dimension or of more: a small convolution and the
    scales of a batch norm are both called `weight` and have nothing else in common.

    Args:
        layout: of a payload.
        mixed: the rule of containers of version 1, which did not tell them apart.

    >>> from airdeliver.payload import Segment
    >>> names = ("0.weight", "1.weight", "1.bias", "2.weight")
    >>> segments = tuple(Segment(name, (size,)) for name, size in zip(names, (900, 16, 16, 32)))
    >>> bands_of(Layout(segments)).members
    ((1, 3), (2,), (0,))
    """
    small: dict[tuple[str, bool, str], list[int]] = {}
    large = []
    for index, segment in enumerate(layout.segments):
        if segment.size >= LARGE:
            large.append((index,))
        elif segment.size:
            many = len(segment.shape) > 1 and not mixed
            small.setdefault((segment.name.rpartition(".")[2], many, segment.transform), []).append(index)
    members = (*map(tuple, small.values()), *large)
    sizes = tuple(sum(layout.sizes[i] for i in indices) for indices in members)
    return Bands(layout, members, sizes, len(small))


def ends_of(layout: Layout) -> set[int]:
    """Numbers of the segments that are the first and the last weights of a network; none where there is one alone.

    Weights have two dimensions or more.
    """
    weights = [index for index, segment in enumerate(layout.segments) if len(segment.shape) > 1]
    return {weights[0], weights[-1]} if len(weights) > 1 else set()
