"""Data sets: folders in the hub's layout, with images, masks, texts and columns of every kind, whole and broken."""

import io
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image

from airdeliver.data import DataError, load_dataset
from airdeliver.task import task_of
from tests.fuzz.trial import Case, Fault, seeded

DOCUMENTED = (DataError,)


def case(number: int, folder: Path) -> Case:
    """A folder, and what is asked of it."""
    chosen = seeded("data sets", number)
    name = chosen.choice(
        ("set",) * 6 + ("set [v2]", "a::b", "set*", ".hidden", "größe 中", "a:b,c", "__x", "s?t", "a'b\"c", "%20")
    )
    place = folder / str(number) / name
    place.mkdir(parents=True)
    words = [_split(chosen, place, split) for split in _splits(chosen)]
    if chosen.random() < 0.15:
        words.append(_broken(chosen, place))
    size = chosen.choice((None,) * 8 + (4, 1, 9))
    title = chosen.choice(("mine",) * 9 + ("digits", "a/b", "svhn"))
    path: Any = chosen.choice((place, str(place)))

    def run() -> None:
        _sound(load_dataset(title, path, size=size, cache=folder / "cache"))

    return Case(f"load_dataset({title!r}, {name!r}, size={size}): {'; '.join(words)}", run, DOCUMENTED)


def asked(number: int, folder: Path) -> Case:
    """Arguments of every kind, without a folder of images."""
    chosen = seeded("data arguments", number)
    name = chosen.choice(
        ("digits", "digitz", "", None, 3, "a" * 300, "mnist\0", "../x", "diabetes", "docstrings", b"digits")
    )
    path = chosen.choice(
        [
            None,
            None,
            folder,
            folder / "none",
            "",
            "~nobody9",
            "a\0b",
            "x" * 300,
            3,
            [],
            torch.zeros(2),
            Path("/dev/null"),
            "~",
        ]
    )
    size = chosen.choice((None, None, None, 8, 0, -1, 2.5, "8", math.nan, math.inf, 10**30, True, [8]))
    cache = chosen.choice((folder / "cache", folder / "cache", None, "", "/dev/null/x", 3, "a\0b", "/proc/none"))
    arguments = {"size": size, "cache": cache}

    def run() -> None:
        _sound(load_dataset(name, path, **arguments))

    if path is None and isinstance(name, str) and name not in ("digits", "diabetes", "docstrings"):
        path = folder / "none"  # no question to the hub
    if path == "~":
        path = folder / "none~"
    return Case(f"load_dataset({name!r:.20}, {path!r:.30}, {arguments})", run, (DataError, TypeError, ValueError))


def _sound(dataset: Any) -> None:
    """What was loaded can be trained on and scored."""
    for split in (dataset.train, dataset.validation, dataset.test):
        if not len(split) or len(split.inputs) != len(split.targets):
            raise Fault(f"a split of {len(split)} rows")
    inputs, targets = dataset.test.take(torch.arange(min(4, len(dataset.test))))
    prepared = dataset.prepare(inputs)
    if prepared.is_floating_point() and not bool(prepared.isfinite().all()):
        raise Fault("prepared inputs are not finite")
    task = task_of(dataset)
    if not (math.isfinite(task.floor) and task.bounds[0] <= task.floor <= task.bounds[1]):
        raise Fault(f"a floor of {task.floor} within {task.bounds}")
    if targets.is_floating_point() and not bool(targets.isfinite().all()):
        raise Fault("targets are not finite")


def _splits(chosen: random.Random) -> list[str]:
    rare = (["train", "validation", "test"], ["test"], ["data"], ["training", "dev"])
    return chosen.choice([["train", "test"]] * 5 + [["train"]] * 3 + [*rare])


def _split(chosen: random.Random, place: Path, split: str) -> str:
    rows = chosen.choice((40, 40, 40, 40, 12, 8, 3, 2, 1, 0))
    number = chosen.randrange(2**31)
    # Splits of one set have mostly the same kind: it follows from the folder, not from the split.
    alike = random.Random(str(place) if chosen.random() < 0.9 else number)
    made: dict[str, pa.Array] = {}
    what = alike.choice(("images", "images", "images", "images", "texts", "numbers", "masks", "nothing", "odd"))
    if what in ("images", "masks"):
        column = alike.choice(("image", "image", "img", "png", "label", "picture"))
        made[column] = _images(alike, chosen, rows)
    if what == "texts":
        made[alike.choice(("text", "sentence", "other"))] = _texts(chosen, rows)
    if what == "numbers":
        for i in range(alike.choice((1, 3, 10))):
            made[f"x{i}"] = _numbers(alike, chosen, rows)
    if what == "masks":
        made[alike.choice(("mask", "label", "annotation"))] = _masks(alike, chosen, rows)
    elif what == "odd":
        made[alike.choice(("image", "x", "label"))] = _odd(alike, rows)
    if alike.random() < 0.9:
        column = alike.choice(("label", "label", "label", "labels", "target", "category", "y", "class", "Label", "id"))
        made.setdefault(column, _labels(alike, chosen, rows))
    if made and alike.random() < 0.1:
        made["extra"] = pa.array([[1.0, 2.0]] * rows, pa.list_(pa.float64()))
    table = pa.table(made)
    if alike.random() < 0.2 and "label" in made:
        declared = {
            "label": {"names": alike.choice((list("abcd"), ["a"], [], list("abcdefghij"))), "_type": "ClassLabel"}
        }
        if "image" in made:
            declared["image"] = {"_type": "Image"}
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": declared}})})
    pq.write_table(table, place / f"{split}-00000-of-00001.parquet")
    return f"{split}: {rows} {what} {table.schema.to_string()[:120]}".replace("\n", ", ")


