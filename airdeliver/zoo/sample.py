"""A small stratified sample of test images: all of them in one picture that any viewer shows."""

import json
import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from PIL import Image
from torch import Tensor

from airdeliver.data import Augmentation, Dataset, Images, Split, load_dataset

SAMPLES = Path(__file__).parent / "samples"

COLUMNS = 25
"""Images of a row of the picture."""


def sample(name: str) -> tuple[Float[Tensor, "n c h w"], Int64[Tensor, "n"]]:
    """Test images as a network sees them, and their labels; each class has the same share.

    Of CIFAR-10, 50 of each class; of the digits, which are built in, the whole test split. No network of the zoo was
    trained on them, and no choice was made on them.

    Args:
        name: of the data set, such as `card(...).dataset`.

    Raises:
        ValueError: there is no sample of this data set.

    >>> images, labels = sample("cifar10")
    >>> images.shape, labels.bincount().tolist()
    (torch.Size([500, 3, 32, 32]), [50, 50, 50, 50, 50, 50, 50, 50, 50, 50])
    """
    if name == "digits":
        digits = load_dataset("digits", None)
        return digits.prepare(digits.test.inputs), digits.test.targets
    path = SAMPLES / f"{name}.json"
    if not path.is_file():
        kept = sorted(path.stem for path in SAMPLES.glob("*.json"))
        raise ValueError(f"there is no sample of {name!r}: there are {', '.join([*kept, 'digits'])}")
    about = json.loads(path.read_text(encoding="utf-8"))
    images = _apart(np.asarray(Image.open(path.with_suffix(".png"))), about["height"], about["width"])
    labels = torch.tensor(about["labels"])
    shape = (images.shape[1], about["height"], about["width"])
    moments = (tuple(about["mean"]), tuple(about["std"]))
    return Images(*shape, *moments, Augmentation()).prepare(images[: len(labels)]), labels


def keep_sample(dataset: Dataset, each: int, folder: Path = SAMPLES, seed: int = 0) -> Path:
    """Write a sample of a data set's test images into NAME.png and NAME.json.

    Args:
        dataset: of images with classes.
        each: images of each class.
        folder: that the two files go to.
        seed: of the choice.

    Raises:
        ValueError: no images, or fewer of a class than asked for.
    """
    if not isinstance(dataset.inputs, Images):
        raise ValueError(f"samples are of images, and {dataset.name} has {type(dataset.inputs).__name__}")
    images, labels = dataset.test.take(stratified(dataset.test, dataset.classes, each, seed))
    about = {
        "classes": list(dataset.class_names),
        "height": dataset.inputs.height,
        "width": dataset.inputs.width,
        "mean": list(dataset.inputs.mean),
        "std": list(dataset.inputs.std),
        "labels": labels.tolist(),
    }
    path = folder / f"{dataset.name}.png"
    Image.fromarray(_together(images)).save(path, optimize=True)
    path.with_suffix(".json").write_text(json.dumps(about) + "\n", encoding="utf-8")
    return path


def stratified(split: Split, classes: int, each: int, seed: int = 0) -> Int64[Tensor, "n"]:
    """Rows of a split, as many of each class, shuffled so that any beginning of them is a fair mix.

    Args:
        split: with labels.
        classes: number of them.
        each: rows of each class.
        seed: of the choice.

    Raises:
        ValueError: fewer of a class than asked for.
    """
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(split), generator=generator)
    labels = split.targets[order]
    chosen = [order[labels == label][:each] for label in range(classes)]
    short = min(len(rows) for rows in chosen)
    if short < each:
        raise ValueError(f"a class has {short} test images, fewer than {each}")
    return torch.stack(chosen, 1).flatten()


def _together(images: UInt8[Tensor, "n c h w"]) -> np.ndarray:
    """One picture of them, 25 in a row; a last row that is not full ends in black."""
    n, channels, height, width = images.shape
    rows = math.ceil(n / COLUMNS)
    sheet = torch.zeros(rows * COLUMNS, channels, height, width, dtype=torch.uint8)
    sheet[:n] = images
    tiles = sheet.view(rows, COLUMNS, channels, height, width).permute(0, 3, 1, 4, 2)
    return tiles.reshape(rows * height, COLUMNS * width, channels).squeeze(-1).numpy()


def _apart(picture: np.ndarray, height: int, width: int) -> UInt8[Tensor, "n c h w"]:
    """The inverse of `_together`, the filling included."""
    pixels = torch.from_numpy(np.array(picture)).view(picture.shape[0], picture.shape[1], -1)
    rows, channels = pixels.shape[0] // height, pixels.shape[2]
    tiles = pixels.view(rows, height, COLUMNS, width, channels).permute(0, 2, 4, 1, 3)
    return tiles.reshape(rows * COLUMNS, channels, height, width)
