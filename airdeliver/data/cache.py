"""Decoded splits on disk: written once, whole or not at all, and mapped into memory afterwards."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from airdeliver.arguments import folder_path
from airdeliver.data.dataset import DataError, Split, fingerprint
from airdeliver.data.images import Images
from airdeliver.data.inputs import Inputs, Rows, Texts
from airdeliver.data.targets import Classes, Masks, Numbers, Targets

# Part of every key: raise it when decoded content would differ.
VERSION = 2
DESCRIPTION = "description.json"
SPLITS = ("train", "validation", "test")
Batches = Iterator[tuple[np.ndarray, np.ndarray]]
KINDS: dict[str, type] = {kind.__name__: kind for kind in (Images, Rows, Texts, Classes, Masks, Numbers)}


def cache_folder(cache: str | Path | None = None) -> Path:
    """The given folder, else `$AIRDELIVER_CACHE`, else `~/.cache/airdeliver`; created if missing.

    Raises:
        TypeError: no path.
        DataError: it cannot be created.
    """
    given = cache or os.environ.get("AIRDELIVER_CACHE") or "~/.cache/airdeliver"
    try:
        folder = folder_path(given, "cache")
    except ValueError as error:
        raise DataError(f"{error}: set AIRDELIVER_CACHE") from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cache folder {folder} cannot be made ({error.strerror}): set AIRDELIVER_CACHE") from error
    return folder


def entry(folder: Path, name: str, key: Any) -> Path:
    """Where a data set of this key lies, or would lie."""
    digest = hashlib.sha256(json.dumps([VERSION, key], sort_keys=True).encode()).hexdigest()[:16]
    return folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', name)[:100]}-{digest}"


def files_key(files: list[Path]) -> list[tuple[str, int, int]]:
    """What identifies the content of files without reading it: path, size and time of the last change."""
    return [(str(file.resolve()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]


def exists(place: Path) -> bool:
    """Whether there is a whole entry."""
    return (place / DESCRIPTION).is_file()


@dataclass(frozen=True)
class Content:
    """What is written, and what tells its meaning.

    Args:
        sources: batches of inputs and targets in order, images as (n, h, w, c), and for each example the number of its
            split in `SPLITS`.
        input_shape: of one input.
        input_type: of the inputs: `uint8` or `float32`.
        target_shape: of one target.
        target_type: of the targets: `int64`, `uint8` or `float32`.
        kinds: from the three splits, to what inputs and targets are.
    """

    sources: list[tuple[Batches, np.ndarray]]
    input_shape: tuple[int, ...]
    input_type: str
    target_shape: tuple[int, ...]
    target_type: str
    kinds: Callable[[tuple[Split, ...]], tuple[Inputs, Targets]]


def read(place: Path) -> tuple[tuple[Split, ...], Inputs, Targets, str]:
    """The splits, mapped into memory, what inputs and targets are, and the fingerprint."""
    description = json.loads((place / DESCRIPTION).read_text())
    inputs, targets = (_kind(description[part]) for part in ("inputs", "targets"))
    splits = tuple(_split(place, name) for name in SPLITS)
    if isinstance(targets, Numbers):
        mean, std = np.array(targets.mean), np.array(targets.std)
        splits = tuple(Split(s.inputs, torch.from_numpy((s.targets.numpy() - mean) / std).float()) for s in splits)
    return splits, inputs, targets, description["fingerprint"]


def _plain(kind: Inputs | Targets) -> dict[str, Any]:
    """As JSON holds it; the augmentation is no part of what is decoded."""
    values = {
        field.name: getattr(kind, field.name) for field in fields(cast(Any, kind)) if field.name != "augmentation"
    }
    return {"kind": type(kind).__name__, **values}


def _kind(plain: dict[str, Any]) -> Any:
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in plain.items()}
    return KINDS[str(values.pop("kind"))](**values)


def write(place: Path, content: Content) -> None:
    """Decode into a folder beside the entry and rename it when it is whole: a half-written entry is never seen.

    Args:
        place: of the finished entry.
        content: what is written.

    Raises:
        DataError: the disk is full or the folder cannot be written to.
    """
    try:
        with tempfile.TemporaryDirectory(dir=place.parent, prefix="writing-") as temporary:
            folder = Path(temporary) / place.name
            folder.mkdir()
            _write_splits(folder, content)
            splits = tuple(_split(folder, name) for name in SPLITS)
            inputs, targets = content.kinds(splits)
            hashed = fingerprint(splits, targets)
            description = {"inputs": _plain(inputs), "targets": _plain(targets), "fingerprint": hashed}
            (folder / DESCRIPTION).write_text(json.dumps(description, indent=1))
            if not exists(place):
                shutil.rmtree(place, ignore_errors=True)
                folder.rename(place)
    except OSError as error:
        # Another process may have finished the same entry at the same time.
        if not exists(place):
            raise DataError(
                f"decoded data cannot be written to {place.parent} ({error.strerror}): set AIRDELIVER_CACHE to a "
                "folder with more room"
            ) from error


def _write_splits(folder: Path, content: Content) -> None:
    counts = np.bincount(np.concatenate([numbers for _, numbers in content.sources]), minlength=len(SPLITS))
    written = (
        ("inputs", content.input_type, content.input_shape),
        ("targets", content.target_type, content.target_shape),
    )
    with ExitStack() as stack:
        files: list[list[Any]] = []
        for part, kind, shape in written:
            files.append([stack.enter_context((folder / f"{name}-{part}.npy").open("wb")) for name in SPLITS])
            for file, count in zip(files[-1], counts, strict=True):
                header = {"descr": np.dtype(kind).str, "fortran_order": False, "shape": (int(count), *shape)}
                np.lib.format.write_array_header_1_0(file, header)
        for batches, numbers in content.sources:
            start = 0
            for batch in batches:
                belongs = numbers[start : start + len(batch[0])]
                start += len(batch[0])
                # Written, not mapped: a full disk is an error here and a killed process there.
                for number in np.unique(belongs):
                    for part, (_, kind, _), values in zip(files, written, batch, strict=True):
                        part[number].write(np.ascontiguousarray(values[belongs == number], np.dtype(kind)).tobytes())


def _split(folder: Path, name: str) -> Split:
    # Mode "c" is a private writable mapping, which torch wants; nothing is ever written.
    inputs, targets = (
        torch.from_numpy(np.load(folder / f"{name}-{part}.npy", mmap_mode="c")) for part in ("inputs", "targets")
    )
    return Split(inputs.permute(0, 3, 1, 2) if inputs.ndim == 4 else inputs, targets)
