"""From encoded images to arrays of one format."""

import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from airdeliver.data.dataset import DataError
from airdeliver.data.targets import UNLABELLED

BATCH = 1000
GREY = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "F")
DEEP = ("I", "I;16", "I;16B", "I;16L", "F")
"""Grey levels of more than eight bits."""


@dataclass(frozen=True)
class Format:
    """The format that all images of a set are brought to: `L` or `RGB`, and one size.

    Args:
        mode: `L` or `RGB`.
        height: in pixels.
        width: in pixels.
        brightest: the level of images with 16 bits or floats that becomes 255.
    """

    mode: str
    height: int
    width: int
    brightest: float = 255.0

    @property
    def channels(self) -> int:
        """1 or 3."""
        return 1 if self.mode == "L" else 3

    def decode(self, image: Image.Image) -> UInt8[np.ndarray, "h w c"]:
        """One image: turned as its EXIF orientation says, laid on white where it is transparent, scaled to eight bits.

        Other sizes are cropped at the centre to the shape and resized.

        Raises:
            OSError: a damaged file.
            ValueError: levels that are not finite.
        """
        try:
            image.load()
        except SyntaxError as error:  # which some decoders raise of damaged files
            raise OSError(f"the image is damaged: {error}") from error
        image = _opaque(_eight_bits(ImageOps.exif_transpose(image), self.brightest))
        if image.mode != self.mode:
            image = image.convert(self.mode)
        if image.size != (self.width, self.height):
            image = ImageOps.fit(image, (self.width, self.height), Image.Resampling.BILINEAR)
        return np.asarray(image, np.uint8).reshape(self.height, self.width, self.channels)

    def decode_mask(self, image: Image.Image, binary: bool) -> UInt8[np.ndarray, "h w"]:
        """A class for each pixel, cropped and resized as the image is, without mixing classes.

        Args:
            image: of classes from 0: grey levels, or places in a palette.
            binary: whether 255 stands for class 1, else for a pixel without a label.

        Raises:
            ValueError: coloured masks, or classes above 255.
        """
        classes = _classes(ImageOps.exif_transpose(image))
        grey = Image.fromarray(classes)
        if grey.size != (self.width, self.height):
            grey = ImageOps.fit(grey, (self.width, self.height), Image.Resampling.NEAREST)
        classes = np.asarray(grey)
        return np.minimum(classes, 1) if binary else classes


def format_of(rows: Any, column: str, size: int | None = None) -> Format:
    """The format of a set: the most common of the first thousand training images; grey if all of them are.

    Args:
        rows: training split.
        column: of the images.
        size: pixels of a side; None for the most common.

    Raises:
        DataError: an image that cannot be decoded, by its number or its file.
    """
    sizes, modes, brightest = Counter(), set(), 0.0

    def look(image: Image.Image) -> None:
        nonlocal brightest
        modes.add(image.mode)
        if image.mode in DEEP:
            brightest = max(brightest, float(np.nanmax(np.asarray(image))))
        sizes[ImageOps.exif_transpose(image).size] += 1

    for _ in _each(rows, column, 0, look):
        pass
    width, height = sizes.most_common(1)[0][0]
    mode = "L" if modes <= set(GREY) else "RGB"
    return Format(mode, size or height, size or width, _full_scale(modes, brightest))


def is_binary(rows: Any, column: str) -> bool:
    """Whether the first thousand masks hold nothing but 0 and 255: the usual way of writing two classes."""
    found = {int(value) for classes in _each(rows, column, 0, _classes) for value in np.unique(classes)}
    return found == {0, UNLABELLED}


def decoded_images(rows: Any, column: str, format: Format, start: int) -> UInt8[np.ndarray, "n h w c"]:
    """Up to a thousand images, from row `start` on.

    Raises:
        DataError: an image that cannot be decoded, by its number or its file.
    """
    return np.stack(list(_each(rows, column, start, format.decode)))


def decoded_masks(rows: Any, column: str, format: Format, binary: bool, start: int) -> UInt8[np.ndarray, "n h w"]:
    """Up to a thousand masks, from row `start` on.

    Raises:
        DataError: a mask that cannot be decoded, by its number.
    """
    return np.stack(list(_each(rows, column, start, lambda image: format.decode_mask(image, binary))))


def _each(rows: Any, column: str, start: int, read: Callable[[Image.Image], Any]) -> Iterator[Any]:
    """What `read` makes of up to `BATCH` images; damaged files raise anything, a decompression bomb among it."""
    table = rows.select_columns([column]).with_format("arrow")[start : start + BATCH]
    for number, image in enumerate(table.column(column).to_pylist(), start):
        if image is None or (isinstance(image, dict) and image["bytes"] is None and image["path"] is None):
            raise DataError(f"row {number} has no image in column {column}: leave the row out or give it one")
        try:
            content = image["bytes"] if isinstance(image, dict) else image
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                yield read(Image.open(io.BytesIO(content) if content is not None else image["path"]))
        except Exception as error:
            unknown = isinstance(error, UnidentifiedImageError)
            cause = "it is no image" if unknown else " ".join(str(error).split())[:200] or type(error).__name__
            named = image["path"] if isinstance(image, dict) and image["bytes"] is None else f"image {number}"
            raise DataError(f"{named} cannot be decoded: {cause}") from error


def _full_scale(modes: set[str], brightest: float) -> float:
    """The level that is white: 1 or 255 for floats, 255 or 65,535 for integers, else the brightest that was seen."""
    usual = (1.0, 255.0, 65_535.0) if "F" in modes else (255.0, 65_535.0)
    return next((level for level in usual if brightest <= level), brightest)


def _eight_bits(image: Image.Image, brightest: float) -> Image.Image:
    if image.mode not in DEEP:
        return image
    levels = np.asarray(image, np.float64)
    if not np.isfinite(levels).all():
        raise ValueError("its levels are not all finite")
    return Image.fromarray(np.rint((levels / brightest).clip(0, 1) * 255).astype(np.uint8))


def _opaque(image: Image.Image) -> Image.Image:
    """Laid on white, where it is transparent."""
    if not image.has_transparency_data:
        return image
    layer = image.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return flat.convert("L") if image.mode in GREY else flat


def _classes(image: Image.Image) -> UInt8[np.ndarray, "h w"]:
    if image.mode not in ("1", "L", "P", *DEEP):
        raise ValueError(f"a mask has one class for each pixel, this one has mode {image.mode}")
    values = np.asarray(image).astype(np.float64)
    if values.size and not 0 <= values.min() <= values.max() <= UNLABELLED:
        raise ValueError(f"a mask has classes from 0 to 254, this one has {values.min():g} to {values.max():g}")
    return values.astype(np.uint8)
