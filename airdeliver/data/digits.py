"""The digits that come with scikit-learn: real images without a network."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from airdeliver.data.augmentation import Augmentation
from airdeliver.data.dataset import Dataset, Split
from airdeliver.data.targets import Classes, Numbers, Several

SPLIT = "digits_split.txt"
"""For each digit: 0 to train on, 1 to validate, 2 to test; stratified by class, alike with any scikit-learn."""

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
    values = _rows()
    images = np.rint(values[:, :-1] * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    labels = values[:, -1].astype(np.int64)
    which = np.array(list((Path(__file__).parent / SPLIT).read_text().replace("\n", "")), dtype=np.int64)
    splits = tuple(
        Split(torch.from_numpy(images[part]), torch.from_numpy(labels[part]))
        for part in (np.flatnonzero(which == number) for number in range(3))
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


def _rows() -> np.ndarray:
    """64 grey levels and the label of each digit; read without importing scikit-learn, which takes most of a second."""
    found = find_spec("sklearn")
    places = (found.submodule_search_locations if found else None) or []
    files = [file for place in places if (file := Path(place) / "datasets" / "data" / "digits.csv.gz").is_file()]
    if files:
        return np.loadtxt(files[0], delimiter=",")
    from sklearn.datasets import load_digits

    bunch: Any = load_digits()
    return np.column_stack([bunch.data, bunch.target])
