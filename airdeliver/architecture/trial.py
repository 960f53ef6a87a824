"""Whether channel groups are what they seem: what torch-pruning finds in unusual networks is a guess, and tried out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from airdeliver.architecture.channel_groups import ChannelGroup, ChannelGroups
from airdeliver.architecture.coupling import described, tensors
from airdeliver.payload.copying import copied
from airdeliver.payload.inputs import Inputs, called
from airdeliver.payload.state import load_tensors

_SAME = 1e-4
"""Relative difference of outputs up to which a network computes the same in another order of sums."""


class Trial:
    """A network that is pruned and rearranged, to see whether it still works.

    Args:
        model: unpruned, in evaluation mode, with values that are numbers; stays as it is.
        example: its inputs; those of zeros alone, which tell nothing, are drawn at random.
    """

    @torch.no_grad()
    def __init__(self, model: nn.Module, example: Inputs) -> None:
        self.model, self.example = model, telling(example, torch.Generator().manual_seed(0))
        self.answers = tensors(called(model, self.example))

    def sound(self, groups: list[ChannelGroup]) -> tuple[list[ChannelGroup], list[tuple[ChannelGroup, str]]]:
        """The groups that hold, all together; and the others, each with its fault."""
        if self.fault(groups) is None:
            return groups, []
        kept: list[ChannelGroup] = []
        faulty = []
        for group in groups:
            fault = self.fault([*kept, group])
            if fault is None:
                kept.append(group)
            else:
                faulty.append((group, fault))
        return kept, faulty

    @torch.no_grad()
    def fault(self, groups: list[ChannelGroup]) -> str | None:
        """What is wrong with groups; None if nothing is.

        The network must answer in the same shapes with one unit left of each group, without one unit of each (a single
        channel is broadcast to any number), and without one of some of them (two groups may fit only while they are as
        wide); with units in another order it must say the same.
        """
        found = ChannelGroups(tuple(groups))
        for kept in _widths(found.units):
            try:
                pruned = found.prune(copied(self.model), kept)
                answers = tensors(called(pruned.eval(), self.example))
            except Exception as error:  # The model's own code runs on shapes that it was not made for: it may fail.
                return f"the network fails without its channels ({described(error)})"
            if [answer.shape for answer in answers] != [answer.shape for answer in self.answers]:
                return "the network's outputs have another shape without its channels"
        if not self._same_in_another_order(found):
            return "its channels do not belong to each other as torch-pruning takes them to"
        return None

    def _same_in_another_order(self, groups: ChannelGroups) -> bool:
        orders = [[*range(1, units), 0] for units in groups.units]
        other = copied(self.model).eval()
        load_tensors(other, groups.permuted(self.model.state_dict(), orders))
        said = tensors(called(other, self.example))
        return all(_alike(a, b) for a, b in zip(self.answers, said, strict=True))


def _widths(units: Sequence[int]) -> Iterator[list[list[int]]]:
    """Which units are kept in each trial; any two groups lose different numbers in one of them.

    >>> [[len(group) for group in kept] for kept in _widths((4, 4))]
    [[1, 1], [3, 3], [4, 3], [3, 4]]
    """
    yield [[0] for _ in units]
    for bit in range(-1, (len(units) - 1).bit_length()):
        for side in (True, False):
            lose = [bit < 0 or bool(number >> bit & 1) == side for number in range(len(units))]
            yield [list(range(less, count)) for less, count in zip(lose, units, strict=True)]
            if bit < 0:
                break


def _alike(a: Tensor, b: Tensor) -> bool:
    if not (a.is_floating_point() or a.is_complex()):
        return True
    a, b = a.nan_to_num(), b.nan_to_num()
    return bool((a - b).norm() <= _SAME * a.norm() + 1e-12)


def telling(example: Any, generator: torch.Generator) -> Any:
    """The same inputs, with numbers at random in place of those that are all zero and tell nothing.

    Args:
        example: a tensor, or a tuple or mapping of tensors.
        generator: of the numbers.
    """
    if isinstance(example, Mapping):
        return {name: telling(part, generator) for name, part in example.items()}
    if isinstance(example, (tuple, list)):
        return tuple(telling(part, generator) for part in example)
    if not isinstance(example, Tensor) or not example.is_floating_point() or bool(example.any()):
        return example
    return torch.randn(example.shape, generator=generator).to(example)
