"""Which columns of a table hold what, and what labels and numbers in them mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from airdeliver.data.dataset import DataError
from airdeliver.data.inputs import Texts

BATCH = 1000
LABELS = ("label", "labels", "fine_label", "target", "class", "category", "y")
MASKS = ("mask", "masks", "segmentation", "annotation", "segmentation_mask", "semantic_segmentation", "label", "labels")
TEXTS = ("text", "sentence", "content", "review", "document")
MANY = 100
"""More values than this, and more than one in ten rows, are numbers to predict and no classes."""


@dataclass(frozen=True)
class Labels:
    """A column of classes.

    Args:
        column: that holds them.
        names: of the classes.
        values: what stands in the column for each class; None where it is the number of the class.
    """

    column: str
    names: tuple[str, ...]
    values: tuple[Any, ...] | None = None

    def read(self, rows: Any, start: int) -> Int64[np.ndarray, "n"]:
        """Classes from 0 of up to a thousand rows.

        Raises:
            DataError: a row without a label (sets with a secret test split hold -1), by its number.
        """
        found = part_of(rows, self.column, start)
        number = range(len(self.names)) if self.values is None else self.values
        place = {value: i for i, value in enumerate(number)}
        labels = np.array([place.get(value, -1) for value in found], np.int64)
        for row in np.nonzero(labels < 0)[0]:
            if found[row] is None:
                raise DataError(f"row {start + row} has no label in column {self.column}: leave the row out")
            asked = f"from 0 to {len(self.names) - 1}" if self.values is None else "those of the training split"
            raise DataError(
                f"labels must be {asked}, column {self.column} has others: {found[row]!r:.60} in row {start + row}"
            )
        return labels


@dataclass(frozen=True)
class Values:
    """Columns of numbers.

    Args:
        columns: that hold one number each.
    """

    columns: tuple[str, ...]

    def read(self, rows: Any, start: int) -> Float32[np.ndarray, "n columns"]:
        """The numbers of up to a thousand rows.

        Raises:
            DataError: a row without a number, by its number.
        """
        read = []
        for column in self.columns:
            values = np.array([np.nan if v is None else v for v in part_of(rows, column, start)], np.float64)
            values = values.astype(np.float32)
            if not np.isfinite(values).all():
                row = start + int(np.nonzero(~np.isfinite(values))[0][0])
                raise DataError(f"row {row} has no finite number in column {column}: leave the row out or fill it in")
            read.append(values)
        return np.stack(read, 1)


@dataclass(frozen=True)
class Columns:
    """What a table holds.

    Args:
        kind: of the inputs.
        inputs: the column of images or texts, or those of the features.
        target: classes, numbers, or the name of a column of masks.
    """

    kind: Literal["images", "texts", "rows"]
    inputs: tuple[str, ...]
    target: Labels | Values | str


def columns_of(rows: Any) -> Columns:
    """Find the columns of inputs and targets of one split by their types and names.

    Images with a mask each, else images, texts or numbers with a label or a number each.

    Raises:
        DataError: no column of inputs or of targets; the columns that there are get listed.
    """
    features = rows.features
    images = [name for name, feature in features.items() if holds_images(feature)]
    masks = [name for name in MASKS if name in images[1:] or (name in images and len(images) > 1)]
    if masks:
        return Columns("images", (next(name for name in images if name != masks[0]),), masks[0])
    target = _target(rows)
    texts = [name for name, feature in features.items() if _dtype(feature) in ("string", "large_string")]
    numbers = [name for name, feature in features.items() if _is_number(_dtype(feature))]
    used = target.columns if isinstance(target, Values) else () if target is None else (target.column,)
    texts, numbers = ([name for name in names if name not in used] for names in (texts, numbers))
    if not (images or texts or numbers):
        raise DataError(f"no column holds images, texts or numbers to learn from: columns are {', '.join(features)}")
    if target is None:
        raise DataError(f"no column holds class labels: columns are {', '.join(features)}")
    if images:
        return Columns("images", (images[0],), target)
    if texts:
        return Columns("texts", (next((name for name in TEXTS if name in texts), texts[0]),), target)
    return Columns("rows", tuple(numbers), target)


def texts_of(rows: Any, column: str, kind: Texts, start: int) -> UInt8[np.ndarray, "n length"]:
    """Up to a thousand texts as their bytes.

    Raises:
        DataError: a row without a text, by its number.
    """
    found = part_of(rows, column, start)
    for row, text in enumerate(found, start):
        if text is None:
            raise DataError(f"row {row} has no text in column {column}: leave the row out")
    return kind.encode(found).numpy()


def length_of(rows: Any, column: str, most: int = 256) -> int:
    """Bytes that the longest of the first thousand texts takes, in steps of 32, at most `most`."""
    longest = max((len(text.encode()) for text in part_of(rows, column, 0) if text is not None), default=1)
    return min(most, 32 * max(1, -(-longest // 32)))


def part_of(rows: Any, column: str, start: int, count: int | None = BATCH) -> list[Any]:
    """Values of a column, from row `start` on; all of them where no count is given."""
    end = None if count is None else start + count
    return rows.select_columns([column]).with_format("arrow")[start:end].column(column).to_pylist()


def starts(rows: Any) -> Iterator[int]:
    """Where each batch of a thousand rows begins."""
    return iter(range(0, len(rows), BATCH))


def holds_images(feature: Any) -> bool:
    """An image, or the bytes of one in a parquet file that does not say so."""
    import datasets

    return isinstance(feature, datasets.Image) or (isinstance(feature, dict) and {"bytes", "path"} == set(feature))


def _target(rows: Any) -> Labels | Values | None:
    """What the rows are to be told apart by; declared classes first, then the usual names."""
    import datasets

    named = [name for name, feature in rows.features.items() if isinstance(feature, datasets.ClassLabel)]
    plain = [name for name in LABELS if isinstance(rows.features.get(name), datasets.Value)]
    named.sort(key=lambda name: LABELS.index(name) if name in LABELS else len(LABELS))
    if named:
        return Labels(named[0], tuple(str(name) for name in rows.features[named[0]].names))
    return _meaning(plain[0], part_of(rows, plain[0], 0, None)) if plain else None


def _meaning(column: str, values: list[Any]) -> Labels | Values:
    """Classes, numbered from 0 or told apart by their values, or numbers to predict."""
    known = {value for value in values if value is not None}
    if not known or not all(isinstance(value, bool | int | float) for value in known):
        ordered = tuple(sorted(known, key=str))
        return Labels(column, tuple(map(str, ordered)), ordered)
    if all(isinstance(value, bool) for value in known):
        return Labels(column, ("False", "True"), (False, True))
    whole = all(float(value).is_integer() for value in known)
    if not whole or len(known) > max(MANY, len(values) / 10):
        return Values((column,))
    classes = sorted(int(value) for value in known if value >= 0)
    if not classes:
        raise DataError(f"labels must be from 0 on, column {column} has none")
    if classes[0] == 0 and classes[-1] < 10 * len(classes):
        return Labels(column, tuple(str(number) for number in range(classes[-1] + 1)))
    return Labels(column, tuple(map(str, classes)), tuple(classes))


def _dtype(feature: Any) -> str:
    return getattr(feature, "dtype", "") if type(feature).__name__ == "Value" else ""


def _is_number(dtype: str) -> bool:
    return dtype.startswith(("int", "uint", "float", "bool"))
