"""What changed most: whole rows of tensors, and which they are."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from airdeliver.payload import Layout
from airdeliver.updates.base import Form, named


@dataclass(frozen=True)
class MostChanged(Form):
    """The difference of the rows that changed most: filters of a convolution, neurons of a linear layer.

    A tensor of one dimension is one row. Rows are taken by the mean square of their change, until the next one would be
    too much. Which they are is told, one bit a row.

    Args:
        share: of all values, at most.

    Raises:
        ValueError: a share outside 0 to 1.
    """

    share: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ValueError(f"the share of values that change must be above 0 and at most 1, got {self.share}")

    def project(self, change: Float[Tensor, "n"], layout: Layout) -> Float[Tensor, "n"]:  # noqa: D102
        row_of = _rows(layout).to(change.device)
        return torch.where(self._most(change, row_of)[row_of], change, 0.0)

    def describe(self, change: Float[Tensor, "n"], layout: Layout) -> bytes:
        """A bit for each row, the first in the highest place."""
        chosen = self._most(change.cpu(), _rows(layout))
        return np.packbits(chosen.numpy()).tobytes()

    def sent(self, layout: Layout, description: bytes) -> Layout:
        """The chosen rows of each tensor that has some; the description goes with them."""
        chosen, at, segments = _told(description, layout), 0, []
        for segment in layout.segments:
            rows = segment.shape[0] if len(segment.shape) > 1 else 1
            count = int(chosen[at : at + rows].sum())
            at += rows
            if count:
                whole = len(segment.shape) < 2
                segments.append(named(segment, segment.shape if whole else (count, *segment.shape[1:])))
        return Layout(tuple(segments), description)

    def pack(self, change: Float[Tensor, "n"], layout: Layout, description: bytes) -> Float[Tensor, "sent"]:  # noqa: D102
        return change[_places(layout, description).to(change.device)]

    def unpack(  # noqa: D102
        self, values: Float[Tensor, "realizations sent"], layout: Layout, description: bytes
    ) -> Float[Tensor, "realizations n"]:
        places = _places(layout, description).to(values.device)
        return values.new_zeros(len(values), layout.size).index_copy(1, places, values)

    def _most(self, change: Float[Tensor, "n"], row_of: Int64[Tensor, "n"]) -> Bool[Tensor, "rows"]:
        """The rows of greatest mean square that fit; none that did not change."""
        count = int(row_of[-1]) + 1 if len(row_of) else 0
        energy = change.new_zeros(count, dtype=torch.float64).index_add(0, row_of, change.double().square())
        sizes = torch.bincount(row_of, minlength=count)
        order = (energy / sizes.clamp(min=1)).argsort(descending=True, stable=True)
        fits = sizes[order].cumsum(0) <= self.share * len(row_of)
        return torch.zeros_like(energy, dtype=torch.bool).scatter(0, order, fits) & (energy > 0)


def _rows(layout: Layout) -> Int64[Tensor, "n"]:
    """The row of every value, counted over all tensors."""
    parts, first = [], 0
    for segment in layout.segments:
        rows = segment.shape[0] if len(segment.shape) > 1 else 1
        parts.append(first + torch.arange(rows).repeat_interleave(segment.size // rows))
        first += rows
    return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.int64)


def _told(description: bytes, layout: Layout) -> Bool[Tensor, "rows"]:
    """Which rows were chosen.

    Raises:
        ValueError: bytes of the wrong length.
    """
    rows = sum(segment.shape[0] if len(segment.shape) > 1 else 1 for segment in layout.segments)
    if len(description) != -(-rows // 8):
        raise ValueError(f"an update of {rows} rows needs {-(-rows // 8)} bytes that say which, got {len(description)}")
    bits = np.unpackbits(np.frombuffer(description, np.uint8), count=rows)
    return torch.from_numpy(bits.astype(bool))


def _places(layout: Layout, description: bytes) -> Int64[Tensor, "sent"]:
    """Of the values that are sent, their places among all."""
    return torch.nonzero(_told(description, layout)[_rows(layout)]).flatten()
