"""`load_dataset`: a data set by its name, or from a folder."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Generator

from airdeliver.arguments import folder_path, whole
from airdeliver.data import cache as store
from airdeliver.data.augmentation import Augmentation
from airdeliver.data.columns import Columns, Labels, Values, columns_of, length_of, starts, texts_of
from airdeliver.data.dataset import DataError, Dataset, Split
from airdeliver.data.decoding import decoded_images, decoded_masks, format_of, is_binary
from airdeliver.data.digit_scenes import digit_scenes
from airdeliver.data.digits import digits, digits_and_ink
from airdeliver.data.docstrings import docstrings
from airdeliver.data.images import Images, moments
from airdeliver.data.inputs import Inputs, Rows, Texts
from airdeliver.data.source import BUILT_IN, files_of_set, opened
from airdeliver.data.splits import NAMES, TEST, TRAIN, VALIDATION
from airdeliver.data.tabular import breast_cancer, diabetes
from airdeliver.data.targets import UNLABELLED, Classes, Masks, Numbers, Targets
from airdeliver.data.views import VIEWS, several_views

SHARE = 10
"""One training example in ten becomes one for validation (test) where the set has no such split: 5,000 of CIFAR-10."""
SETS: dict[str, Callable[[], Dataset]] = dict(
    zip(BUILT_IN, (digits, digits_and_ink, digit_scenes, diabetes, breast_cancer, docstrings), strict=True)
)
"""Those that need neither network nor files."""
FLIP_IS_WRONG = ("svhn",)
TASKS: dict[str, tuple[str, tuple[str, ...]]] = {
    "digits_tasks": ("digits", tuple(VIEWS)),
    "cifar10_tasks": ("cifar10", ("upright", "rotated 90", "rotated 180", "rotated 270", "transposed")),
}
"""Sets of several tasks: the set whose images they see, and how each of them sees it."""
LARGEST = 4096
"""Pixels of a side, or bytes of a text, that a network may be given."""


def load_dataset(
    name: str = "digits",
    path: str | Path | None = None,
    *,
    size: int | None = None,
    cache: str | Path | None = None,
    augmentation: Augmentation | None = None,
) -> Dataset:
    """A data set with fixed splits, decoded once, cached and mapped into memory.

    Built in are `digits` (images of classes), `digit_scenes` (images with masks), `digits_and_ink` (two targets),
    `diabetes` (rows with a number), `breast_cancer` (rows of classes) and `docstrings` (texts of classes).
    `digits_tasks` and `cifar10_tasks` are several tasks each: the class of an image from several views of it. Any other
    set has a column of images, of texts, or columns of numbers; and one of masks, of class labels, or of numbers to
    predict. A set without a validation split gives a tenth of its training examples, chosen by a fixed permutation; one
    without a test split is tested on its validation split, or on another such tenth.

    Args:
        name: a built-in set, `cifar10`, `cifar100`, `mnist`, `fashion_mnist`, `svhn`, or the hub's name of any set;
            with a path only what it is called.
        path: a local folder, read without a network: in the hub's parquet layout (`train-*.parquet`,
            `test-*.parquet`), or of images in a folder for each class (`train/cat/1.png`, `test/dog/2.png`; without
            folders for the splits all are training examples).
        size: pixels of a side, to which images are cropped and resized, or bytes to which texts are cut; `None` for
            the set's most common size, for what the longest of the first texts needs, at most 256.
        cache: folder of decoded data; `None` for `$AIRDELIVER_CACHE` or `~/.cache/airdeliver`.
        augmentation: `None` for shifts by up to an eighth of the height and, for colour images, flips.

    Raises:
        TypeError: a path or a size that is none.
        DataError: one line: an unknown set (with the nearest name), a size of a built-in set, no network, a missing
            folder, a folder without parquet files and images, a truncated or damaged file, no column of inputs or
            targets, a row that lacks something, a full disk.

    >>> load_dataset("digits").shape
    (1, 8, 8)
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise DataError(f"a data set's name must be a text such as digits, got {name!r:.60}")
    size = None if size is None else whole(size, "size", 1)
    if size is not None and size > LARGEST:
        raise DataError(f"size must be at most {LARGEST} pixels, or bytes of a text, got {size}")
    if name in SETS and path is None:
        if size is not None:
            raise DataError(f"{name} comes as it is: size is for sets that are decoded, got {size}")
        return SETS[name]()
    if name in TASKS:
        source, views = TASKS[name]
        images = load_dataset(source, path, size=size, cache=cache, augmentation=augmentation)
        return several_views(images, name, views)
    path = _folder(path)
    place = _place(name, path, size, cache)
    if not store.exists(place):
        _decode(name, path, size, place)
    splits, inputs, targets, content = store.read(place)
    if isinstance(inputs, Images):
        usual = _usual_augmentation(name, *inputs.shape[:2])
        inputs = replace(inputs, augmentation=augmentation or usual)
    train, validation, test = splits
    return Dataset(name, train, validation, test, inputs, targets, content)


