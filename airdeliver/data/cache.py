"""Decoded splits on disk: written once, whole or not at all, and mapped into memory afterwards."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch

from airdeliver.data.dataset import DataError, Split, fingerprint, moments

# Part of every key: raise it when decoded content would differ.
VERSION = 1
DESCRIPTION = "description.json"
SPLITS = ("train", "validation", "test")
Batches = Iterator[tuple[np.ndarray, np.ndarray]]


def cache_folder(cache: str | Path | None = None) -> Path:
    """The given folder, else `$AIRDELIVER_CACHE`, else `~/.cache/airdeliver`; created if missing.

    Raises:
        DataError: it cannot be created.
    """
    folder = Path(cache or os.environ.get("AIRDELIVER_CACHE") or Path.home() / ".cache" / "airdeliver")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cache folder {folder} cannot be made ({error.strerror}): set AIRDELIVER_CACHE") from error
    return folder


def entry(folder: Path, name: str, key: Any) -> Path:
    """Where a data set of this key lies, or would lie."""
    digest = hashlib.sha256(json.dumps([VERSION, key], sort_keys=True).encode()).hexdigest()[:16]
    return folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', name)}-{digest}"


def files_key(files: list[Path]) -> list[tuple[str, int, int]]:
    """What identifies the content of files without reading it: path, size and time of the last change."""
    return [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]


def exists(place: Path) -> bool:
    """Whether there is a whole entry."""
    return (place / DESCRIPTION).is_file()


def read(place: Path) -> tuple[tuple[Split, ...], dict[str, Any]]:
    """The splits, mapped into memory, and what was written with them: class names, mean, std, fingerprint."""
    return tuple(_split(place, name) for name in SPLITS), json.loads((place / DESCRIPTION).read_text())


def write(
    place: Path, sources: list[tuple[Batches, np.ndarray]], shape: tuple[int, int, int], class_names: tuple[str, ...]
) -> None:
    """Decode into a folder beside the entry and rename it when it is whole: a half-written entry is never seen.

    Args:
        place: of the finished entry.
        sources: batches of images `(n, h, w, c)` and labels in order, and for each image the number of its split in
            `SPLITS`.
        shape: height, width and channels of an image.
        class_names: one for each label.

    Raises:
        DataError: the disk is full or the folder cannot be written to.
    """
    try:
        with tempfile.TemporaryDirectory(dir=place.parent, prefix="writing-") as temporary:
            folder = Path(temporary) / place.name
            folder.mkdir()
            _write_splits(folder, sources, shape)
            splits = tuple(_split(folder, name) for name in SPLITS)
            mean, std = moments(splits[0].images)
            content = fingerprint(splits, class_names)
            description = {"class_names": class_names, "mean": mean, "std": std, "fingerprint": content}
            (folder / DESCRIPTION).write_text(json.dumps(description, indent=1))
            if not exists(place):
                shutil.rmtree(place, ignore_errors=True)
                folder.rename(place)
    except OSError as error:
        # Another process may have finished the same entry at the same time.
        if not exists(place):
            raise DataError(
                f"decoded images cannot be written to {place.parent} ({error.strerror}): set AIRDELIVER_CACHE to a "
                "folder with more room"
            ) from error


def _write_splits(folder: Path, sources: list[tuple[Batches, np.ndarray]], shape: tuple[int, int, int]) -> None:
    counts = np.bincount(np.concatenate([numbers for _, numbers in sources]), minlength=len(SPLITS))
    labels: list[list[np.ndarray]] = [[] for _ in SPLITS]
    with ExitStack() as stack:
        files = [stack.enter_context((folder / f"{name}-images.npy").open("wb")) for name in SPLITS]
        for file, count in zip(files, counts, strict=True):
            header = {"descr": "|u1", "fortran_order": False, "shape": (int(count), *shape)}
            np.lib.format.write_array_header_1_0(file, header)
        for batches, numbers in sources:
            start = 0
            for images, batch_labels in batches:
                belongs = numbers[start : start + len(images)]
                start += len(images)
                # Written, not mapped: a full disk is an error here and a killed process there.
                for number in np.unique(belongs):
                    files[number].write(images[belongs == number].tobytes())
                    labels[number].append(batch_labels[belongs == number])
    for name, parts in zip(SPLITS, labels, strict=True):
        np.save(folder / f"{name}-labels.npy", np.concatenate([np.zeros(0, np.int64), *parts]))


def _split(folder: Path, name: str) -> Split:
    # Mode "c" is a private writable mapping, which torch wants; nothing is ever written.
    images = torch.from_numpy(np.load(folder / f"{name}-images.npy", mmap_mode="c"))
    return Split(images.permute(0, 3, 1, 2), torch.from_numpy(np.load(folder / f"{name}-labels.npy")))
