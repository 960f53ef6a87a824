"""Slimmable pruned networks: how many channels each layer of a member has was learned by pruning another network."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import nn

from airdeliver.architecture import Pruned
from airdeliver.compression.importance import NormScale
from airdeliver.conversion import Converted, converted, optional
from airdeliver.cost import multiply_accumulates
from airdeliver.elastic.base import Elastic, ElasticBuilder
from airdeliver.elastic.nested import Counts
from airdeliver.elastic.slimmable import Slimmable, rising_shares
from airdeliver.elastic.statistics import Statistics
from airdeliver.links.condition import Condition
from airdeliver.task.base import Task

Cost = Callable[[Counts], int]
"""What a network of these channels costs."""


class _Scale(NormScale):
    """|gamma| as it is: one threshold holds for all layers."""

    relative = False


class SlimmedNetwork(Slimmable):
    """Members of the first channels of each layer, which need not lie within one another: see `Slimmable`."""

    chain: ClassVar[bool] = False


@dataclass(frozen=True)
class PrunedBasesBuilder(ElasticBuilder):
    """Members as wide, layer by layer, as trained networks are once their smallest scales are cut, and the whole one.

    Of each base, a network of a given width trained with a penalty on its scales, the channels of the largest |gamma|
    are kept by one threshold for all layers. Only their numbers survive: the member has the first so many channels of
    each layer of a fresh network. How many are kept is solved so that a member costs no more than a network of uniform
    width, or given.

    Args:
        bases: widths of the networks that are pruned, rising, as shares of each layer's channels.
        like: widths of the uniform networks that members may cost as much as, one for each base.
        cost: what is compared: `macs`, multiply-accumulates of an image, or `values` that are sent.
        keep: shares of the channels of each base that are kept, in place of what is solved; None to solve.
        least: share of the channels of a layer of the base that are kept in any case.
        nested: whether each member has at least the channels of the next smaller one, as delivery in layers wants it.
        statistics: what is each member's own.

    Raises:
        ValueError: widths or shares that are none, or another number of them than bases.

    Source: SP-Net, slimmable pruned neural networks: bases, threshold and teaching; the search for a cost is ours.
    """

    bases: Converted[Iterable[float], tuple[float, ...]] = converted(rising_shares, (0.5, 0.75))
    like: Converted[Iterable[float], tuple[float, ...]] = converted(rising_shares, (0.25, 0.5))
    cost: Literal["macs", "values"] = "macs"
    keep: Converted[Iterable[float] | None, tuple[float, ...] | None] = converted(optional(rising_shares), None)
    least: float = 0.1
    nested: bool = False
    statistics: Statistics = field(default_factory=Statistics)

    def __post_init__(self) -> None:
        if self.cost not in ("macs", "values"):
            raise ValueError(f"cost must be macs or values, got {self.cost!r}")
        if any(len(given) != len(self.bases) for given in (self.like, self.keep or self.like)):
            raise ValueError(
                f"like and keep need a share for each of {len(self.bases)} bases, got {self.like}, {self.keep}"
            )
        if not 0 <= self.least <= 1:
            raise ValueError(f"least must be a share from 0 to 1, got {self.least}")

    @property
    def members(self) -> int:
        """One for each base, and the whole network."""
        return len(self.bases) + 1

    def of_bases(self, bases: Sequence[Elastic], architecture: Pruned) -> "_Counted":
        """The builder that knows how many channels each member has.

        Args:
            bases: trained, of one member each, in the order of their widths.
            architecture: unpruned.

        Raises:
            ValueError: another number of networks than of bases.
        """
        if len(bases) != len(self.bases):
            raise ValueError(f"{len(self.bases)} bases are pruned, got {len(bases)} networks: train one for each")
        cost, found = self._cost(architecture), list[Counts]()
        for number, (base, like) in enumerate(zip(bases, self.like, strict=True)):
            floor = found[-1] if self.nested and found else (1,) * len(architecture.groups.units)
            budget = cost(tuple(max(1, round(like * units)) for units in architecture.groups.units))
            found.append(self._counts(base, architecture, number, floor, lambda c, most=budget: cost(c) <= most))
        return _Counted(self, (*found, architecture.groups.units))

    def _cost(self, architecture: Pruned) -> Cost:
        if self.cost == "values":
            return lambda counts: architecture.layout_of_counts(counts, statistics=False).size
        example = architecture.whole.example()
        return lambda counts: multiply_accumulates(architecture.of_counts(counts), example)

    def _counts(
        self, base: Elastic, architecture: Pruned, number: int, floor: Counts, fits: Callable[[Counts], bool]
    ) -> Counts:
        """Channels of a member: what one threshold on the scales of its base leaves."""
        shape = base.members[-1].shape
        groups = architecture.groups.narrowed([range(count) for count in shape])
        scores = _Scale().scores(base.largest, groups, None, 0)
        ranked = torch.cat(scores).sort(descending=True).values
        least = [max(1, round(self.least * count)) for count in shape]

        def of(kept: int) -> Counts:
            left = ((score >= ranked[kept - 1]).sum() for score in scores)
            return tuple(max(int(n), few, more) for n, few, more in zip(left, least, floor, strict=True))

        if self.keep is not None:
            return of(max(1, round(self.keep[number] * len(ranked))))
        low, high = 1, len(ranked)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if fits(of(middle)) else (low, middle - 1)
        return of(low)

    def build(  # noqa: D102
        self,
        model: nn.Module,
        conditions: Sequence[Condition | None],
        architecture: Pruned,
        task: Task,
        seed: int,
        statistics: bool,
    ) -> Elastic:
        raise ValueError("channels are counted in trained bases: name their trainings, as the scheme SPNet does")

    def empty(  # noqa: D102
        self, shapes: Sequence[Sequence[int]], conditions: Sequence[Condition | None], architecture: Pruned
    ) -> SlimmedNetwork:
        counts = [tuple(shape) for shape in shapes]
        return self.made(architecture.of_counts(counts[-1]), counts, conditions, architecture)

    def made(
        self,
        largest: nn.Module,
        counts: Sequence[Counts],
        conditions: Sequence[Condition | None],
        architecture: Pruned,
    ) -> SlimmedNetwork:
        """Members of these channels.

        Args:
            largest: network of the largest member.
            counts: units of each channel group of each member.
            conditions: of the members.
            architecture: unpruned.
        """
        return SlimmedNetwork(largest, counts, conditions, architecture, self.statistics, range(len(counts)))


@dataclass(frozen=True)
class _Counted(ElasticBuilder):
    """A builder whose channels have been counted."""

    builder: PrunedBasesBuilder
    counts: tuple[Counts, ...]

    def build(
        self,
        model: nn.Module,
        conditions: Sequence[Condition | None],
        architecture: Pruned,
        task: Task,
        seed: int,
        statistics: bool,
    ) -> SlimmedNetwork:
        largest = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        return self.builder.made(largest, self.counts, conditions, architecture)

    def empty(
        self, shapes: Sequence[Sequence[int]], conditions: Sequence[Condition | None], architecture: Pruned
    ) -> SlimmedNetwork:
        return self.builder.empty(shapes, conditions, architecture)
