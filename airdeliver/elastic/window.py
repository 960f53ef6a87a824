"""Windows: which channels of the largest member a smaller one has, the first or the last of each group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from airdeliver.architecture.channel_groups import ChannelGroups


@dataclass(frozen=True)
class Window:
    """The part of a network's tensors that a narrower network takes, as views.

    Args:
        starts: where it begins, of each tensor along each dimension; at 0 where nothing is said.
    """

    starts: Mapping[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def first(cls) -> "Window":
        """The first channels of each group.

        >>> Window.first().of("weight", Tensor([1, 2, 3]), (2,))
        tensor([1., 2.])
        """
        return cls()

    @classmethod
    def last(cls, groups: ChannelGroups, counts: Sequence[int], outer: Sequence[int]) -> "Window":
        """The last channels of each group.

        Args:
            groups: of the unpruned architecture.
            counts: units of the narrower network, of each group.
            outer: units of the network that it is part of.
        """
        starts = {}
        for group, count, wide, units in zip(groups.groups, counts, outer, groups.units, strict=True):
            for s in group.shrinking:
                starts[s.name, s.dim] = (wide - count) * (s.size // units)
        return cls(starts)

    def of(self, name: str, tensor: Tensor, shape: Sequence[int]) -> Tensor:
        """A view of the part.

        Args:
            name: of the tensor in the state dict.
            tensor: of the wider network.
            shape: of the narrower network's.
        """
        starts = [self.starts.get((name, dim), 0) for dim in range(len(shape))]
        return tensor[tuple(slice(start, start + length) for start, length in zip(starts, shape))]


def check_slices(groups: ChannelGroups) -> None:
    """Refuse an architecture whose channels are no slices of its tensors: concatenated or grouped ones.

    Raises:
        ValueError: naming the layer.
    """
    for group in groups.groups:
        for s in group.shrinking:
            if s.positions.flatten().tolist() != list(range(s.size)):
                raise ValueError(
                    f"channels of {group.name} are not a slice of {s.name} (concatenated or grouped layers): "
                    "a nested spectrum needs a network without them"
                )
