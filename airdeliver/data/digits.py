"""The digits that come with scikit-learn: real images without a network."""

from functools import cache
from typing import Any

import numpy as np
import torch

from airdeliver.data.augmentation import Augmentation
from airdeliver.data.dataset import Dataset, Split
from airdeliver.data.targets import Classes, Numbers, Several

CLASSES = tuple(str(digit) for digit in range(10))


@cache
def digits() -> Dataset:
    """1,797 handwritten digits of 8 x 8 grey pixels: 1,077 to train on, 360 to validate, 360 to test.

    The splits are stratified and fixed. Grey levels 0..16 are stretched to 0..255.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository,
    1998 (its test set).

    >>> len(digits().train), len(digits().validation), len(digits().test)
    (1077, 360, 360)
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bunch: Any = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    labels = bunch.target.astype(np.int64)
    rest, test = train_test_split(np.arange(len(labels)), test_size=360, stratify=labels, random_state=0)
    train, validation = train_test_split(rest, test_size=360, stratify=labels[rest], random_state=0)
    splits = tuple(
        Split(torch.from_numpy(images[part]), torch.from_numpy(labels[part]))
        for part in (np.sort(train), np.sort(validation), np.sort(test))
    )
    return Dataset.of_images("digits", splits, CLASSES, Augmentation(padding=1))


@cache
def digits_and_ink() -> Dataset:
    """The digits with two targets at once: which digit it is, and how much ink it took (the mean grey level).

    Splits and images are those of `digits`.

    >>> digits_and_ink().targets.names
    ('digit', 'ink')
    """
    source = digits()
    plain = (source.train, source.validation, source.test)
    ink, amounts = Numbers.of(tuple(split.inputs.float().mean((2, 3)) for split in plain), ("ink",))
    targets = Several(("digit", "ink"), (Classes(CLASSES), ink))
    splits = [Split(s.inputs, targets.together((s.targets, amount))) for s, amount in zip(plain, amounts)]
    return Dataset.of("digits_and_ink", splits, source.inputs, targets)
