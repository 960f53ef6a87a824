"""Kept channels: what a pruned network is, and the few bytes that tell the receiver its widths."""

from collections.abc import Sequence
from dataclasses import dataclass

from airdeliver.architecture.channel_groups import ChannelGroups


@dataclass(frozen=True)
class KeptChannels:
    """A pruned network: which units of each channel group of the unpruned architecture are left.

    Args:
        units: sorted indices, of each group in the order of `ChannelGroups`.

    Raises:
        ValueError: a group of which nothing is kept, or indices that are not sorted.
    """

    units: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        for number, group in enumerate(self.units):
            if not group or list(group) != sorted(set(group)):
                raise ValueError(f"kept units of group {number} must be sorted and at least one, got {list(group)}")

    @classmethod
    def all(cls, groups: ChannelGroups) -> "KeptChannels":
        """The unpruned network."""
        return cls.first(groups.units)

    @classmethod
    def first(cls, counts: Sequence[int]) -> "KeptChannels":
        """A network of given widths; which channels they were does not matter once their values are sent."""
        return cls(tuple(tuple(range(count)) for count in counts))

    @property
    def counts(self) -> tuple[int, ...]:
        """Units kept of each group."""
        return tuple(len(group) for group in self.units)

    def within(self, outer: "KeptChannels") -> "KeptChannels":
        """What is left of the unpruned network after it was pruned to `outer`, and that to this."""
        pairs = zip(self.units, outer.units, strict=True)
        return KeptChannels(tuple(tuple(before[i] for i in after) for after, before in pairs))


def encode_counts(counts: Sequence[int], units: Sequence[int]) -> bytes:
    """Counts from 1 to `units` as one number in mixed radix: as few bytes as hold every combination.

    The receiver needs no more: it rebuilds the architecture from its widths and is sent the values.

    >>> encode_counts((3, 32, 7), units=(16, 32, 32)).hex()
    'f20d'
    """
    number, combinations = 0, 1
    for count, most in zip(counts, units, strict=True):
        if not 1 <= count <= most:
            raise ValueError(f"of {most} units 1 to {most} can be kept, not {count}")
        number += combinations * (count - 1)
        combinations *= most
    return number.to_bytes(((combinations - 1).bit_length() + 7) // 8, "little")


def decode_counts(description: bytes, units: Sequence[int]) -> tuple[int, ...]:
    """The inverse of `encode_counts`.

    Raises:
        ValueError: bytes that describe no network of this architecture.

    >>> decode_counts(bytes.fromhex("f20d"), units=(16, 32, 32))
    (3, 32, 7)
    """
    number, counts = int.from_bytes(description, "little"), []
    for most in units:
        number, count = divmod(number, most)
        counts.append(count + 1)
    if number or len(description) != len(encode_counts(units, units)):
        raise ValueError(
            f"malformed description of a pruned network: {len(description)} bytes do not give the widths of "
            f"{len(counts)} channel groups: was it made for another architecture?"
        )
    return tuple(counts)
