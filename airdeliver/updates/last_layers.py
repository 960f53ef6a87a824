"""The last layers: what comes before them stays as it was."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.payload import Layout
from airdeliver.updates.base import Form, named, refuse_description


@dataclass(frozen=True)
class LastLayers(Form):
    """The difference of the last layers: everything from the weights of one of them on.

    Args:
        layers: how many tensors of two and more dimensions change, counted from the end.

    Raises:
        ValueError: no layer.

    >>> from airdeliver.payload import Segment
    >>> layout = Layout((Segment("0.weight", (4, 2)), Segment("0.bias", (4,)), Segment("1.weight", (3, 4))))
    >>> LastLayers().sent(layout, b"").names
    ('+1.weight',)
    """

    layers: int = 1

    def __post_init__(self) -> None:
        if self.layers < 1:
            raise ValueError(f"an update of the last layers needs at least one, got {self.layers}")

    def project(self, change: Float[Tensor, "n"], layout: Layout) -> Float[Tensor, "n"]:  # noqa: D102
        kept = torch.zeros_like(change)
        kept[self._start(layout) :] = change[self._start(layout) :]
        return kept

    def describe(self, change: Float[Tensor, "n"], layout: Layout) -> bytes:
        """Nothing."""
        return b""

    def sent(self, layout: Layout, description: bytes) -> Layout:  # noqa: D102
        refuse_description(description, self)
        return Layout(tuple(named(segment, segment.shape) for segment in layout.segments[self._first(layout) :]))

    def pack(self, change: Float[Tensor, "n"], layout: Layout, description: bytes) -> Float[Tensor, "sent"]:  # noqa: D102
        return change[self._start(layout) :]

    def unpack(  # noqa: D102
        self, values: Float[Tensor, "realizations sent"], layout: Layout, description: bytes
    ) -> Float[Tensor, "realizations n"]:
        return torch.nn.functional.pad(values, (self._start(layout), 0))

    def _first(self, layout: Layout) -> int:
        """The first segment that changes."""
        weights = [i for i, segment in enumerate(layout.segments) if len(segment.shape) > 1]
        return weights[-self.layers] if self.layers <= len(weights) else 0

    def _start(self, layout: Layout) -> int:
        """Its first value."""
        return (*layout.offsets, layout.size)[self._first(layout)]
