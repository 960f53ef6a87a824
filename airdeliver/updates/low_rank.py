"""Low-rank adapters: the change of each matrix is a product of two thin ones."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.payload import Layout, Segment
from airdeliver.updates.base import Form, joined, named, refuse_description, split


@dataclass(frozen=True)
class LowRank(Form):
    r"""The change of each weight $W$ is $B A$ of a small rank; a kernel counts as the matrix of its filters.

    A matrix so small that its factors would be no smaller is sent as its difference, and so is what has fewer than two
    dimensions: biases and normalisation.

    Args:
        rank: of every change.

    Raises:
        ValueError: a rank below 1.

    Source: E. J. Hu et al., LoRA: Low-rank adaptation of large language models, arXiv 2106.09685. There, factors are
    trained by themselves; here, each step is followed by the nearest change of that rank (truncated singular value
    decomposition), which asks nothing of the network.

    >>> LowRank(2).sent(Layout((Segment("weight", (8, 4, 3, 3)),)), b"").names
    ('+weight/B', '+weight/A')
    """

    rank: int = 1

    def __post_init__(self) -> None:
        if self.rank < 1:
            raise ValueError(f"the rank of an update must be at least 1, got {self.rank}")

    def project(self, change: Float[Tensor, "n"], layout: Layout) -> Float[Tensor, "n"]:  # noqa: D102
        parts = []
        for part, segment in zip(split(change, layout), layout.segments, strict=True):
            if self._thin(segment):
                b, a = self._factors(part.flatten(1))
                part = (b @ a).view(part.shape)
            parts.append(part)
        return joined(parts)

    def describe(self, change: Float[Tensor, "n"], layout: Layout) -> bytes:
        """Nothing: the rank is published."""
        return b""

    def sent(self, layout: Layout, description: bytes) -> Layout:  # noqa: D102
        refuse_description(description, self)
        segments = []
        for segment in layout.segments:
            rows = segment.shape[0] if segment.shape else 1
            if self._thin(segment):
                segments.append(named(segment, (rows, self.rank), "/B"))
                segments.append(named(segment, (self.rank, segment.size // rows), "/A"))
            else:
                segments.append(named(segment, segment.shape))
        return Layout(tuple(segments))

    def pack(self, change: Float[Tensor, "n"], layout: Layout, description: bytes) -> Float[Tensor, "sent"]:  # noqa: D102
        parts = []
        for part, segment in zip(split(change, layout), layout.segments, strict=True):
            parts += self._factors(part.flatten(1)) if self._thin(segment) else [part]
        return joined(parts)

    def unpack(  # noqa: D102
        self, values: Float[Tensor, "realizations sent"], layout: Layout, description: bytes
    ) -> Float[Tensor, "realizations n"]:
        received = iter(split(values, self.sent(layout, description)))
        parts = [next(received) @ next(received) if self._thin(s) else next(received) for s in layout.segments]
        return joined(parts, (len(values),))

    def _thin(self, segment: Segment) -> bool:
        """Whether two factors are fewer values than the change itself."""
        if len(segment.shape) < 2:
            return False
        rows, columns = segment.shape[0], segment.size // segment.shape[0]
        return self.rank * (rows + columns) < rows * columns

    def _factors(self, matrix: Float[Tensor, "rows columns"]) -> list[Tensor]:
        """Both of one scale, so that noise on either costs as much."""
        u, s, v = torch.linalg.svd(matrix, full_matrices=False)
        root = s[: self.rank].sqrt()
        return [u[:, : self.rank] * root, root.unsqueeze(-1) * v[: self.rank]]