def _images(alike: random.Random, chosen: random.Random, rows: int) -> pa.Array:
    make = alike.choice(PICTURES)
    held = [make(chosen) for _ in range(min(rows, 4))]
    content: list[bytes | None] = [held[i % len(held)] for i in range(rows)]
    if rows and chosen.random() < 0.25:
        content[chosen.randrange(rows)] = _damaged(chosen, content[0] or b"")
    if alike.random() < 0.1:
        return pa.array(content, pa.binary())
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    path = chosen.choice((None, None, None, "x.png", "/etc/passwd", ""))
    return pa.array([None if b is None and path is None else {"bytes": b, "path": path} for b in content], kind)


def _damaged(chosen: random.Random, whole: bytes) -> bytes | None:
    bomb = io.BytesIO()
    if chosen.random() < 0.1:
        Image.new("1", (20_000, 10_000)).save(bomb, "PNG")
    flipped = bytearray(whole or b"x")
    for _ in range(chosen.choice((1, 3, 30))):
        flipped[chosen.randrange(min(len(flipped), 200))] = chosen.randrange(256)
    return chosen.choice(
        (None, b"", b"text", whole[: len(whole) // 2], bytes(flipped), bytes(flipped), bomb.getvalue() or None)
    )


def _saved(array: Any, format: str = "PNG", mode: str | None = None, **options: Any) -> bytes:
    image = array if isinstance(array, Image.Image) else Image.fromarray(array)
    buffer = io.BytesIO()
    (image if mode is None else image.convert(mode)).save(buffer, format, **options)
    return buffer.getvalue()


def _noise(chosen: random.Random, *shape: int) -> np.ndarray:
    return np.random.default_rng(chosen.randrange(2**31)).integers(0, 256, shape, dtype=np.uint8)


def _rotated(chosen: random.Random) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = chosen.choice((1, 3, 6, 8, 0, 99))
    return _saved(_noise(chosen, 8, 12, 3), "JPEG", exif=exif)


def _floats(chosen: random.Random) -> bytes:
    levels = _noise(chosen, 8, 8).astype(np.float32) / 255
    levels.flat[0] = chosen.choice((0.5, 0.5, math.nan, math.inf, -1.0, 1e38, 0.0))
    return _saved(levels * chosen.choice((1.0, 255.0, 0.0)), "TIFF")


PICTURES: tuple[Callable[[random.Random], bytes], ...] = (
    lambda chosen: _saved(_noise(chosen, 8, 8, 3)),
    lambda chosen: _saved(_noise(chosen, 8, 8)),
    lambda chosen: _saved(_noise(chosen, 8, 8, 4)),
    lambda chosen: _saved(_noise(chosen, 8, 8, 2)),
    lambda chosen: _saved(_noise(chosen, 8, 8).astype(np.uint16) * 257),
    lambda chosen: _saved(_noise(chosen, 8, 8).astype(np.int32), "TIFF"),
    _floats,
    _rotated,
    lambda chosen: _saved(_noise(chosen, 8, 8, 3), "JPEG", "CMYK"),
    lambda chosen: _saved(_noise(chosen, 8, 8, 3), "PNG", "P"),
    lambda chosen: _saved(_noise(chosen, 8, 8), "PNG", "1"),
    lambda chosen: _saved(_noise(chosen, 8, 8, 3), "TIFF", "LAB"),
    lambda chosen: _saved(_noise(chosen, 8, 8, 3), "JPEG", "YCbCr"),
    lambda chosen: _saved(_noise(chosen, 8, 8, 3), "GIF", "P", transparency=0),
    lambda chosen: _saved(_noise(chosen, 8, 8, 3), "WEBP"),
    lambda chosen: _saved(_noise(chosen, 8, 8, 3), "BMP"),
    lambda chosen: _saved(_noise(chosen, chosen.choice((1, 5, 30)), chosen.choice((1, 7, 64)), 3)),
    lambda chosen: _saved(np.zeros((8, 8), np.uint8)),
    lambda chosen: _saved(_noise(chosen, 8, 8, 3), chosen.choice(("ICO", "TGA", "PCX", "PPM"))),
)


def _masks(alike: random.Random, chosen: random.Random, rows: int) -> pa.Array:
    kind = alike.choice(("classes", "binary", "coloured", "deep", "other size"))
    held = []
    for _ in range(rows):
        classes = _noise(chosen, *((8, 8) if kind != "other size" else (5, 9))) % 4
        if kind == "binary":
            classes = (classes % 2) * 255
        elif kind == "deep":
            classes = classes.astype(np.uint16) * 300
        held.append(_saved(np.stack([classes] * 3, -1) if kind == "coloured" else classes))
    struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    return pa.array([{"bytes": content, "path": None} for content in held], struct)


def _texts(chosen: random.Random, rows: int) -> pa.Array:
    held = [
        chosen.choice(("good", "bad", "", "größe 中文", "x" * 2000, "\0", None if chosen.random() < 0.2 else "a"))
        for _ in range(rows)
    ]
    return pa.array(held, chosen.choice((pa.string(), pa.large_string())))


def _numbers(alike: random.Random, chosen: random.Random, rows: int) -> pa.Array:
    kind = alike.choice((pa.float64(), pa.float64(), pa.float32(), pa.int64(), pa.bool_(), pa.uint8(), pa.float16()))
    if kind == pa.bool_():
        return pa.array([chosen.random() < 0.5 for _ in range(rows)], kind)
    if not pa.types.is_floating(kind):
        return pa.array([chosen.randrange(200) for _ in range(rows)], kind)
    scale = alike.choice(
        (1.0, 1.0, 1.0, 0.0, 1e-30, 1e30 if kind != pa.float16() else 1.0, 1e300 if kind == pa.float64() else 1.0)
    )
    held: list[float | None] = [chosen.gauss(0, 1) * scale for _ in range(rows)]
    if rows and chosen.random() < 0.15:
        held[chosen.randrange(rows)] = chosen.choice((None, math.nan, math.inf))
    return pa.array(
        np.array(held, np.float16)
        if kind == pa.float16() and None not in held
        else [h or 0.0 for h in held]
        if kind == pa.float16()
        else held,
        kind,
    )


def _labels(alike: random.Random, chosen: random.Random, rows: int) -> pa.Array:
    kind = alike.choice(LABELS)
    held = [kind(chosen.randrange(4), chosen) for _ in range(rows)]
    if rows and chosen.random() < 0.1:
        held[chosen.randrange(rows)] = None
    try:
        return pa.array(held)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([str(each) for each in held])


LABELS: tuple[Callable[[int, random.Random], Any], ...] = (
    *[lambda label, _: label] * 5,
    lambda label, _: label + 1,
    lambda label, _: float(label),
    lambda label, _: label % 2 == 0,
    lambda label, _: "abcd"[label],
    lambda label, _: label - 1,
    lambda label, _: -1,
    lambda label, _: 3_000_000 + label,
    lambda label, _: 2**62 + label,
    lambda label, _: label / 7,
    lambda label, chosen: chosen.gauss(0, 1e30),
    lambda label, chosen: chosen.choice((math.nan, 1.0, math.inf)),
    lambda label, _: math.nan,
    lambda label, _: [label, 1],
    lambda label, _: {"a": label},
    lambda label, _: b"ab"[label % 2 :],
    lambda label, _: None,
    lambda label, _: 0,
    lambda label, _: "",
    lambda label, chosen: chosen.randrange(2**40),
    lambda label, chosen: ("x" * 3000)[: chosen.randrange(3000)],
)


def _odd(alike: random.Random, rows: int) -> pa.Array:
    kinds: list[Callable[[], pa.Array]] = [
        lambda: pa.array([b"\x00\xff"] * rows, pa.binary()),
        lambda: pa.array([[[1, 2], [3, 4]]] * rows),
        lambda: pa.array([None] * rows),
        lambda: pa.array([0] * rows, pa.timestamp("s")),
        lambda: pa.array([{"bytes": 3, "path": "x"}] * rows),
        lambda: pa.array(["a"] * rows).dictionary_encode(),
        lambda: pa.array([1] * rows, pa.decimal128(5)) if rows else pa.array([], pa.decimal128(5)),
        lambda: pa.array([{"a": "x"}] * rows),
    ]
    return alike.choice(kinds)()


def _broken(chosen: random.Random, place: Path) -> str:
    files = sorted(place.glob("*.parquet"))
    file = chosen.choice(files)
    content = bytearray(file.read_bytes())
    how = chosen.choice(("cut", "flipped", "empty", "text", "stray", "folder", "card"))
    if how == "cut":
        content = content[: chosen.randrange(len(content))]
    elif how == "flipped":
        for _ in range(20):
            content[chosen.randrange(len(content))] = chosen.randrange(256)
    elif how in ("empty", "text"):
        content = bytearray(b"" if how == "empty" else b"label\n1\n")
    elif how == "stray":
        (place / "other.parquet").write_bytes(bytes(content))
    elif how == "folder":
        (place / "train.parquet").mkdir()
    else:
        (place / "README.md").write_text(
            chosen.choice(("---\nx: [\n---\n", "# set", "---\nconfigs: 3\n---\n", "---\ndataset_info: x\n---\n"))
        )
    file.write_bytes(bytes(content))
    return how
