"""Digits, standardisation, moments and fingerprints."""

import pytest
import torch

from airdeliver.data import Augmentation, Dataset, Split, load_dataset
from airdeliver.data.dataset import fingerprint
from airdeliver.data.images import moments


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_digits_are_split_without_overlap_and_stratified():
    digits = load_dataset("digits")
    splits = (digits.train, digits.validation, digits.test)
    assert [len(split) for split in splits] == [1077, 360, 360]
    for split in splits:
        shares = torch.bincount(split.labels, minlength=10) / len(split)
        assert bool((shares - 0.1).abs().max() < 0.01)
    from sklearn.datasets import load_digits

    together = torch.cat([split.images.flatten(1) for split in splits])
    original = torch.from_numpy(load_digits().data * 255 / 16).round().to(torch.uint8)
    assert sorted(map(tuple, together.tolist())) == sorted(map(tuple, original.tolist()))


def test_digits_are_what_a_network_takes():
    digits = load_dataset()
    assert (digits.name, digits.shape, digits.channels, digits.classes) == ("digits", (1, 8, 8), 1, 10)
    assert digits.class_names == tuple("0123456789")
    assert not digits.augmentation.flip
    assert digits.train.images.max() == 255


def test_prepared_training_images_are_standardised():
    digits = load_dataset("digits")
    prepared = digits.prepare(digits.train.images)
    assert abs(float(prepared.mean())) < 1e-5
    assert abs(float(prepared.std(correction=0)) - 1) < 1e-5


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_prepare_is_the_formula(channels_last, dtype):
    dataset = coloured()
    images = dataset.train.images
    mean, std = (torch.tensor(m).view(3, 1, 1) for m in (dataset.inputs.mean, dataset.inputs.std))
    prepared = dataset.prepare(images, dtype, channels_last)
    assert prepared.dtype == dtype
    assert torch.allclose(prepared.float(), (images - mean) / std, atol=1e-5 if dtype == torch.float32 else 0.02)
    wanted = torch.channels_last if channels_last else torch.contiguous_format
    assert prepared.is_contiguous(memory_format=wanted)


def test_prepare_refuses_other_channels():
    with pytest.raises(ValueError, match="images must have 1 channels, as the data set has, got 3"):
        load_dataset("digits").prepare(torch.zeros(1, 3, 8, 8, dtype=torch.uint8))


def test_moments_are_those_of_the_pixels():
    images = coloured().train.images
    mean, std = moments(images)
    pixels = images.double().transpose(0, 1).flatten(1)
    assert torch.allclose(torch.tensor(mean).double(), pixels.mean(1))
    assert torch.allclose(torch.tensor(std).double(), pixels.std(1, correction=0))


def test_constant_channel_can_be_divided_by():
    assert moments(torch.full((2, 1, 3, 3), 7, dtype=torch.uint8)) == ((7.0,), (1.0,))


def test_take_copies_images_and_labels():
    split = coloured().train
    indices = torch.tensor([5, 0, 5])
    images, labels = split.take(indices)
    assert torch.equal(images, split.images[indices])
    assert torch.equal(labels, split.labels[indices])
    assert images.is_contiguous(memory_format=torch.channels_last)


def test_fingerprint_is_of_the_content():
    digits = load_dataset("digits")
    splits = (digits.train, digits.validation, digits.test)
    assert fingerprint(splits, digits.targets) == digits.fingerprint
    formatted = tuple(Split(s.images.contiguous(memory_format=torch.channels_last), s.labels) for s in splits)
    assert fingerprint(formatted, digits.targets) == digits.fingerprint
    labels = digits.train.labels.clone()
    labels[0] = (labels[0] + 1) % 10
    changed = Split(digits.train.images, labels)
    assert fingerprint((changed, *splits[1:]), digits.targets) != digits.fingerprint
    assert fingerprint((splits[1], splits[0], splits[2]), digits.targets) != digits.fingerprint


def coloured():
    images = torch.randint(0, 256, (40, 3, 6, 5), generator=seeded(0), dtype=torch.uint8)
    split = Split(images.contiguous(memory_format=torch.channels_last), torch.arange(40) % 4)
    return Dataset.of_images("coloured", (split, split, split), ("a", "b", "c", "d"), Augmentation(1, True))
