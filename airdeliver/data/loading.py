"""`load_dataset`: a data set by its name, or from a folder."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator

from airdeliver.data import cache as store
from airdeliver.data.augmentation import Augmentation
from airdeliver.data.dataset import DataError, Dataset
from airdeliver.data.decoding import Columns, columns_of, decoded, format_of
from airdeliver.data.digits import digits
from airdeliver.data.source import opened, parquet_files

TRAIN, VALIDATION, TEST = range(3)
NAMES = {
    TRAIN: ("train", "training"),
    VALIDATION: ("validation", "valid", "val", "dev"),
    TEST: ("test", "testing"),
}
SHARE = 10
"""One training image in ten becomes a validation (test) image where the set has no such split: 5,000 of CIFAR-10."""
FLIP_IS_WRONG = ("svhn",)


def load_dataset(
    name: str = "digits",
    path: str | Path | None = None,
    *,
    size: int | None = None,
    cache: str | Path | None = None,
    augmentation: Augmentation | None = None,
) -> Dataset:
    """An image-classification data set with fixed splits, decoded once, cached and mapped into memory.

    A set without a validation split gives a tenth of its training images, chosen by a fixed permutation; one without
    a test split is tested on its validation split, or on another such tenth.

    Args:
        name: `digits` (built in), `cifar10`, `cifar100`, `mnist`, `fashion_mnist`, `svhn`, or the hub's name of any
            set; with a path only what it is called.
        path: a local folder in the hub's parquet layout (`train-*.parquet`, `test-*.parquet`), read without a
            network.
        size: pixels of a side, to which images are cropped and resized; `None` for the set's most common size.
        cache: folder of decoded images; `None` for `$AIRDELIVER_CACHE` or `~/.cache/airdeliver`.
        augmentation: `None` for shifts by up to an eighth of the height and, for colour images, flips.

    Raises:
        DataError: one line: an unknown set (with the nearest name), no network, a missing folder, a folder without
            parquet files, a truncated or damaged file, no image or label column, a full disk.

    >>> load_dataset("digits").shape
    (1, 8, 8)
    """
    if size is not None and size < 1:
        raise ValueError(f"size must be at least 1 pixel, got {size}")
    if name == "digits" and path is None:
        return digits()
    folder = store.cache_folder(cache)
    path = None if path is None else Path(path)
    key = [name] if path is None else store.files_key(parquet_files(path))
    place = store.entry(folder, name, [key, size])
    if not store.exists(place):
        _decode(name, path, size, place)
    splits, description = store.read(place)
    return Dataset(
        name,
        *splits,
        class_names=tuple(description["class_names"]),
        mean=tuple(description["mean"]),
        std=tuple(description["std"]),
        fingerprint=description["fingerprint"],
        augmentation=augmentation or _usual_augmentation(name, splits[0].images.shape[1], splits[0].images.shape[2]),
    )


def _decode(name: str, path: Path | None, size: int | None, place: Path) -> None:
    with opened(name, path, scratch=place.parent) as rows:
        splits = _assigned(rows, name)
        columns: Columns = columns_of(splits[0][0])
        format = format_of(splits[0][0], columns, size)
        sources = [(decoded(split, columns, format), numbers) for split, numbers in splits]
        store.write(place, sources, (format.height, format.width, format.channels), columns.class_names)


def _assigned(rows: Any, name: str) -> list[tuple[Any, np.ndarray]]:
    """The set's own splits, training first, and for each image the split that it belongs to here."""
    found: dict[int, Any] = {kind: next((rows[n] for n in names if n in rows), None) for kind, names in NAMES.items()}
    if found[TRAIN] is None:
        raise DataError(f"data set {name} has no split called train, but {', '.join(rows)}")
    if found[TEST] is None:
        found[TEST], found[VALIDATION] = found[VALIDATION], None
    numbers = np.full(len(found[TRAIN]), TRAIN)
    order = torch.randperm(len(numbers), generator=Generator().manual_seed(0)).numpy()
    for kind in (VALIDATION, TEST):
        if found[kind] is None:
            carved, order = np.split(order, [len(numbers) // SHARE])
            numbers[carved] = kind
    own = [(found[kind], np.full(len(found[kind]), kind)) for kind in (VALIDATION, TEST) if found[kind] is not None]
    return [(found[TRAIN], numbers), *own]


def _usual_augmentation(name: str, channels: int, height: int) -> Augmentation:
    return Augmentation(padding=height // 8, flip=channels == 3 and name not in FLIP_IS_WRONG)
