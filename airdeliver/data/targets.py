"""Kinds of targets: what the second half of an example means."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from airdeliver.data.inputs import standards

UNLABELLED = 255
"""Value of a mask where nobody has said what the pixel shows: neither learned nor scored."""


class Targets(ABC):
    """What the targets of a data set mean; a frozen dataclass.

    Attributes:
        spatial: whether they lie over the pixels of the input, and are shifted and mirrored with it.
    """

    spatial: ClassVar[bool] = False

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Numbers that a network says of each example, or of each pixel."""


@dataclass(frozen=True)
class Classes(Targets):
    """One class for each example, int64 from 0, shape (n,).

    Args:
        names: of the classes.
    """

    names: tuple[str, ...]

    @property
    def outputs(self) -> int:  # noqa: D102
        return len(self.names)


@dataclass(frozen=True)
class Masks(Targets):
    """One class for each pixel, uint8 from 0, shape (n, h, w); 255 where nobody has said which.

    Args:
        names: of the classes, at most 255.
        commonest: share of the commonest class among the pixels of the training split, 0..1.
    """

    names: tuple[str, ...]
    commonest: float
    spatial: ClassVar[bool] = True

    @classmethod
    def of(cls, train: UInt8[Tensor, "n h w"], names: tuple[str, ...]) -> "Masks":
        """The kind of a training split."""
        counts = torch.zeros(256, dtype=torch.int64)
        for part in train.split(1000):
            counts += torch.bincount(part.reshape(-1).long(), minlength=256)
        known = counts[:UNLABELLED]
        return cls(names, int(known.max()) / max(1, int(known.sum())))

    @property
    def outputs(self) -> int:  # noqa: D102
        return len(self.names)


@dataclass(frozen=True)
class Numbers(Targets):
    """Numbers, float32, shape (n, outputs), each with mean 0 and variance 1 over the training split.

    Args:
        names: of the numbers.
        mean: of each over the training split, in its own unit.
        std: standard deviation of each over the training split, in its own unit.

    >>> kind, scaled = Numbers.of((torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0]])), ("price",))
    >>> kind.mean, kind.std, [part.tolist() for part in scaled]
    ((2.0,), (1.0,), [[[-1.0], [1.0]], [[3.0]]])
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(
        cls, splits: tuple[Float[Tensor, "_ outputs"], ...], names: tuple[str, ...]
    ) -> tuple["Numbers", tuple[Float[Tensor, "_ outputs"], ...]]:
        """The kind of these numbers, training split first, and the numbers in its scale."""
        kind = cls(names, *standards(splits[0]))
        mean, std = torch.tensor(kind.mean, dtype=torch.float64), torch.tensor(kind.std, dtype=torch.float64)
        return kind, tuple(((part.double() - mean) / std).float() for part in splits)

    @property
    def outputs(self) -> int:  # noqa: D102
        return len(self.names)


@dataclass(frozen=True)
class Several(Targets):
    """Several targets for each example, side by side in one float32 tensor (n, columns).

    Classes take one column, numbers one each. float32 holds labels up to 16 million exactly.

    Args:
        names: of the targets.
        parts: what each of them means.

    Raises:
        ValueError: masks among them, or not as many names as parts.
    """

    names: tuple[str, ...]
    parts: tuple[Targets, ...]

    def __post_init__(self) -> None:
        if len(self.names) != len(self.parts) or not self.parts:
            raise ValueError(f"several targets need a name each, got {len(self.names)} for {len(self.parts)}")
        for name, part in zip(self.names, self.parts):
            if not isinstance(part, Classes | Numbers):
                raise ValueError(f"target {name} must be classes or numbers, got {type(part).__name__}")

    @property
    def outputs(self) -> int:  # noqa: D102
        return sum(part.outputs for part in self.parts)

    def together(self, parts: tuple[Tensor, ...]) -> Float[Tensor, "n columns"]:
        """The targets of each part, side by side."""
        return torch.cat([part.float().view(len(part), -1) for part in parts], 1)

    def apart(self, targets: Float[Tensor, "n columns"]) -> tuple[Int64[Tensor, "n"] | Float[Tensor, "n _"], ...]:
        """The targets of each part, as that part has them.

        >>> kind = Several(("digit", "ink"), (Classes(("0", "1")), Numbers(("ink",), (0.0,), (1.0,))))
        >>> [part.tolist() for part in kind.apart(torch.tensor([[1.0, 0.5], [0.0, 0.25]]))]
        [[1, 0], [[0.5], [0.25]]]
        """
        columns = [1 if isinstance(part, Classes) else part.outputs for part in self.parts]
        if targets.ndim != 2 or targets.shape[1] != sum(columns):
            raise ValueError(f"targets must have shape (n, {sum(columns)}), got {tuple(targets.shape)}")
        split = targets.split(columns, 1)
        return tuple(
            values[:, 0].round().long() if isinstance(part, Classes) else values
            for part, values in zip(self.parts, split)
        )
