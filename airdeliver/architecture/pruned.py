"""A network that may arrive pruned: a few bytes tell how many channels of each group are left."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from torch import nn

from airdeliver.architecture.channel_groups import ChannelGroups
from airdeliver.architecture.dependency import channel_groups
from airdeliver.architecture.given import Given
from airdeliver.architecture.kept_channels import KeptChannels, decode_counts, encode_counts
from airdeliver.architecture.shaped import Shaped
from airdeliver.architecture.whole import Whole
from airdeliver.payload import Layout, architecture_of


@dataclass(frozen=True)
class Pruned(Shaped):
    """An unpruned network and its channel groups; the description says how many units of each group are left.

    Which channels they were does not matter once their values are sent.

    Args:
        whole: the unpruned network: of a builder, or handed in together with inputs.

    >>> from airdeliver.models import CNN
    >>> from airdeliver.task.base import Signature
    >>> architecture = Pruned(Whole(CNN(), Signature((1, 8, 8), 1, 10)))
    >>> architecture.layout(architecture.describe((8, 16, 16)), statistics=False).size
    3778
    """

    whole: Whole | Given

    @property
    def groups(self) -> ChannelGroups:
        """Its channel groups."""
        return self.whole.groups if isinstance(self.whole, Given) else _groups(self.whole)

    def unpruned(self) -> nn.Module:
        """A network with fresh weights."""
        return self.whole.fresh()

    def pruned(self, kept: KeptChannels) -> nn.Module:
        """A network with fresh weights of which only some channels are left."""
        return self.groups.prune(self.unpruned(), kept.units)

    def of_counts(self, counts: Sequence[int]) -> nn.Module:
        """A network with fresh weights that has so many units of each group."""
        return self.pruned(KeptChannels.first(counts))

    def describe(self, counts: Sequence[int]) -> bytes:
        """The description of a network that has so many units of each group."""
        return encode_counts(counts, self.groups.units)

    def counts(self, description: bytes) -> tuple[int, ...]:
        """The inverse of `describe`.

        Raises:
            ValueError: bytes that describe no network of this architecture.
        """
        return decode_counts(description, self.groups.units)

    @property
    def description_length(self) -> int:
        """Bytes of every description; the receiver knows how many to expect."""
        return len(self.describe(self.groups.units))

    def receive(self, description: bytes) -> nn.Module:
        """The network of these widths, every learned value NaN."""
        model = architecture_of(self.of_counts(self.counts(description)))
        assert isinstance(model, nn.Module)
        return model

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """Its segments, computed: nothing is pruned for it."""
        return self.layout_of_counts(self.counts(description), statistics)

    def layout_of_counts(self, counts: Sequence[int], statistics: bool | None) -> Layout:
        """The layout, with its description, of a network that has so many units of each group."""
        return self.groups.layout(self.whole.layout(b"", statistics), counts, self.describe(counts))


@lru_cache(maxsize=64)
def _groups(whole: Whole) -> ChannelGroups:
    return channel_groups(whole.fresh(), whole.example())
