"""Several tasks from one set of images: each sees the same pictures in another way."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from airdeliver.data.dataset import Dataset, Split
from airdeliver.data.images import Images
from airdeliver.data.inputs import Inputs
from airdeliver.data.targets import Classes, Several

Pictures = Float[Tensor, "n c h w"]


def permuted(images: Pictures) -> Pictures:
    """Every image with its pixels in one order, drawn once and for all."""
    count = images.shape[2] * images.shape[3]
    order = torch.randperm(count, generator=Generator().manual_seed(0)).to(images.device)
    return images.flatten(2)[:, :, order].view(images.shape)


VIEWS: dict[str, Callable[[Pictures], Pictures]] = {
    "upright": lambda images: images,
    "rotated 90": lambda images: images.rot90(1, (2, 3)),
    "rotated 180": lambda images: images.rot90(2, (2, 3)),
    "rotated 270": lambda images: images.rot90(3, (2, 3)),
    "inverted": lambda images: -images,
    "permuted": permuted,
    "transposed": lambda images: images.mT,
}
"""What can be done with standardised images, by name; the classes stay what they are."""


@dataclass(frozen=True)
class Views(Inputs):
    """Images of which a network sees several views, one behind the other along the channels.

    Args:
        images: kept once, augmented before they are viewed.
        names: of the views, some of `VIEWS`.

    Raises:
        ValueError: a view that there is not, or none.
    """

    images: Images
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = [name for name in self.names if name not in VIEWS]
        if unknown or not self.names:
            raise ValueError(f"views must be some of {', '.join(VIEWS)}, got {list(self.names)}")

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels of all views, height and width."""
        channels, *sides = self.images.shape
        return len(self.names) * channels, *sides

    @property
    def size(self) -> int:
        """Channels of all views."""
        return self.shape[0]

    def prepare(  # noqa: D102
        self, inputs: Tensor, dtype: torch.dtype = torch.float32, channels_last: bool = True
    ) -> Float[Tensor, "n views h w"]:
        images = self.images.prepare(inputs, dtype, channels_last)
        seen = torch.cat([VIEWS[name](images) for name in self.names], 1)
        return seen.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)

    def augment(self, inputs: Tensor, generator: Generator) -> Tensor:  # noqa: D102
        return self.images.augment(inputs, generator)


def several_views(dataset: Dataset, name: str, names: tuple[str, ...]) -> Dataset:
    """A data set of images as several tasks: which class it is, told from each view alone.

    Splits and images are those of the data set.

    Args:
        dataset: of images and classes.
        name: of the new one.
        names: of the views.

    Raises:
        ValueError: a data set of something else.

    >>> from airdeliver.data.digits import digits
    >>> both = several_views(digits(), "two", ("upright", "inverted"))
    >>> both.shape, both.targets.names, both.test.targets[0].tolist()
    ((2, 8, 8), ('upright', 'inverted'), [1.0, 1.0])
    """
    if not isinstance(dataset.inputs, Images) or not isinstance(dataset.targets, Classes):
        raise ValueError(f"only images of classes can be viewed in several ways, {dataset.name} has others")
    targets = Several(names, (dataset.targets,) * len(names))
    splits = [
        Split(split.inputs, split.targets.float()[:, None].repeat(1, len(names)))
        for split in (dataset.train, dataset.validation, dataset.test)
    ]
    content = hashlib.blake2b(f"{dataset.fingerprint} as {names}".encode(), digest_size=16).hexdigest()
    viewed = replace(dataset, name=name, inputs=Views(dataset.inputs, names), targets=targets, fingerprint=content)
    return replace(viewed, train=splits[0], validation=splits[1], test=splits[2])
