"""A data set: fixed splits of inputs and targets, and what they mean."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Int64
from torch import Generator, Tensor

from airdeliver.data.augmentation import Augmentation
from airdeliver.data.images import Images, moments
from airdeliver.data.inputs import Inputs
from airdeliver.data.targets import Classes, Masks, Targets


class DataError(ValueError):
    """A data set that cannot be had; its message is one line for the person who asked for it."""


@dataclass(frozen=True, eq=False)
class Split:
    """Inputs and what a network should say of them, row by row.

    Args:
        inputs: as they are kept: 8-bit images (n, c, h, w) in channels-last memory, maybe mapped from a file; rows of
            numbers (n, features), float32; bytes of texts (n, length), uint8.
        targets: labels (n,), int64; masks (n, h, w), uint8; numbers (n, outputs), float32.

    Raises:
        ValueError: not as many targets as inputs.
    """

    inputs: Tensor
    targets: Tensor

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.targets):
            raise ValueError(f"a split needs a target for each input, got {len(self.inputs)} and {len(self.targets)}")

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def images(self) -> Tensor:
        """The inputs, where they are images."""
        return self.inputs

    @property
    def labels(self) -> Tensor:
        """The targets, where they are labels."""
        return self.targets

    def take(self, indices: Int64[Tensor, "batch"]) -> tuple[Tensor, Tensor]:
        """Copies of some inputs, images in channels-last memory, and their targets."""
        targets = self.targets.index_select(0, indices)
        if self.inputs.ndim != 4:
            return self.inputs.index_select(0, indices), targets
        rows = self.inputs.permute(0, 2, 3, 1).index_select(0, indices)
        return rows.permute(0, 3, 1, 2), targets

    def to(self, device: torch.device | str) -> "Split":
        """The split on a device."""
        return Split(self.inputs.to(device), self.targets.to(device))


class Sealed(Split):
    """A test split as those get to see it that choose: how many rows it has, and not one of them.

    Args:
        rows: how many.

    >>> Sealed(3).targets
    Traceback (most recent call last):
    ...
    airdeliver.data.dataset.DataError: the test split chooses nothing, it is for scores alone: take the validation split
    """

    def __init__(self, rows: int) -> None:
        object.__setattr__(self, "rows", rows)

    def __len__(self) -> int:
        return self.rows  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"Sealed({len(self)})"

    def __getattr__(self, name: str) -> Any:
        if name in ("inputs", "targets"):
            raise DataError("the test split chooses nothing, it is for scores alone: take the validation split")
        raise AttributeError(name)


@dataclass(frozen=True, eq=False)
class Dataset:
    """Fixed train, validation and test splits; the test split is never used to choose anything.

    Args:
        name: what it is called in tables.
        train: what networks are trained on.
        validation: what choices are made on.
        test: what scores are reported on.
        inputs: what the inputs are, how a network gets to see them and how they are augmented.
        targets: what the targets mean.
        fingerprint: hash of all inputs, targets and splits; equal content has equal fingerprints.

    Raises:
        DataError: a training or validation split without examples.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    inputs: Inputs
    targets: Targets
    fingerprint: str

    def __post_init__(self) -> None:
        for name, split in (("training", self.train), ("validation", self.validation)):
            if not len(split):
                raise DataError(f"data set {self.name} has no {name} examples: networks are trained and chosen by them")

    @classmethod
    def of(cls, name: str, splits: Sequence[Split], inputs: Inputs, targets: Targets) -> "Dataset":
        """A data set from its train, validation and test splits, with the fingerprint of its content."""
        train, validation, test = splits
        return cls(name, train, validation, test, inputs, targets, fingerprint((train, validation, test), targets))

    @classmethod
    def of_images(
        cls,
        name: str,
        splits: Sequence[Split],
        class_names: Sequence[str],
        augmentation: Augmentation | None = None,
    ) -> "Dataset":
        """Images and one class for each.

        >>> split = Split(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.tensor([0, 1, 0, 1]))
        >>> Dataset.of_images("black", (split, split, split), ("yes", "no")).classes
        2
        """
        _, channels, height, width = splits[0].inputs.shape
        mean, std = moments(splits[0].inputs)
        inputs = Images(channels, height, width, mean, std, augmentation or Augmentation())
        return cls.of(name, splits, inputs, Classes(tuple(class_names)))

    @property
    def sealed(self) -> "Dataset":
        """The same without a look at the test split, for whatever trains and chooses: see `Sealed`."""
        return replace(self, test=Sealed(len(self.test)))

    @property
    def class_names(self) -> tuple[str, ...]:
        """One for each class.

        Raises:
            AttributeError: the targets are no classes.
        """
        if not isinstance(self.targets, Classes | Masks):
            raise AttributeError(f"data set {self.name} has no classes, its targets are {type(self.targets).__name__}")
        return self.targets.names

    @property
    def classes(self) -> int:
        """Number of classes, where the targets are classes."""
        return len(self.class_names)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input as the network sees it, without the batch: channels, height and width of an image."""
        return self.inputs.shape

    @property
    def channels(self) -> int:
        """What a model builder is told of the inputs: colour channels of images, 1 or 3."""
        return self.inputs.size

    @property
    def augmentation(self) -> Augmentation:
        """The right one for these images, where the inputs are images."""
        return self.inputs.augmentation if isinstance(self.inputs, Images) else Augmentation()

    def shifted(self, pixels: int) -> "Dataset":
        """The same with random crops shifted by up to so many pixels; itself where inputs are no images.

        Args:
            pixels: 0 for no crops.
        """
        if not isinstance(self.inputs, Images):
            return self
        return replace(self, inputs=replace(self.inputs, augmentation=replace(self.augmentation, padding=pixels)))

    def prepare(self, inputs: Tensor, dtype: torch.dtype = torch.float32, channels_last: bool = True) -> Tensor:
        """What the network sees: standardised over the training split; texts as tokens.

        Args:
            inputs: as a split holds them; images are fastest in channels-last memory.
            dtype: of the result, computed in float32 and rounded once; tokens are int64 whatever is asked for.
            channels_last: memory format of prepared images, else contiguous.

        Raises:
            ValueError: inputs of another shape than the data set's.
        """
        return self.inputs.prepare(inputs, dtype, channels_last)

    def augment(self, inputs: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Augmented copies of training examples: what is shifted or mirrored in an image is so in its mask.

        Args:
            inputs: as a split holds them, on their device.
            targets: of these inputs.
            generator: of every example's own randomness, on that device.
        """
        if self.targets.spatial:
            return self.inputs.augment_jointly(inputs, targets, generator)
        return self.inputs.augment(inputs, generator), targets


def fingerprint(splits: tuple[Split, ...], targets: Any) -> str:
    """Hash (BLAKE2, 128 bits) of inputs, targets and what these mean.

    Args:
        splits: in order.
        targets: kind of the targets; of classes their names alone count.
    """
    meaning = targets.names if isinstance(targets, Classes) else targets
    digest = hashlib.blake2b(repr(meaning).encode(), digest_size=16)
    for split in splits:
        digest.update(repr(tuple(split.inputs.shape)).encode())
        for part in split.inputs.split(10_000):
            rows = part.permute(0, 2, 3, 1) if part.ndim == 4 else part
            digest.update(rows.contiguous().numpy().data)
        digest.update(split.targets.contiguous().numpy().data)
    return digest.hexdigest()
