"""The built-in sets: what they say they are, made alike every time, no test example in the training split."""

from itertools import combinations

import pytest
import torch

from airdeliver.data import Classes, Masks, Numbers, Rows, Several, Texts, load_dataset
from airdeliver.data.digit_scenes import digit_scenes


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("name", "shape", "counts", "kind"),
    [
        ("digits", (1, 8, 8), [1077, 360, 360], Classes),
        ("digits_and_ink", (1, 8, 8), [1077, 360, 360], Several),
        ("digit_scenes", (3, 32, 32), [6000, 1000, 1000], Masks),
        ("diabetes", (10,), [266, 88, 88], Numbers),
        ("breast_cancer", (30,), [343, 113, 113], Classes),
        ("docstrings", (128,), [4800, 800, 800], Classes),
    ],
)
def test_sizes_are_as_stated(name, shape, counts, kind):
    data = load_dataset(name)
    assert (data.name, data.shape) == (name, shape)
    splits = (data.train, data.validation, data.test)
    assert [len(split) for split in splits] == counts
    assert isinstance(data.targets, kind)
    rows = [{row.tobytes() for row in split.inputs.flatten(1).numpy()} for split in splits]
    assert not any(one & other for one, other in combinations(rows, 2))


def test_digits_are_what_they_were_when_tables_were_published():
    """Moments and fingerprint, which identify every training, to the last digit."""
    data = load_dataset("digits")
    assert data.fingerprint == "514ba1fdfe34e23fbdccc7a516c29eb3"
    assert (data.inputs.mean, data.inputs.std) == ((77.86932741411327,), (95.83255091562383,))


def test_scenes_are_made_alike_every_time():
    first = load_dataset("digit_scenes")
    again = digit_scenes.__wrapped__()
    assert again.fingerprint == first.fingerprint
    assert torch.equal(again.test.inputs, first.test.inputs)


def test_scenes_show_one_to_three_digits_in_ink_that_differs_from_the_ground():
    data = load_dataset("digit_scenes")
    masks, images = data.test.targets, data.test.inputs.float()
    kinds = torch.tensor([len(mask.unique()) - 1 for mask in masks])
    assert (int(kinds.min()), int(kinds.max())) == (1, 3)
    assert masks.unique().tolist() == list(range(11))
    assert 0.05 < float((masks > 0).float().mean()) < 0.3
    ink = (masks > 0)[:, None].expand_as(images)
    contrast = torch.stack([(i[k].mean() - i[~k].mean()).abs() for i, k in zip(images[:, 0], ink[:, 0])])
    assert float(contrast.median()) > 40
    assert data.class_names[:2] == ("ground", "0")


def test_rows_are_standardised_over_the_training_split():
    data = load_dataset("breast_cancer")
    assert isinstance(data.inputs, Rows)
    prepared = data.prepare(data.train.inputs)
    assert prepared.mean(0).abs().max() < 1e-4
    assert (prepared.std(0, correction=0) - 1).abs().max() < 1e-4
    with pytest.raises(ValueError, match=r"rows must have 30 features, got shape \(2, 3\)"):
        data.prepare(torch.zeros(2, 3))


def test_numbers_are_standardised_over_the_training_split():
    targets = load_dataset("diabetes").train.targets
    assert abs(float(targets.mean())) < 1e-5
    assert abs(float(targets.std(correction=0)) - 1) < 1e-5


def test_texts_are_tokens_whatever_type_is_asked_for():
    data = load_dataset("docstrings")
    assert isinstance(data.inputs, Texts)
    tokens = data.prepare(data.test.inputs[:3], torch.bfloat16)
    assert tokens.dtype == torch.int64
    assert bytes(tokens[0].tolist()).rstrip(b"\0").decode(errors="ignore")[0].isupper()
    assert torch.bincount(data.train.targets).tolist() == [1200] * 4


def test_masks_move_with_their_images():
    """An image whose red channel is its own mask stays so, whatever shift and flip it gets."""
    from airdeliver.data import Augmentation

    masks = torch.randint(0, 11, (64, 8, 8), generator=seeded(0), dtype=torch.uint8)
    images = masks[:, None].expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
    augmentation = Augmentation(2, True)
    moved, moved_masks = augmentation.jointly(images, masks, seeded(1))
    assert torch.equal(moved[:, 0], moved_masks)
    assert not torch.equal(moved_masks, masks)
    assert torch.equal(moved, augmentation(images, seeded(1)))


def test_joint_augmentation_is_asked_for_by_the_targets():
    scenes, digits = load_dataset("digit_scenes"), load_dataset("digits")
    images, masks = scenes.train.take(torch.arange(8))
    _, moved = scenes.augment(images, masks, seeded(0))
    assert not torch.equal(moved, masks)
    images, labels = digits.train.take(torch.arange(8))
    augmented, same = digits.augment(images, labels, seeded(0))
    assert same is labels
    assert torch.equal(augmented, digits.augmentation(images, seeded(0)))
    rows = load_dataset("diabetes")
    inputs, targets = rows.train.take(torch.arange(8))
    assert rows.augment(inputs, targets, seeded(0)) == (inputs, targets)


def test_several_targets_come_apart_as_they_went_together():
    kind = Several(("kind", "size"), (Classes(("a", "b")), Numbers(("x", "y"), (0.0, 0.0), (1.0, 1.0))))
    labels, sizes = torch.tensor([1, 0, 1]), torch.randn(3, 2, generator=seeded(0))
    apart = kind.apart(kind.together((labels, sizes)))
    assert torch.equal(apart[0], labels)
    assert torch.equal(apart[1], sizes)
    with pytest.raises(ValueError, match=r"targets must have shape \(n, 3\), got \(3, 1\)"):
        kind.apart(labels.float()[:, None])
    with pytest.raises(ValueError, match="target mask must be classes or numbers, got Masks"):
        Several(("mask",), (Masks(("a",), 1.0),))


def test_splits_of_the_digits_are_stratified_as_scikit_learn_made_them():
    """The file of splits holds what `train_test_split` drew, twice, at seed 0."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    rest, test = train_test_split(range(len(labels)), test_size=360, stratify=labels, random_state=0)
    _, validation = train_test_split(rest, test_size=360, stratify=labels[rest], random_state=0)
    data = load_dataset("digits")
    for rows, split in ((test, data.test), (validation, data.validation)):
        assert torch.equal(split.targets, torch.as_tensor(labels[sorted(rows)]))
        assert torch.equal(split.inputs.flatten(1), (torch.as_tensor(images[sorted(rows)]) * 255 / 16).round().byte())
