"""The published recipe of a network that may arrive pruned."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

from airdeliver.compression.channel_groups import ChannelGroups
from airdeliver.compression.dependency import channel_groups
from airdeliver.compression.kept_channels import KeptChannels, decode_counts, encode_counts
from airdeliver.models import ModelBuilder
from airdeliver.payload import Layout, architecture_of, layout_of
from airdeliver.task import Task


@dataclass(frozen=True)
class PrunableArchitecture:
    """An unpruned architecture and its channel groups: what sender and receiver share before anything is sent.

    Args:
        model: builder of the unpruned architecture.
        shape: channels, height and width of an input image.
        classes: outputs.
    """

    model: ModelBuilder
    shape: tuple[int, int, int]
    classes: int

    @classmethod
    def of(cls, task: Task) -> "PrunableArchitecture":
        """That of a task."""
        return cls(task.model, task.dataset.shape, task.dataset.classes)

    @property
    def groups(self) -> ChannelGroups:
        """Its channel groups."""
        return _groups(self)

    def unpruned(self) -> nn.Module:
        """A network with fresh weights."""
        return self.model(self.shape[0], self.classes)

    def pruned(self, kept: KeptChannels) -> nn.Module:
        """A network with fresh weights of which only some channels are left."""
        return self.groups.prune(self.unpruned(), kept.units)

    def layout(self, counts: Sequence[int], statistics: bool) -> Layout:
        """The layout of a pruned network, with its description.

        Args:
            counts: units kept of each channel group.
            statistics: whether batch-norm statistics are part of the payload.
        """
        return self.groups.layout(_unpruned_layout(self, statistics), counts, encode_counts(counts, self.groups.units))

    @property
    def description_length(self) -> int:
        """Bytes of the description; the receiver knows how many to expect."""
        return len(encode_counts(self.groups.units, self.groups.units))

    def receive(self, description: bytes) -> nn.Module:
        """What the receiver rebuilds from the description: the architecture alone, every learned value NaN.

        Raises:
            ValueError: bytes that describe no network of this architecture.
        """
        return architecture_of(self.pruned(KeptChannels.first(decode_counts(description, self.groups.units))))


@lru_cache(maxsize=64)
def _groups(architecture: PrunableArchitecture) -> ChannelGroups:
    return channel_groups(architecture.unpruned(), torch.zeros(1, *architecture.shape))


@lru_cache(maxsize=64)
def _unpruned_layout(architecture: PrunableArchitecture, statistics: bool) -> Layout:
    return layout_of(architecture.unpruned(), statistics)
