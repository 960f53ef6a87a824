"""The contract of a form: which changes of a network can be sent, and as which segments."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.payload import Layout, Segment

CHANGE = "+"
"""Before the name of a tensor whose change is sent: it is no tensor of the network."""


class Form(ABC):
    """What is sent of the difference between two versions of a network; a frozen dataclass, published recipe.

    Changes are vectors in the layout of the whole network. `project` is what a training keeps to, so that what is sent
    is all that there is; for a network that was trained without it, `pack` sends the nearest change of that form.
    """

    @abstractmethod
    def project(self, change: Float[Tensor, "n"], layout: Layout) -> Float[Tensor, "n"]:
        """The nearest change that this form can send; one that it can send is left as it is.

        Args:
            change: of every value.
            layout: of the whole network.
        """

    @abstractmethod
    def describe(self, change: Float[Tensor, "n"], layout: Layout) -> bytes:
        """What the receiver must be told of a change beside its values: which of them are sent, say.

        Args:
            change: that this form can send.
            layout: of the whole network.
        """

    @abstractmethod
    def sent(self, layout: Layout, description: bytes) -> Layout:
        """The segments that are sent.

        Args:
            layout: of the whole network.
            description: from `describe`.

        Raises:
            ValueError: bytes that describe no change of this form.
        """

    @abstractmethod
    def pack(self, change: Float[Tensor, "n"], layout: Layout, description: bytes) -> Float[Tensor, "sent"]:
        """A change as the values of these segments.

        Args:
            change: that this form can send.
            layout: of the whole network.
            description: of it.
        """

    @abstractmethod
    def unpack(
        self, values: Float[Tensor, "realizations sent"], layout: Layout, description: bytes
    ) -> Float[Tensor, "realizations n"]:
        """The change of every value, from the segments as they were received.

        Args:
            values: of each realization.
            layout: of the whole network.
            description: that the receiver was told.
        """


def refuse_description(description: bytes, form: Form) -> None:
    """Refuse bytes where there is nothing to describe.

    Raises:
        ValueError: bytes that are not expected.
    """
    if description:
        raise ValueError(
            f"{type(form).__name__} needs no description, got {len(description)} bytes: was the update made otherwise?"
        )


def named(segment: Segment, shape: tuple[int, ...], of: str = "") -> Segment:
    """The change of a tensor, or a part of it, as a segment of its own.

    >>> named(Segment("weight", (2, 3)), (2, 3)).name
    '+weight'
    """
    return Segment(CHANGE + segment.name + of, shape)


def split(change: Float[Tensor, "*rows n"], layout: Layout) -> list[Tensor]:
    """The change of each tensor, in its shape behind the rows."""
    parts = change.split(list(layout.sizes), dim=-1)
    return [part.unflatten(-1, s.shape) if s.shape else part[..., 0] for part, s in zip(parts, layout.segments)]


def joined(parts: list[Tensor], rows: tuple[int, ...] = ()) -> Tensor:
    """The inverse of `split`."""
    return torch.cat([part.reshape(*rows, -1) for part in parts], dim=-1)