def files_of(name: str, path: str | Path | None = None) -> list[Path]:
    """The files that `load_dataset` reads when it is asked for a set that it has decoded before.

    Args:
        name: of the set.
        path: its folder, or None.

    Raises:
        DataError: a path that holds no set.
    """
    if name in SETS and path is None:
        return []
    if name in TASKS:
        return files_of(TASKS[name][0], path)
    folder = _folder(path)
    decoded = sorted(_place(name, folder, None, None).glob("*"))
    return decoded if folder is None else [*files_of_set(folder), *decoded]


def _folder(path: str | Path | None) -> Path | None:
    try:
        return None if path is None else folder_path(path, "dataset.path")
    except ValueError as error:
        raise DataError(str(error)) from error


def _place(name: str, path: Path | None, size: int | None, cache: str | Path | None) -> Path:
    """Where a set lies once it is decoded."""
    folder = store.cache_folder(cache)
    key = [name] if path is None else store.files_key(files_of_set(path))
    return store.entry(folder, name, [key, size])


def _decode(name: str, path: Path | None, size: int | None, place: Path) -> None:
    with opened(name, path, scratch=place.parent) as rows:
        splits = _assigned(rows, name)
        columns = columns_of(splits[0][0])
        read_inputs, input_shape, input_type, input_kind = _inputs(splits[0][0], columns, size)
        read_targets, target_shape, target_type, target_kind = _targets(splits[0][0], columns, input_shape, size)

        def batches(part: Any) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            return ((read_inputs(part, start), read_targets(part, start)) for start in starts(part))

        sources = [(batches(part), numbers) for part, numbers in splits]
        kinds = lambda parts: (input_kind(parts), target_kind(parts))  # noqa: E731
        store.write(place, store.Content(sources, input_shape, input_type, target_shape, target_type, kinds))


Reader = Callable[[Any, int], np.ndarray]
"""Up to a thousand rows of a split, from a given one on."""
Splits = tuple[Split, ...]


def _inputs(
    rows: Any, columns: Columns, size: int | None
) -> tuple[Reader, tuple[int, ...], str, Callable[[Splits], Inputs]]:
    """How inputs are read, their shape and type, and what they are."""
    first = columns.inputs[0]
    if columns.kind == "images":
        form = format_of(rows, first, size)
        shape = (form.channels, form.height, form.width)
        return (
            lambda part, start: decoded_images(part, first, form, start),
            (form.height, form.width, form.channels),
            "uint8",
            lambda splits: Images(*shape, *moments(splits[0].inputs)),
        )
    if columns.kind == "texts":
        texts = Texts(size or length_of(rows, first))
        return lambda part, start: texts_of(part, first, texts, start), texts.shape, "uint8", lambda _: texts
    return (
        Values(columns.inputs).read,
        (len(columns.inputs),),
        "float32",
        lambda splits: Rows.of(splits[0].inputs, columns.inputs),
    )


def _targets(
    rows: Any, columns: Columns, input_shape: tuple[int, ...], size: int | None
) -> tuple[Reader, tuple[int, ...], str, Callable[[Splits], Targets]]:
    """How targets are read, their shape and type, and what they mean."""
    target = columns.target
    if isinstance(target, Labels):
        return target.read, (), "int64", lambda _: Classes(target.names)
    if isinstance(target, Values):
        kind = lambda splits: Numbers.of((splits[0].targets,), target.columns)[0]  # noqa: E731
        return target.read, (len(target.columns),), "float32", kind
    form, binary = format_of(rows, columns.inputs[0], size), is_binary(rows, target)
    return (
        lambda part, start: decoded_masks(part, target, form, binary, start),
        input_shape[:2],
        "uint8",
        _mask_kind,
    )


def _mask_kind(splits: Splits) -> Masks:
    """As many classes as the highest label of any split says."""
    known = [part.targets[part.targets != UNLABELLED] for part in splits]
    classes = 1 + max((int(values.max()) for values in known if len(values)), default=0)
    return Masks.of(splits[0].targets, tuple(str(number) for number in range(classes)))


def _assigned(rows: Any, name: str) -> list[tuple[Any, np.ndarray]]:
    """The set's own splits, training first, and for each row the split that it belongs to here."""
    found: dict[int, Any] = {kind: next((rows[n] for n in names if n in rows), None) for kind, names in NAMES.items()}
    if found[TRAIN] is None:
        raise DataError(f"data set {name} has no split called train, but {', '.join(rows)}")
    if found[TEST] is None:
        found[TEST], found[VALIDATION] = found[VALIDATION], None
    numbers = np.full(len(found[TRAIN]), TRAIN)
    order = torch.randperm(len(numbers), generator=Generator().manual_seed(0)).numpy()
    for kind in (VALIDATION, TEST):
        if found[kind] is None:
            carved, order = np.split(order, [max(1, len(numbers) // SHARE)])
            numbers[carved] = kind
    if not (numbers == TRAIN).any() or any(found[kind] is not None and not len(found[kind]) for kind in found):
        raise DataError(f"data set {name} has too few rows: training, validation and test split need one each")
    own = [(found[kind], np.full(len(found[kind]), kind)) for kind in (VALIDATION, TEST) if found[kind] is not None]
    return [(found[TRAIN], numbers), *own]


def _usual_augmentation(name: str, channels: int, height: int) -> Augmentation:
    return Augmentation(padding=height // 8, flip=channels == 3 and name not in FLIP_IS_WRONG)
