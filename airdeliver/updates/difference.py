"""The whole difference: every value changes, by little."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from airdeliver.payload import Layout
from airdeliver.updates.base import Form, named, refuse_description


@dataclass(frozen=True)
class Difference(Form):
    """The difference of every value.

    Over a digital link, whose quantiser and entropy coder make little of what changed little, that is differential
    coding of networks, as the incremental mode of ISO/IEC 15938-17 has it; over an analog one the noise is relative to
    the difference, which is smaller than the values.

    >>> import torch
    >>> from airdeliver.payload import Segment
    >>> Difference().sent(Layout((Segment("weight", (2, 3)),)), b"").names
    ('+weight',)
    """

    def project(self, change: Float[Tensor, "n"], layout: Layout) -> Float[Tensor, "n"]:  # noqa: D102
        return change

    def describe(self, change: Float[Tensor, "n"], layout: Layout) -> bytes:
        """Nothing."""
        return b""

    def sent(self, layout: Layout, description: bytes) -> Layout:  # noqa: D102
        refuse_description(description, self)
        return Layout(tuple(named(segment, segment.shape) for segment in layout.segments))

    def pack(self, change: Float[Tensor, "n"], layout: Layout, description: bytes) -> Float[Tensor, "sent"]:  # noqa: D102
        return change

    def unpack(  # noqa: D102
        self, values: Float[Tensor, "realizations sent"], layout: Layout, description: bytes
    ) -> Float[Tensor, "realizations n"]:
        return values
