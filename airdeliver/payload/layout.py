"""What travels: named segments in a fixed order, and their values as one real vector."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor

Transform = Literal["identity", "log"]

# Batch norm adds eps = 1e-5 to a variance, so that this floor changes its output by at most 0.5 %, while a dead
# channel's variance of 0 would otherwise travel as minus infinity.
SMALLEST_VARIANCE = 1e-7


@dataclass(frozen=True)
class Segment:
    """One named tensor of a model.

    Args:
        name: its dotted name in the model, `features.0.weight`.
        shape: its shape; empty for a scalar.
        transform: how it travels: `identity`, or `log` for its natural logarithm (a batch norm's variance, which
            must stay positive whatever noise is added; values below 1e-7 travel as 1e-7).

    Raises:
        ValueError: an unknown transform, or a negative length.

    >>> Segment("conv.weight", (8, 3, 3, 3)).size
    216
    """

    name: str
    shape: tuple[int, ...]
    transform: Transform = "identity"

    def __post_init__(self):
        if self.transform not in ("identity", "log"):
            raise ValueError(f"transform of segment {self.name} must be identity or log, got {self.transform}")
        if any(length < 0 for length in self.shape):
            raise ValueError(f"shape of segment {self.name} must not be negative, got {self.shape}")

    @property
    def size(self) -> int:
        """Number of real values."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """The segments of a payload, in the order in which they travel. Hashable.

    Args:
        segments: at least the tensors that the receiver needs; names differ.
        description: what the receiver must be told to know the segments (how many channels of a pruned network were
            kept, say): side information that is sent and charged. Empty where the published recipe says it all.

    Raises:
        ValueError: two segments of one name.

    >>> layout = Layout((Segment("weight", (2, 3)), Segment("bias", (2,))))
    >>> layout.size, layout.offsets
    (8, (0, 6))
    >>> [part.shape for part in layout.split(torch.zeros(5, 8))]
    [torch.Size([5, 6]), torch.Size([5, 2])]
    """

    segments: tuple[Segment, ...]
    description: bytes = b""

    def __post_init__(self):
        seen: set[str] = set()
        for name in self.names:
            if name in seen:
                raise ValueError(f"names of segments must differ, got {name} twice")
            seen.add(name)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Name of each segment."""
        return tuple(segment.name for segment in self.segments)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of values in each segment."""
        return tuple(segment.size for segment in self.segments)

    @cached_property
    def offsets(self) -> tuple[int, ...]:
        """Where each segment starts in the vector."""
        return (0, *accumulate(self.sizes))[: len(self.sizes)]

    @cached_property
    def size(self) -> int:
        """Number of real values in all segments."""
        return sum(self.sizes)

    def split(self, values: Float[Tensor, "*batch n"]) -> list[Tensor]:
        """Views of a vector (or a batch of them), one a segment, of shape `(*batch, segment.size)`.

        Raises:
            ValueError: a vector of another length than the layout's.
        """
        if values.shape[-1] != self.size:
            raise ValueError(f"values must be {self.size} long, as their layout says, got {values.shape[-1]}")
        return list(values.split(self.sizes, dim=-1)) if self.segments else []

    def matched(self, learned: Mapping[str, tuple[Any, bool]]) -> list[Any]:
        """A model's tensors in the order of the segments.

        Args:
            learned: what the model has: name to tensor, and whether it is a running statistic, which a layout may
                leave out.

        Raises:
            ValueError: model and layout do not match, naming the first tensor that differs.
        """
        for segment in self.segments:
            if segment.name not in learned:
                raise ValueError(f"layout has {segment.name}, the model has not: was it made for another model?")
            shape = tuple(learned[segment.name][0].shape)
            if shape != segment.shape:
                raise ValueError(f"{segment.name} has shape {shape} in the model and {segment.shape} in the layout")
        sent = frozenset(self.names)
        for name, (_, is_statistic) in learned.items():
            if name not in sent and not is_statistic:
                raise ValueError(f"the model has {name}, the layout has not: was it made for another model?")
        return [learned[name][0] for name in self.names]

    def to_dict(self) -> dict[str, Any]:
        """The layout as what JSON can hold; `Layout.from_dict` reads it back."""
        segments = [[s.name, list(s.shape), s.transform] for s in self.segments]
        return {"segments": segments, "description": self.description.hex()}

    @classmethod
    def from_dict(cls, description: dict[str, Any]) -> "Layout":
        """The layout that `to_dict` described."""
        segments = tuple(Segment(name, tuple(shape), how) for name, shape, how in description["segments"])
        return cls(segments, bytes.fromhex(description.get("description", "")))


@dataclass(frozen=True, eq=False)
class Payload:
    """A model's learned values in a fixed order: what must arrive.

    Args:
        values: all values, one real vector.
        layout: the segments that they belong to.
        sensitivity: increase of the loss per unit of noise variance on each segment, if it is known.

    Raises:
        ValueError: a vector of another length than the layout's, another number of sensitivities than segments, or
            values that are not finite, naming the segment.
    """

    values: Float[Tensor, "n"]
    layout: Layout
    sensitivity: Float[Tensor, "segments"] | None = None

    def __post_init__(self):
        if self.values.numel() != self.layout.size:
            raise ValueError(f"values must be {self.layout.size} long, as layout says, got {self.values.numel()}")
        if self.sensitivity is not None and self.sensitivity.numel() != len(self.layout.segments):
            raise ValueError(
                f"sensitivity must have one value for each of {len(self.layout.segments)} segments, "
                f"got {self.sensitivity.numel()}"
            )
        # One reduction tells the usual case; which segment it is matters only for the message.
        if not bool(torch.isfinite(self.values.sum())):
            _refuse_not_finite(self.values, self.layout)


def _refuse_not_finite(values: Tensor, layout: Layout) -> None:
    for name, part in zip(layout.names, layout.split(values), strict=True):
        bad = int((~torch.isfinite(part)).sum())
        if bad:
            raise ValueError(
                f"weights of {name} are not finite ({bad} of {part.numel()} NaN or infinite): "
                "did the training diverge? Check the model before it is sent, or mark a constant by published()"
            )


def logarithm(values: Float[Tensor, "n"], name: str, floor: float) -> Float[Tensor, "n"]:
    """Natural logarithms of what is never negative; a few dead entries travel as the smallest of the others.

    A variance of 0 would be far from all others, and the noise on a segment is relative to its spread. What a dead
    channel divides by hardly matters: its input does not differ from its mean.

    Args:
        values: variances, say.
        name: of their segment.
        floor: what they are at least; entries not above it are dead.

    Raises:
        ValueError: values below 0.

    >>> logarithm(torch.tensor([1.0, 0.0, 4.0]), "running_var", 1e-7).exp()
    tensor([1., 1., 4.])
    """
    if not len(values) or values.is_meta:
        return values
    least = float(values.min())
    if least < 0:
        raise ValueError(
            f"{name} is named like a variance and has values below 0, down to {least:.3g}: correct it, or rename it if "
            "it is something else"
        )
    if least <= floor:
        living = values > floor
        if 2 * int(living.sum()) > len(values):
            floor = float(values[living].min())
    return values.clamp(min=floor).log()
