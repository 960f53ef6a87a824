"""Image files in a folder for each class, as rows that `datasets` holds."""

from pathlib import Path
from typing import Any

from airdeliver.data.dataset import DataError
from airdeliver.data.splits import NAMES

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm")
"""Of image files, in small letters."""


def image_files(path: Path) -> list[Path]:
    """The image files in a folder and below, in order."""
    return sorted(file for file in path.rglob("*") if file.suffix.lower() in ENDINGS)


def read_folder(path: Path, files: list[Path]) -> Any:
    """A `datasets.DatasetDict` with a column of images, which are not read yet, and one of their classes.

    Args:
        path: the folder.
        files: its images, `CLASS/1.png` or `SPLIT/CLASS/1.png`; without folders for the splits all are in training.

    Raises:
        DataError: a file that lies in no folder of a class.
    """
    import datasets

    split_names = {name for names in NAMES.values() for name in names}
    places = [file.relative_to(path).parts for file in files]
    for file, place in zip(files, places, strict=True):
        if len(place) < 2 or (len(place) == 2 and place[0] in split_names):
            raise DataError(f"{file} must lie in a folder that is called like its class: train/CLASS/{file.name}")
    splits = [place[0] if len(place) > 2 else "train" for place in places]
    names = sorted({place[-2] for place in places})
    features = datasets.Features({"image": datasets.Image(), "label": datasets.ClassLabel(names=names)})
    labels = {name: number for number, name in enumerate(names)}

    def rows(split: str) -> Any:
        chosen = [number for number, its in enumerate(splits) if its == split]
        images = [str(files[number].resolve()) for number in chosen]
        content = {"image": images, "label": [labels[places[number][-2]] for number in chosen]}
        return datasets.Dataset.from_dict(content, features=features)

    return datasets.DatasetDict({split: rows(split) for split in dict.fromkeys(splits)})
