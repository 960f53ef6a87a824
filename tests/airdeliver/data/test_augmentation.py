"""Crops and flips: what they may produce, how often, and that each image has its own."""

import math

import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.data import Augmentation


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def distinct(n, channels=3, height=6, width=7):
    """Images in which every pixel of every image differs (up to 256 values)."""
    return torch.randint(0, 256, (n, channels, height, width), generator=seeded(9), dtype=torch.uint8)


def crops(image, padding, flip):
    """Every image that the augmentation may make of one, the slow way."""
    _, height, width = image.shape
    padded = functional.pad(image.float(), (padding,) * 4, mode="reflect").to(torch.uint8)
    found = [padded[:, y : y + height, x : x + width] for y in range(2 * padding + 1) for x in range(2 * padding + 1)]
    return found + [crop.flip(2) for crop in found] if flip else found


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.integers(0, 3), st.booleans(), st.sampled_from([1, 3]), st.integers(0, 1000))
def test_result_is_a_reflected_crop_of_the_same_image(padding, flip, channels, seed):
    images = distinct(3, channels)
    augmented = Augmentation(padding, flip)(images, seeded(seed))
    for image, result in zip(images, augmented, strict=True):
        assert any(torch.equal(result, crop) for crop in crops(image, padding, flip))


def test_every_shift_and_flip_is_equally_likely():
    """18 outcomes (3 x 3 shifts, 2 flips): chi-square with 17 degrees of freedom is below 41 but for 1 in 1,000."""
    n = 18_000
    image = distinct(1)
    augmented = Augmentation(padding=1, flip=True)(image.expand(n, -1, -1, -1), seeded(0))
    counts = [int((augmented == crop).flatten(1).all(1).sum()) for crop in crops(image[0], 1, True)]
    assert sum(counts) == n
    assert sum((count - n / 18) ** 2 / (n / 18) for count in counts) < 41


def test_images_have_shifts_of_their_own():
    n = 1000
    flipped = Augmentation(flip=True)(distinct(1).expand(n, -1, -1, -1), seeded(0))
    share = float((flipped != distinct(1)).flatten(1).any(1).float().mean())
    assert abs(share - 0.5) < 4 * math.sqrt(0.25 / n)


def test_same_generator_same_result():
    images, augmentation = distinct(20), Augmentation(2, True)
    assert torch.equal(augmentation(images, seeded(1)), augmentation(images, seeded(1)))
    assert not torch.equal(augmentation(images, seeded(1)), augmentation(images, seeded(2)))


def test_memory_format_does_not_matter():
    images, augmentation = distinct(20), Augmentation(2, True)
    channels_last = augmentation(images.contiguous(memory_format=torch.channels_last), seeded(1))
    assert torch.equal(channels_last, augmentation(images, seeded(1)))
    assert channels_last.is_contiguous(memory_format=torch.channels_last)


def test_nothing_to_do_draws_nothing():
    generator = seeded(1)
    state = generator.get_state()
    images = distinct(2)
    assert Augmentation()(images, generator) is images
    assert torch.equal(generator.get_state(), state)


def test_bad_padding_is_refused():
    with pytest.raises(ValueError, match="padding must be 0 pixels or more, got -1"):
        Augmentation(padding=-1)
    with pytest.raises(ValueError, match="padding must be below the images' 6 x 7 pixels, got 6"):
        Augmentation(padding=6)(distinct(1), seeded(0))
