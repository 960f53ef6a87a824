"""Scenes of handwritten digits on textured ground: a segmentation set that needs no network."""

from functools import cache

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from airdeliver.data.augmentation import Augmentation
from airdeliver.data.dataset import Dataset, Split
from airdeliver.data.digits import CLASSES, digits
from airdeliver.data.images import Images, moments
from airdeliver.data.targets import Masks

SIDE = 32
COUNTS = (6000, 1000, 1000)
MOST = 3
"""Digits of a scene, at most."""
ENLARGED = (1.0, 2.5)
INK = 0.5
"""Share of the full grey level from which on a pixel belongs to the digit."""


@cache
def digit_scenes() -> Dataset:
    """8,000 scenes of 32 x 32 RGB pixels, one to three digits each, and for each pixel which digit's ink it is.

    The digits are scikit-learn's, enlarged 1 to 2.5 times, each in a colour of its own that differs from the ground's;
    later ones lie over earlier ones. The ground is a colour with a smooth and a fine texture. Class 0 is ground, class
    1 + d the ink of digit d. Scenes of the training, validation and test split are drawn from the digits of that split
    of `digits`, so no handwriting is seen twice. The scenes are made here, not photographed, from fixed seeds.

    Source: of the digits, see `airdeliver.data.digits.digits`.
    """
    source = digits()
    splits = [
        _scenes(digits_of, count, Generator().manual_seed(seed))
        for seed, (digits_of, count) in enumerate(zip((source.train, source.validation, source.test), COUNTS))
    ]
    inputs = Images(3, SIDE, SIDE, *moments(splits[0].inputs), Augmentation(padding=2))
    return Dataset.of("digit_scenes", splits, inputs, Masks.of(splits[0].targets, ("ground", *CLASSES)))


def _scenes(source: Split, n: int, generator: Generator) -> Split:
    ground = torch.rand(n, 3, 1, 1, generator=generator, dtype=torch.float64)
    pixels = ground + _texture(n, generator)
    masks = torch.zeros(n, SIDE, SIDE, dtype=torch.uint8)
    many = torch.randint(1, MOST + 1, (n,), generator=generator)
    for number in range(MOST):
        rows = torch.randint(len(source), (n,), generator=generator)
        ink = _placed(source.inputs[rows, 0].double() / 255, generator)
        ink[many <= number] = 0.0
        # Half the range away from the ground in each channel, give or take an eighth.
        away = 0.5 + 0.25 * (torch.rand(n, 3, 1, 1, generator=generator, dtype=torch.float64) - 0.5)
        colour = (ground + away).remainder(1.0)
        pixels = torch.lerp(pixels, colour.expand_as(pixels), ink[:, None])
        masks = torch.where(ink >= INK, (source.targets[rows] + 1).to(torch.uint8)[:, None, None], masks)
    images = (pixels.clamp(0, 1) * 255).round().to(torch.uint8)
    return Split(images.contiguous(memory_format=torch.channels_last), masks)


def _texture(n: int, generator: Generator) -> Float[Tensor, "n 3 h w"]:
    """Smooth patches of an eighth of the side and fine grain, about zero."""
    coarse = torch.rand(n, 3, SIDE // 8, SIDE // 8, generator=generator, dtype=torch.float64) - 0.5
    smooth = torch.nn.functional.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear")
    return 0.3 * smooth + 0.1 * (torch.rand(n, 3, SIDE, SIDE, generator=generator, dtype=torch.float64) - 0.5)


def _placed(small: Float[Tensor, "n 8 8"], generator: Generator) -> Float[Tensor, "n h w"]:
    """Each digit enlarged by a random factor, at a random place within the scene; 0 around it."""
    n, side, _ = small.shape
    least, most = ENLARGED
    factor = least + (most - least) * torch.rand(n, generator=generator, dtype=torch.float64)
    corner = torch.rand(2, n, generator=generator, dtype=torch.float64) * (SIDE - factor * side)
    rows, columns = (_weights(start, factor, side) for start in corner)
    return rows @ small @ columns.mT


def _weights(start: Float[Tensor, "n"], factor: Float[Tensor, "n"], side: int) -> Float[Tensor, "n large small"]:
    """Linear interpolation along one axis: the weight of each small pixel in each large one."""
    centres = (torch.arange(SIDE) + 0.5 - start[:, None]) / factor[:, None] - 0.5
    distance = (centres[:, :, None] - torch.arange(side)).abs()
    return (1 - distance).clamp(min=0)
