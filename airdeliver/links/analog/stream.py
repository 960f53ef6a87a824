"""The order in which channel inputs travel, spread over the delivery, and how it is undone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.links.analog.allocation import Allocation


@dataclass(frozen=True, eq=False)
class Group:
    """Values that are sent alike.

    Args:
        values: their indices in the payload; None for all of it.
        inputs: real channel inputs of each.
        power: mean square of the inputs.
        count: how many values.
    """

    values: Int64[Tensor, "count"] | None
    inputs: int
    power: float
    count: int

    def take(self, values: Float[Tensor, "n"]) -> Float[Tensor, "count"]:
        """This group's values of a payload."""
        return values if self.values is None else values.index_select(0, self.values)


@dataclass(frozen=True, eq=False)
class Stream:
    """All channel inputs of a delivery: those of each group, merged evenly.

    Within a group all values' first inputs come before all second ones. Merging keeps each group's pace constant from
    the beginning to the end of the delivery, so that a value's k inputs lie 1/k of the delivery apart: fading whose
    gain lasts shorter meets each of them anew.

    Args:
        groups: who is sent how; a value that travels is in one of them.
        order: for every input of the delivery its place in the groups' inputs, one group after the other; None if
            these are the same.
        places: the inverse of `order`.
        arrangement: for every value that travels its place in the groups' values, one group after the other; None if
            these are the same.
        travelling: indices of the values that travel, ascending; None for all.
    """

    groups: tuple[Group, ...]
    order: Int64[Tensor, "reals"] | None = None
    places: Int64[Tensor, "reals"] | None = None
    arrangement: Int64[Tensor, "values"] | None = None
    travelling: Int64[Tensor, "values"] | None = None

    @property
    def reals(self) -> int:
        """Real channel inputs of the delivery."""
        return sum(group.inputs * group.count for group in self.groups)

    def merge(self, parts: Sequence[Tensor]) -> Float[Tensor, "reals"]:
        """The groups' inputs, `(inputs, count)` each, in the order in which they travel."""
        flat = parts[0].reshape(-1) if len(parts) == 1 else torch.cat([part.reshape(-1) for part in parts])
        return flat if self.order is None else flat.index_select(0, self.order)

    def separate(self, received: Float[Tensor, "realizations columns"]) -> list[Tensor]:
        """The inverse of `merge`, for each realization: `(realizations, inputs, count)` a group.

        A single column stands for all inputs: it becomes `(realizations, 1, 1)`.
        """
        if received.shape[-1] == 1:
            return [received.unsqueeze(-1) for _ in self.groups]
        received = received[:, : self.reals] if self.places is None else received.index_select(1, self.places)
        pieces = received.split([group.inputs * group.count for group in self.groups], dim=-1)
        return [piece.unflatten(-1, (group.inputs, group.count)) for piece, group in zip(pieces, self.groups)]

    def assemble(self, parts: Sequence[Tensor]) -> Float[Tensor, "realizations _"]:
        """What groups know of their values, `(realizations, count or 1)` each, in the order of those that travel."""
        if len(parts) == 1:
            return parts[0]
        whole = torch.cat([part.expand(-1, group.count) for part, group in zip(parts, self.groups)], -1)
        return whole if self.arrangement is None else whole.index_select(1, self.arrangement)

    def select(self, values: Float[Tensor, "n"]) -> Float[Tensor, "values"]:
        """The values that travel."""
        return values if self.travelling is None else values.index_select(0, self.travelling)

    def scatter(self, values: Float[Tensor, "realizations values"], size: int) -> Float[Tensor, "realizations n"]:
        """Values that travel at their places in the payload, 0 elsewhere."""
        if self.travelling is None:
            return values
        return values.new_zeros(len(values), size).index_copy(1, self.travelling, values)


@lru_cache(maxsize=64)
def stream(
    sizes: tuple[int, ...], sent: tuple[int, ...], allocation: Allocation, reals: int, device: torch.device
) -> Stream:
    """How a payload travels.

    Args:
        sizes: values of all segments.
        sent: indices of the segments whose values travel.
        allocation: of all segments.
        reals: real channel inputs of the delivery; 0 for what the allocation needs.
        device: of the indices.
    """
    groups = _groups(sizes, sent, allocation, reals)
    indices = [group.values for group in groups if group.values is not None]
    values = torch.cat(indices) if indices else torch.arange(0 if not groups else sum(sizes))
    total = sum(sizes[i] for i in sent)
    travelling = None if total == sum(sizes) else values.sort().values.to(device)
    placed = tuple(Group(None if g.values is None else g.values.to(device), g.inputs, g.power, g.count) for g in groups)
    if len(groups) < 2:
        return Stream(placed, travelling=travelling)
    pace = [(torch.arange(g.inputs * g.count, dtype=torch.float64) + 0.5) / (g.inputs * g.count) for g in groups]
    order = torch.cat(pace).argsort(stable=True)
    arrangement = values.argsort(stable=True)
    return Stream(placed, order.to(device), order.argsort().to(device), arrangement.to(device), travelling)


def _groups(sizes: tuple[int, ...], sent: tuple[int, ...], allocation: Allocation, reals: int) -> tuple[Group, ...]:
    """Values of the same number of inputs and the same power, each group in the payload's order."""
    ranges: dict[tuple[int, float], list[tuple[int, int]]] = {}
    for start, stop, k, power in spans(sizes, sent, allocation, reals):
        ranges.setdefault((k, power), []).append((start, stop))
    if len(ranges) == 1 and sum(sizes[i] for i in sent) == sum(sizes):
        ((k, power),) = ranges
        return (Group(None, k, power, sum(sizes)),)
    return tuple(
        Group(torch.cat([torch.arange(*span) for span in found]), k, power, sum(b - a for a, b in found))
        for (k, power), found in sorted(ranges.items())
    )


def spans(
    sizes: tuple[int, ...], sent: tuple[int, ...], allocation: Allocation, reals: int
) -> list[tuple[int, int, int, float]]:
    """First value, end, number of inputs and their mean square of every stretch of values that are sent alike.

    Args:
        sizes: values of all segments.
        sent: indices of the segments whose values travel.
        allocation: of all segments.
        reals: real channel inputs of the delivery; 0 for what the allocation needs.

    >>> spans((2, 3, 4), (0, 2), Allocation((1, 1, 1)), 8)
    [(0, 1, 2, 1.0), (1, 2, 1, 1.0), (5, 6, 2, 1.0), (6, 9, 1, 1.0)]
    """
    offsets = (0, *accumulate(sizes))
    chosen = set(sent)
    travels = [size if i in chosen else 0 for i, size in enumerate(sizes)]
    inputs, extra = allocation.filled(travels, reals)
    powers = allocation.powers([n * k + more for n, k, more in zip(travels, inputs, extra)])
    found = []
    for i in sent:
        middle = offsets[i] + extra[i]
        for k, start, stop in ((inputs[i] + 1, offsets[i], middle), (inputs[i], middle, offsets[i + 1])):
            if stop > start:
                found.append((start, stop, k, powers[i]))
    return found
