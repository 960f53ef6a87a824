"""The order of channels in a nested spectrum: by importance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from airdeliver.architecture.channel_groups import ChannelGroups
from airdeliver.compression.importance import Importance
from airdeliver.task.base import Task


@dataclass(frozen=True, eq=False)
class Ranked(Importance):
    """An importance that is known: of the first units of each group, which are its most important.

    Args:
        known: score of every unit of each group.
    """

    known: Sequence[Tensor]
    relative = False

    def saliency(self, model: nn.Module, task: Task, seed: int) -> dict[str, Tensor]:
        """None: `scores` knows."""
        return {}

    def scores(self, model: nn.Module, groups: ChannelGroups, task: Task, seed: int) -> list[Tensor]:  # noqa: D102
        return [known[:units] for known, units in zip(self.known, groups.units, strict=True)]


def ranking(order: Sequence[tuple[int, int]], units: Sequence[int]) -> tuple[list[list[int]], list[Tensor]]:
    """From one order of removal over all groups to the rank of units within each.

    Args:
        order: group and unit, first to go first; one unit of each group is not among them.
        units: of each group.

    Returns:
        The units of each group, most important first, and their scores in that order: the later to go, the higher.

    >>> ranking([(0, 1), (1, 0), (1, 2)], (2, 3))[0]
    [[0, 1], [1, 2, 0]]
    """
    place = dict(zip(order, range(len(order))))
    ranked, scores = [], []
    for group, count in enumerate(units):
        placed = {unit: place.get((group, unit), len(order)) for unit in range(count)}
        ranked.append(sorted(placed, key=lambda unit: -placed[unit]))
        scores.append(torch.tensor([float(placed[unit]) for unit in ranked[-1]]))
    return ranked, scores


def permuted(
    tensors: Mapping[str, Tensor], groups: ChannelGroups, ranked: Sequence[Sequence[int]]
) -> dict[str, Tensor]:
    """A network's tensors with the units of each group in another order: it computes the same."""
    return groups.permuted(tensors, ranked)
