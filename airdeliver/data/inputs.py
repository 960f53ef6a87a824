"""The contract of a kind of inputs, and the two kinds that are no images: rows of numbers, and texts as bytes."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Generator, Tensor


class Inputs(ABC):
    """What the inputs of a data set are, and how a network gets to see them; a frozen dataclass.

    Attributes:
        tokens: whether a network sees integers that stand for symbols; else it sees float32.
    """

    tokens: ClassVar[bool] = False

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Of one prepared input, without the batch."""

    @property
    @abstractmethod
    def size(self) -> int:
        """What a model builder is told: channels of an image, features of a row, distinct tokens of a text."""

    @abstractmethod
    def prepare(self, inputs: Tensor, dtype: torch.dtype, channels_last: bool) -> Tensor:
        """What the network sees: see `airdeliver.data.Dataset.prepare`."""

    def augment(self, inputs: Tensor, generator: Generator) -> Tensor:
        """Augmented copies; the inputs themselves where the kind has no augmentation."""
        return inputs

    def augment_jointly(self, inputs: Tensor, masks: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Inputs and their masks, augmented alike."""
        return inputs, masks


@dataclass(frozen=True)
class Rows(Inputs):
    """Rows of numbers; a network sees each feature with mean 0 and variance 1 over the training split.

    Args:
        names: of the features.
        mean: of each over the training split.
        std: standard deviation of each over the training split; 1 for a constant feature.

    >>> rows = torch.tensor([[1.0, 5.0], [3.0, 5.0]])
    >>> Rows.of(rows, ("a", "b")).prepare(rows).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, train: Float[Tensor, "n features"], names: tuple[str, ...]) -> "Rows":
        """The kind of a training split."""
        return cls(names, *standards(train))

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (len(self.names),)

    @property
    def size(self) -> int:  # noqa: D102
        return len(self.names)

    def prepare(  # noqa: D102
        self, inputs: Tensor, dtype: torch.dtype = torch.float32, channels_last: bool = True
    ) -> Float[Tensor, "n features"]:
        if inputs.ndim != 2 or inputs.shape[1] != self.size:
            raise ValueError(f"rows must have {self.size} features, got shape {tuple(inputs.shape)}")
        mean, std = (torch.tensor(moment, device=inputs.device) for moment in (self.mean, self.std))
        return ((inputs.float() - mean) / std).to(dtype)


@dataclass(frozen=True)
class Texts(Inputs):
    """Texts as their bytes in UTF-8, cut or filled up with zeros to one length; a network sees a token for each byte.

    Args:
        length: bytes of a text; those of an input that is longer are cut off.

    >>> Texts(5).encode(["né", "longer"]).tolist()
    [[110, 195, 169, 0, 0], [108, 111, 110, 103, 101]]
    """

    length: int
    tokens: ClassVar[bool] = True

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        return (self.length,)

    @property
    def size(self) -> int:
        """256: every value of a byte, of which 0 fills up."""
        return 256

    def encode(self, texts: list[str]) -> UInt8[Tensor, "n length"]:
        """Texts as a split holds them."""
        encoded = torch.zeros(len(texts), self.length, dtype=torch.uint8)
        for row, text in zip(encoded, texts):
            content = bytearray(text.encode()[: self.length])
            if content:
                row[: len(content)] = torch.frombuffer(content, dtype=torch.uint8)
        return encoded

    def prepare(  # noqa: D102
        self, inputs: Tensor, dtype: torch.dtype = torch.float32, channels_last: bool = True
    ) -> Int64[Tensor, "n length"]:
        if inputs.ndim != 2:
            raise ValueError(f"texts must be rows of bytes, got shape {tuple(inputs.shape)}")
        return inputs.long()


def standards(values: Float[Tensor, "n k"]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each column, 1 for a constant one.

    >>> standards(torch.tensor([[1.0, 2.0], [3.0, 2.0]]))
    ((2.0, 2.0), (1.0, 1.0))
    """
    values = values.double()
    deviations = (float(std) or 1.0 for std in values.std(0, correction=0))
    return tuple(float(mean) for mean in values.mean(0)), tuple(deviations)
