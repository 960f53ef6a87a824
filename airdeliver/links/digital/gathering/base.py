"""The contract of rounds: what receivers of one container have gathered of it so far, and what they still lack."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Int64
from torch import Generator, Tensor

from channels import Channel, ChannelState

Combining = Literal["chase", "redundancy"]
"""`chase`: every round sends the same coded bits; `redundancy`: each sends others, as its redundancy version says."""

VERSIONS = (0, 2, 3, 1)
"""Redundancy versions of one round after the other: TS 38.214, table 5.1.2.1-2, its first row."""


def versions(combining: Combining) -> tuple[int, ...]:
    """The redundancy versions that rounds go through, over and over.

    Raises:
        ValueError: a way to combine that there is not.

    >>> versions("chase"), versions("redundancy")
    ((0,), (0, 2, 3, 1))
    """
    if combining not in ("chase", "redundancy"):
        raise ValueError(f"combining must be chase or redundancy, got {combining!r}")
    return VERSIONS if combining == "redundancy" else (0,)


class Gathered(ABC):
    """What receivers have of a container that is sent in rounds, a row a receiver.

    A container is sent as parts, each of which is acknowledged: transport blocks, or all of it where the physical layer
    has no blocks. `hear` adds what one round brings; a part that a receiver has decoded is not changed any more. The
    parts of a round that a receiver is sent are one delivery: they take the first symbols of the state, interleaved.

    Args:
        receivers: rows.
        parts: that are acknowledged.
    """

    def __init__(self, receivers: int, parts: int) -> None:
        self.lacking: Bool[Tensor, "receivers parts"] = torch.ones(receivers, parts, dtype=torch.bool)

    @abstractmethod
    def symbols(self, number: int) -> Sequence[int]:
        """Complex symbols of each part in a round.

        Args:
            number: of the round, from 0.
        """

    @abstractmethod
    def hear(
        self,
        number: int,
        sent: Bool[Tensor, "receivers parts"],
        channel: Channel,
        state: ChannelState,
        generator: Generator,
    ) -> None:
        """Go through one round.

        Args:
            number: of the round, from 0.
            sent: the parts that each receiver is sent, at least those that it lacks; the same for all receivers of one
                transmission.
            channel: physics.
            state: what it happens to be in this round, a row a receiver.
            generator: of the noise.
        """

    @abstractmethod
    def rows(self) -> list[bytes | None]:
        """The container as each receiver has it, with what it lacks wrong; None where nothing is there."""


def alike(sent: Bool[Tensor, "receivers parts"]) -> Iterator[tuple[Int64[Tensor, "rows"], list[int]]]:
    """The receivers that are sent the same parts in a round, which are one delivery to them, and these parts.

    >>> [(rows.tolist(), parts) for rows, parts in alike(torch.tensor([[1, 1], [0, 1], [1, 1], [0, 0]]).bool())]
    [([1], [1]), ([0, 2], [0, 1])]
    """
    kinds, kind_of = sent.unique(dim=0, return_inverse=True)
    for kind, flags in enumerate(kinds.tolist()):
        parts = [part for part, flag in enumerate(flags) if flag]
        if parts:
            yield torch.nonzero(kind_of == kind).flatten(), parts
