"""Bands: the groups of a payload's segments that share one quantisation step and one probability model."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Int64, Shaped

from airdeliver.payload import Layout

LARGE = 512
"""Values from which on a segment is a band of its own: below, a step of its own costs more than it saves."""


@dataclass(frozen=True, eq=False)
class Bands:
    """How the values of a layout fall into bands; follows from the layout alone, so it is never sent.

    Args:
        members: the segments of each band; those of the `protected` first bands are small.
        sizes: number of values in each band.
        order: position in the payload of every value, band after band.
        protected: how many bands, the first ones, hold what a network cannot do without: the many small segments
            (scales, biases, normalisation) that a little redundancy saves.
    """

    members: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    order: Int64[np.ndarray, "n"]
    protected: int

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def protected_values(self) -> int:
        """Number of values in the protected bands."""
        return sum(self.sizes[: self.protected])

    def split(self, ordered: Shaped[np.ndarray, "n"]) -> list[Shaped[np.ndarray, "_"]]:
        """What belongs to each band, of an array in band order."""
        return np.split(ordered, np.cumsum(self.sizes)[:-1]) if self.sizes else []


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
    ranges = [np.arange(layout.offsets[i], layout.offsets[i] + layout.sizes[i]) for indices in members for i in indices]
    sizes = tuple(sum(layout.sizes[i] for i in indices) for indices in members)
    return Bands(members, sizes, np.concatenate([np.zeros(0, np.int64), *ranges]), len(small))
