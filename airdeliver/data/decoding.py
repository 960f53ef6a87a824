"""From rows of encoded images to arrays: which columns hold what, and batches of decoded images of one size."""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64, UInt8
from PIL import Image, ImageOps

from airdeliver.data.dataset import DataError

BATCH = 1000
GREY = ("1", "L", "LA", "I", "I;16", "F")
LABELS = ("label", "labels", "fine_label", "target", "class")


@dataclass(frozen=True)
class Columns:
    """Which columns hold images and labels, and what the labels mean."""

    image: str
    label: str
    class_names: tuple[str, ...]
    names_are_values: bool = False

    def label_of(self, values: list[Any]) -> Int64[np.ndarray, "n"]:
        """Labels as numbers from 0.

        Raises:
            DataError: a row without a label (sets with a secret test split hold -1).
        """
        if self.names_are_values:
            number = {name: i for i, name in enumerate(self.class_names)}
            values = [number.get(value, -1) for value in values]
        labels = np.array([-1 if value is None else value for value in values], np.int64)
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.class_names):
            raise DataError(f"labels must be from 0 to {len(self.class_names) - 1}, column {self.label} has others")
        return labels


@dataclass(frozen=True)
class Format:
    """The format that all images of a set are brought to: `L` or `RGB`, and one size."""

    mode: str
    height: int
    width: int

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 1 if self.mode == "L" else 3

    def decode(self, image: Image.Image) -> UInt8[np.ndarray, "h w c"]:
        """One image: other sizes are cropped at the centre to the shape and resized."""
        if image.mode != self.mode:
            image = image.convert(self.mode)
        if image.size != (self.width, self.height):
            image = ImageOps.fit(image, (self.width, self.height), Image.Resampling.BILINEAR)
        return np.asarray(image, np.uint8).reshape(self.height, self.width, self.channels)


def columns_of(rows: Any) -> Columns:
    """Find the image and the label column of one split by their types.

    Raises:
        DataError: there is no image or no label column; the columns that there are get listed.
    """
    import datasets

    features = rows.features
    images = [name for name, feature in features.items() if _holds_images(feature)]
    if not images:
        raise DataError(f"no column holds images: columns are {', '.join(features)}")
    named = [name for name, feature in features.items() if isinstance(feature, datasets.ClassLabel)]
    plain = [name for name in LABELS if isinstance(features.get(name), datasets.Value)]
    labels = sorted(named, key=lambda name: LABELS.index(name) if name in LABELS else len(LABELS)) + plain
    if not labels:
        raise DataError(f"no column holds class labels: columns are {', '.join(features)}")
    if named:
        return Columns(images[0], labels[0], tuple(str(name) for name in features[labels[0]].names))
    values = rows.unique(labels[0])
    if all(isinstance(value, int) for value in values):
        return Columns(images[0], labels[0], tuple(str(i) for i in range(max(values) + 1)))
    return Columns(images[0], labels[0], tuple(sorted(map(str, values))), names_are_values=True)


def format_of(rows: Any, columns: Columns, size: int | None = None) -> Format:
    """The format of a set: the most common of the first thousand training images; grey if all of them are."""
    sizes, modes = Counter(), set()
    for image in _images(_table(rows, 0), columns):
        sizes[image.size] += 1
        modes.add(image.mode)
    width, height = sizes.most_common(1)[0][0]
    return Format("L" if modes <= set(GREY) else "RGB", size or height, size or width)


def decoded(
    rows: Any, columns: Columns, format: Format
) -> Iterator[tuple[UInt8[np.ndarray, "n h w c"], Int64[np.ndarray, "n"]]]:
    """Batches of images and labels, in order.

    Raises:
        DataError: a row whose image cannot be decoded, by its number.
    """
    for start in range(0, len(rows), BATCH):
        part = _table(rows, start)
        images = np.empty((len(part), format.height, format.width, format.channels), np.uint8)
        for i, image in enumerate(_images(part, columns, start)):
            try:
                images[i] = format.decode(image)
            except OSError as error:
                raise DataError(f"image {start + i} cannot be decoded: {error}") from error
        yield images, columns.label_of(part.column(columns.label).to_pylist())


def _table(rows: Any, start: int) -> Any:
    """An Arrow table of up to `BATCH` rows, images still encoded."""
    return rows.with_format("arrow")[start : start + BATCH]


def _images(table: Any, columns: Columns, start: int = 0) -> Iterator[Image.Image]:
    for i, image in enumerate(table.column(columns.image).to_pylist()):
        try:
            content = image["bytes"] if isinstance(image, dict) else image
            yield Image.open(io.BytesIO(content) if content is not None else image["path"])
        except (OSError, TypeError) as error:
            raise DataError(f"image {start + i} cannot be decoded: {error}") from error


def _holds_images(feature: Any) -> bool:
    """An image, or the bytes of one in a parquet file that does not say so."""
    import datasets

    return isinstance(feature, datasets.Image) or (isinstance(feature, dict) and {"bytes", "path"} == set(feature))
