"""Slimmable networks: members of the first channels of each layer, at widths that the recipe says."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from airdeliver.architecture import Pruned, Whole
from airdeliver.conversion import Converted, converted, real, tuple_of
from airdeliver.elastic.base import ElasticBuilder
from airdeliver.elastic.nested import Counts, Nested
from airdeliver.elastic.statistics import Statistics
from airdeliver.links.condition import Condition
from airdeliver.payload.memory_format import channels_last
from airdeliver.randomness import stream
from airdeliver.task.base import Task


def rising_shares(widths: Any) -> tuple[float, ...]:
    """Shares above 0 and at most 1, each above the one before.

    >>> rising_shares([0.5, 1])
    (0.5, 1.0)
    """
    found = tuple_of(real)(widths)
    if not found or list(found) != sorted(set(found)) or found[0] <= 0 or found[-1] > 1:
        raise ValueError(f"must be increasing shares above 0 and at most 1, got {list(found)}")
    return found


class Slimmable(Nested):
    """Members of given widths, in the order of their channels as they are; nothing is ranked.

    Args:
        largest: network of the largest member, on its device and in its memory format.
        counts: units of each channel group of each member, the smallest member first.
        conditions: of the members.
        architecture: unpruned.
        statistics: what is each member's own.
        delivered: indices of the members that are sent; the others are trained only.
    """

    def __init__(
        self,
        largest: nn.Module,
        counts: Sequence[Counts],
        conditions: Sequence[Condition | None],
        architecture: Pruned,
        statistics: Statistics,
        delivered: Sequence[int],
    ) -> None:
        super().__init__(largest, counts, conditions, architecture, statistics.own_names(largest))
        self.statistics, self._delivered = statistics, tuple(delivered)

    @property
    def delivered(self) -> tuple[int, ...]:
        """Indices of the members that are sent."""
        return self._delivered

    def calibrate(self, task: Task, seed: int) -> None:  # noqa: D102
        self.statistics.calibrate((self.members[index].model for index in self._delivered), task, seed)


@dataclass(frozen=True)
class SlimmableBuilder(ElasticBuilder):
    """Every layer's first ceil(width units) channels; inputs of the network and its outputs are never cut.

    The order of channels is the one that the network has, so it is meant for fresh networks. If the widest member is
    narrower than the network, it is drawn anew at its width.

    Args:
        widths: of the members that are delivered, rising, as shares of each layer's channels.
        grid: further members that are trained and never delivered have all multiples of 1 / grid between the smallest
            and the largest width; 0 for none.
        statistics: what is each member's own.

    Raises:
        ValueError: widths that do not rise, or a negative grid.

    Source: J. Yu et al., Slimmable Neural Networks, arXiv 1812.08928; J. Yu and T. Huang, Universally Slimmable
    Networks and Improved Training Techniques, arXiv 1903.05134.

    >>> SlimmableBuilder(widths=(0.5, 1.0), grid=8).trained_widths
    (0.5, 0.625, 0.75, 0.875, 1.0)
    """

    widths: Converted[Iterable[float], tuple[float, ...]] = converted(rising_shares, (0.25, 0.5, 0.75, 1.0))
    grid: int = 0
    statistics: Statistics = field(default_factory=Statistics)

    def __post_init__(self) -> None:
        if self.grid < 0:
            raise ValueError(f"grid must be 0 or more, got {self.grid}")

    @property
    def members(self) -> int:
        """That are delivered, and want a condition each."""
        return len(self.widths)

    @property
    def trained_widths(self) -> tuple[float, ...]:
        """Of all members, those included that are trained only."""
        low, high = self.widths[0], self.widths[-1]
        between = {k / self.grid for k in range(1, self.grid) if low < k / self.grid < high}
        return tuple(sorted({*self.widths, *between}))

    def shapes(self, architecture: Pruned) -> list[Counts]:
        """The widths are part of the published recipe."""
        units = architecture.groups.units
        # A share that is a hair above a whole number of channels is meant to be that number.
        return [tuple(math.ceil(width * count - 1e-9) for count in units) for width in self.trained_widths]

    def build(  # noqa: D102
        self,
        model: nn.Module,
        conditions: Sequence[Condition | None],
        architecture: Pruned,
        task: Task,
        seed: int,
        statistics: bool,
    ) -> Slimmable:
        largest = model
        if self.widths[-1] < 1:
            device = next(model.parameters()).device
            largest = architecture.of_counts(self.shapes(architecture)[-1])
            if isinstance(architecture.whole, Whole):
                architecture.whole.model.initialise(largest, stream(seed, "initialisation"))
            largest.to(device)
        largest = channels_last(largest)
        return self._made(largest, conditions, architecture)

    def empty(  # noqa: D102
        self, shapes: Sequence[Sequence[int]], conditions: Sequence[Condition | None], architecture: Pruned
    ) -> Slimmable:
        return self._made(architecture.of_counts(self.shapes(architecture)[-1]), conditions, architecture)

    def _made(self, largest: nn.Module, conditions: Sequence[Condition | None], architecture: Pruned) -> Slimmable:
        if len(conditions) != len(self.widths):
            raise ValueError(f"{len(self.widths)} widths need a condition each, got {len(conditions)}: give as many")
        trained = self.trained_widths
        # A width that is trained only has the condition of the next larger one that is delivered.
        met = [next(c for w, c in zip(self.widths, conditions) if w >= width) for width in trained]
        delivered = [trained.index(width) for width in self.widths]
        return Slimmable(largest, self.shapes(architecture), met, architecture, self.statistics, delivered)
