"""The contract of an architecture: sender and receiver build the same network from a few bytes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from torch import Tensor

from airdeliver.payload import Layout, Model

NOTHING: Mapping[str, Tensor] = MappingProxyType({})


class Architecture(ABC):
    """What sender and receiver share before anything is sent; a frozen dataclass, published recipe.

    Attributes:
        base: values by name that the receiver has already (an earlier version of the network, say); empty for most.
    """

    base: Mapping[str, Tensor] = NOTHING

    @abstractmethod
    def receive(self, description: bytes) -> Model:
        """The network that a receiver builds: every learned value is NaN until it is written.

        Args:
            description: what the receiver was told of the architecture; side information.

        Raises:
            ValueError: bytes that describe no network of this architecture.
        """

    @abstractmethod
    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """The segments that its payload has, with the description.

        Args:
            description: what the receiver was told of the architecture.
            statistics: whether batch-norm statistics are part of the payload; None for as they are: see
                `airdeliver.payload.payload_of`.

        Raises:
            ValueError: bytes that describe no network of this architecture.
        """


def check_empty(description: bytes, architecture: Architecture) -> None:
    """Refuse a description where there is nothing to describe.

    Raises:
        ValueError: bytes that are not expected.
    """
    if description:
        raise ValueError(
            f"{type(architecture).__name__} needs no description, got {len(description)} bytes: was the network made "
            "for another architecture?"
        )
