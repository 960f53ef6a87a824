"""The digits that come with scikit-learn: real images without a network."""

from functools import cache
from typing import Any

import numpy as np
import torch

from airdeliver.data.augmentation import Augmentation
from airdeliver.data.dataset import Dataset, Split, fingerprint, moments

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
    mean, std = moments(splits[0].images)
    return Dataset(
        "digits", *splits, class_names=CLASSES, mean=mean, std=std, fingerprint=fingerprint(splits, CLASSES),
        augmentation=Augmentation(padding=1),
    )  # fmt: skip
