"""The contract of a codec: levels to bytes and back, from however many of the packets arrived."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from airdeliver.compression.codec.bitstream import DecodeError
from airdeliver.compression.codec.levels import Levels
from airdeliver.payload import Layout


@dataclass(frozen=True)
class Container:
    """A payload as bytes.

    Args:
        data: head, then the packets of each group.
        groups: bytes of each group, the head with the first: without that nothing can be rebuilt.
    """

    data: bytes
    groups: tuple[int, ...]

    @property
    def protected(self) -> int:
        """Bytes of the first group, the head included."""
        return self.groups[0]


@dataclass(frozen=True)
class Contents:
    """What the receiver reads.

    Args:
        values: the payload's; those that did not arrive are what the sender signalled as least harmful (the mean of
            their band, or 0).
        arrived: which values were in packets that arrived.
    """

    values: Float[Tensor, "n"]
    arrived: Bool[Tensor, "n"]


class Codec(ABC):
    """Levels to bytes and back; a frozen dataclass, published recipe.

    Attributes:
        most_groups: of a container, about; side information says how many bytes each has.
    """

    most_groups: int = 2

    @abstractmethod
    def pack(self, levels: Levels, packet_bytes: int = 1024) -> Container:
        """Write levels as a container.

        Args:
            levels: with what they stand for and how probable they are.
            packet_bytes: length of every packet but the last one of its group.

        Raises:
            ValueError: a length of packets that cannot be.
        """

    @abstractmethod
    def estimate(self, levels: Levels, packet_bytes: int) -> tuple[int, ...]:
        """About how many bytes each group of `pack` would take, without coding a level."""

    def values(self, data: bytes, layout: Layout) -> Float[Tensor, "n"]:
        """The values of `unpack` alone, which a codec may find with less memory.

        Args:
            data: received bytes.
            layout: of the payload: published recipe.

        Raises:
            DecodeError: as `unpack` raises it.
        """
        return self.unpack(data, layout).values

    def legible(self, data: bytes, layout: Layout) -> bool:
        """Whether `values` reads a container, or raises; a codec may find out without holding them.

        Args:
            data: received bytes.
            layout: of the payload: published recipe.
        """
        try:
            self.values(data, layout)
        except DecodeError:
            return False
        return True

    @abstractmethod
    def unpack(self, data: bytes, layout: Layout) -> Contents:
        """Read a container, from however many of its packets arrived.

        A packet whose checksum fails is lost, and nothing else. Bytes behind the container are ignored. Work and memory
        are bounded by the layout, which the receiver knows, and by the length of the data.

        Args:
            data: received bytes.
            layout: of the payload: published recipe.

        Raises:
            DecodeError: the head did not arrive, is not one of this layout, or contradicts a packet; values beyond the
                range of binary32.
        """
