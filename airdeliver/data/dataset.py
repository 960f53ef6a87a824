"""An image-classification data set: fixed splits of 8-bit images, and how they become a network's input."""

import hashlib
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from airdeliver.data.augmentation import Augmentation


class DataError(ValueError):
    """A data set that cannot be had; its message is one line for the person who asked for it."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels.

    Args:
        images: 8-bit, in channels-last memory (rows of pixels, each with its channels side by side), maybe mapped
            from a file.
        labels: from 0 to classes - 1.
    """

    images: UInt8[Tensor, "n c h w"]
    labels: Int64[Tensor, "n"]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: Int64[Tensor, "batch"]) -> tuple[UInt8[Tensor, "batch c h w"], Int64[Tensor, "batch"]]:
        """Copies of some images, in channels-last memory, and their labels."""
        rows = self.images.permute(0, 2, 3, 1).index_select(0, indices)
        return rows.permute(0, 3, 1, 2), self.labels.index_select(0, indices)

    def to(self, device: torch.device | str) -> "Split":
        """The split on a device."""
        return Split(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Fixed train, validation and test splits; the test split is never used to choose anything.

    Args:
        name: what it is called in tables.
        train: what networks are trained on.
        validation: what choices are made on.
        test: what accuracy is reported on.
        class_names: one for each label.
        mean: of each channel over the training split, in 0..255.
        std: standard deviation of each channel over the training split, in 0..255.
        augmentation: the right one for these images.
        fingerprint: hash of all images, labels and splits; equal content has equal fingerprints.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    fingerprint: str
    augmentation: Augmentation = field(default_factory=Augmentation)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def channels(self) -> int:
        """Colour channels of an image: 1 or 3."""
        return self.train.images.shape[1]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        _, channels, height, width = self.train.images.shape
        return channels, height, width

    def prepare(
        self, images: UInt8[Tensor, "n c h w"], dtype: torch.dtype = torch.float32, channels_last: bool = True
    ) -> Float[Tensor, "n c h w"]:
        """What the network sees: each channel of the training split gets mean 0 and variance 1.

        Args:
            images: 8-bit images, fastest in channels-last memory.
            dtype: of the result; computed in float32 and rounded once.
            channels_last: memory format of the result, else contiguous.

        Raises:
            ValueError: another number of channels than the data set's.
        """
        n, channels, height, width = images.shape
        if channels != self.channels:
            raise ValueError(f"images must have {self.channels} channels, as {self.name} has, got {channels}")
        scale = (1 / torch.tensor(self.std)).to(images.device)
        shift = -torch.tensor(self.mean).to(images.device) * scale
        # Whole rows of pixels are scaled at once: a last axis of 3 channels would be ten times slower.
        rows = images.permute(0, 2, 3, 1).reshape(n, height, width * channels)
        rows = rows.float().mul_(scale.repeat(width)).add_(shift.repeat(width)).to(dtype)
        prepared = rows.view(n, height, width, channels).permute(0, 3, 1, 2)
        return prepared if channels_last else prepared.contiguous()


def moments(images: UInt8[Tensor, "n c h w"]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel, exact on every machine since they come from integer counts.

    A constant channel has standard deviation 1, so that it can be divided by.

    >>> moments(torch.tensor([0, 0, 10, 10], dtype=torch.uint8).view(1, 1, 2, 2))
    ((5.0,), (5.0,))
    """
    levels = torch.arange(256, dtype=torch.float64)
    means, deviations = [], []
    for channel in images.unbind(1):
        # Some images at a time: counting converts them to eight bytes a pixel.
        counts = torch.zeros(256, dtype=torch.float64)
        for part in channel.split(10_000):
            counts += torch.bincount(part.reshape(-1), minlength=256)
        mean = float((counts * levels).sum() / counts.sum())
        variance = float((counts * (levels - mean) ** 2).sum() / counts.sum())
        means.append(mean)
        deviations.append(variance**0.5 or 1.0)
    return tuple(means), tuple(deviations)


def fingerprint(splits: tuple[Split, ...], class_names: tuple[str, ...]) -> str:
    """Hash (BLAKE2, 128 bits) of the images, labels and classes."""
    digest = hashlib.blake2b(repr(class_names).encode(), digest_size=16)
    for split in splits:
        digest.update(repr(tuple(split.images.shape)).encode())
        for part in split.images.permute(0, 2, 3, 1).split(10_000):
            digest.update(part.contiguous().numpy().data)
        digest.update(split.labels.contiguous().numpy().data)
    return digest.hexdigest()
