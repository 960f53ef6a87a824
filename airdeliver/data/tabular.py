"""Two small tables that come with scikit-learn: numbers to predict, and a diagnosis."""

from functools import cache
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64

from airdeliver.data.dataset import Dataset, Split
from airdeliver.data.inputs import Rows
from airdeliver.data.targets import Classes, Numbers


@cache
def diabetes() -> Dataset:
    """442 patients, ten measurements each, and how far their diabetes had progressed a year later: a regression.

    266 to train on, 88 to validate, 88 to test; the splits are random and fixed. A linear model explains about half of
    the variance.

    Source: B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least Angle Regression, Annals of Statistics, 2004,
    section 1.

    >>> diabetes().shape, len(diabetes().train), len(diabetes().test)
    ((10,), 266, 88)
    """
    from sklearn.datasets import load_diabetes

    bunch: Any = load_diabetes(scaled=False)
    parts = _parts(len(bunch.data))
    rows = [torch.from_numpy(bunch.data[part]).float() for part in parts]
    targets, values = Numbers.of(
        tuple(torch.from_numpy(bunch.target[part]).float()[:, None] for part in parts), ("progression",)
    )
    splits = [Split(inputs, numbers) for inputs, numbers in zip(rows, values)]
    return Dataset.of("diabetes", splits, Rows.of(rows[0], tuple(bunch.feature_names)), targets)


@cache
def breast_cancer() -> Dataset:
    """569 tumours, thirty measurements of the nuclei of their cells, malignant or benign: a classification of rows.

    343 to train on, 113 to validate, 113 to test; the splits are stratified, random and fixed. 63 % are benign.

    Source: W. H. Wolberg, O. L. Mangasarian, N. Street and W. Street, Breast Cancer Wisconsin (Diagnostic), UCI Machine
    Learning Repository, 1995.

    >>> breast_cancer().shape, breast_cancer().class_names
    ((30,), ('malignant', 'benign'))
    """
    from sklearn.datasets import load_breast_cancer

    bunch: Any = load_breast_cancer()
    parts = _parts(len(bunch.data), bunch.target)
    rows = [torch.from_numpy(bunch.data[part]).float() for part in parts]
    splits = [Split(inputs, torch.from_numpy(bunch.target[part].astype(np.int64))) for inputs, part in zip(rows, parts)]
    names = tuple(str(name) for name in bunch.target_names)
    kind = Rows.of(rows[0], tuple(str(name) for name in bunch.feature_names))
    return Dataset.of("breast_cancer", splits, kind, Classes(names))


def _parts(n: int, labels: Int64[np.ndarray, "n"] | None = None) -> list[Int64[np.ndarray, "_"]]:
    """Rows of the training, validation and test split: three fifths, a fifth and a fifth."""
    from sklearn.model_selection import train_test_split

    each = n // 5
    rest, test = train_test_split(np.arange(n), test_size=each, stratify=labels, random_state=0)
    known = None if labels is None else labels[rest]
    train, validation = train_test_split(rest, test_size=each, stratify=known, random_state=0)
    return [np.sort(train), np.sort(validation), np.sort(test)]
