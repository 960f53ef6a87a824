"""Windows: which channels of the largest member a smaller one has, the first or the last of each group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Int64
from torch import Tensor

from airdeliver.architecture.channel_groups import ChannelGroups
from airdeliver.architecture.kept_channels import KeptChannels


@dataclass(frozen=True)
class Window:
    """The part of a network's tensors that a narrower network takes: views, and copies where channels lie apart.

    Channels lie apart where layers are concatenated (some of the first layer's, then some of the second's) or grouped
    (some of each group's).

    Args:
        starts: where it begins, of each tensor along each dimension; at 0 where nothing is said.
        places: the positions that it takes along a dimension, where they are not one after the other.
    """

    starts: Mapping[tuple[str, int], int] = field(default_factory=dict)
    places: Mapping[tuple[str, int], Int64[Tensor, "_"]] = field(default_factory=dict)

    @classmethod
    def first(cls) -> "Window":
        """The first channels of each group, of a network without concatenated or grouped layers.

        >>> Window.first().of("weight", Tensor([1, 2, 3]), (2,))
        tensor([1., 2.])
        """
        return cls()

    @classmethod
    def within(cls, groups: ChannelGroups, counts: Sequence[int], outer: Sequence[int], last: bool = False) -> "Window":
        """The first channels of each group, or the last, whatever the layers.

        Args:
            groups: of the unpruned architecture.
            counts: units of the narrower network, of each group.
            outer: units of the network that it is part of.
            last: whether the last channels are taken.
        """
        kept = [range(wide - count, wide) if last else range(count) for count, wide in zip(counts, outer, strict=True)]
        return cls.of_units(groups, kept, outer)

    @classmethod
    def of_units(cls, groups: ChannelGroups, kept: Sequence[range], outer: Sequence[int]) -> "Window":
        """Some consecutive units of each group.

        Args:
            groups: of the unpruned architecture.
            kept: units of each group.
            outer: units of the network that they are part of.
        """
        narrowed = groups.narrowed(KeptChannels.first(outer).units)
        starts, places = {}, {}
        for at, stays in narrowed.staying(kept).items():
            taken = torch.nonzero(stays).flatten()
            if bool((taken.diff() == 1).all()):
                starts[at] = int(taken[0])
            else:
                places[at] = taken
        return cls(starts, places)

    @property
    def copied(self) -> frozenset[str]:
        """Names of the tensors of which it takes copies, since what it takes lies apart."""
        return frozenset(name for name, _ in self.places)

    def of(self, name: str, tensor: Tensor, shape: Sequence[int]) -> Tensor:
        """The part: a view unless the name is in `copied`.

        Args:
            name: of the tensor in the state dict.
            tensor: of the wider network.
            shape: of the narrower network's.
        """
        parts = []
        for dim, length in enumerate(shape):
            apart = (name, dim) in self.places
            start = self.starts.get((name, dim), 0)
            parts.append(slice(None) if apart else slice(start, start + length))
        part = tensor[tuple(parts)]
        for dim in range(len(shape)):
            if (name, dim) in self.places:
                part = part.index_select(dim, self.places[name, dim].to(part.device))
        return part
