"""Folders of masks, texts and numbers; images and labels of every make; what is refused, by its row."""

import io

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import torch
from PIL import Image

from airdeliver.data import Classes, DataError, Masks, Numbers, Rows, Texts, load_dataset
from airdeliver.task import task_of

N = 40
LABELS = [i % 4 for i in range(N)]


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def encoded(image, kind="PNG", **arguments):
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, kind, **arguments)
    return file.getvalue()


COLOURED = [encoded(pixels(16, 16, 3, seed=i)) for i in range(N)]


def loaded(tmp_path, columns, name="mine", **arguments):
    """A data set of one training split; images as bytes, without the hub's description."""
    folder = tmp_path / name
    folder.mkdir(parents=True)
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = {}
    for column, values in columns.items():
        images = isinstance(values, list) and any(isinstance(value, bytes) for value in values)
        table[column] = (
            pa.array([None if v is None else {"bytes": v, "path": None} for v in values], kind) if images else values
        )
    pyarrow.parquet.write_table(pa.table(table), folder / "train.parquet")
    return load_dataset(name, folder, cache=tmp_path / "cache", **arguments)


def everything(data):
    splits = (data.train, data.validation, data.test)
    return torch.cat([s.inputs for s in splits]), torch.cat([s.targets for s in splits])


def test_masks_are_loaded_beside_their_images(tmp_path):
    masks = [np.full((16, 16), i % 3, np.uint8) for i in range(N)]
    for i, mask in enumerate(masks):
        mask[0, 0] = 255 if i % 2 else 0
    data = loaded(tmp_path, {"image": COLOURED, "mask": [encoded(mask) for mask in masks]})
    assert isinstance(data.targets, Masks)
    assert (data.shape, data.class_names) == ((3, 16, 16), ("0", "1", "2"))
    assert data.train.targets.dtype == torch.uint8
    images, targets = everything(data)
    known = {image.tobytes(): mask for image, mask in zip((pixels(16, 16, 3, seed=i) for i in range(N)), masks)}
    for image, target in zip(images, targets):
        assert np.array_equal(known[image.permute(1, 2, 0).contiguous().numpy().tobytes()], target.numpy())
    assert task_of(data).metric == "pixel_accuracy"
    again = load_dataset("mine", tmp_path / "mine", cache=tmp_path / "cache")
    assert (again.targets, again.fingerprint) == (data.targets, data.fingerprint)


def test_masks_of_0_and_255_are_two_classes(tmp_path):
    masks = [encoded(np.where(pixels(16, 16, seed=i) > 128, 255, 0).astype(np.uint8)) for i in range(N)]
    data = loaded(tmp_path, {"image": COLOURED, "mask": masks})
    assert data.class_names == ("0", "1")
    assert data.train.targets.unique().tolist() == [0, 1]


def test_coloured_masks_are_refused(tmp_path):
    with pytest.raises(DataError, match="image 0 cannot be decoded: a mask has one class for each pixel"):
        loaded(tmp_path, {"image": COLOURED, "mask": COLOURED})


def test_texts_are_loaded_as_bytes(tmp_path):
    texts = [f"text number {i} ä" for i in range(N)]
    data = loaded(tmp_path, {"text": texts, "label": ["odd" if i % 2 else "even" for i in range(N)]})
    assert data.inputs == Texts(32)
    assert data.class_names == ("even", "odd")
    inputs, labels = everything(data)
    for row, label in zip(inputs, labels):
        text = bytes(row.tolist()).rstrip(b"\0").decode()
        assert int(text.split()[2]) % 2 == int(label)
    assert task_of(data).signature.tokens


def test_numbers_are_loaded_as_rows(tmp_path):
    generator = np.random.default_rng(0)
    a, b = generator.normal(size=400), generator.integers(0, 9, 400)
    data = loaded(tmp_path, {"a": a, "b": b, "target": 10 + 3 * a})
    assert isinstance(data.inputs, Rows)
    assert isinstance(data.targets, Numbers)
    assert (data.inputs.names, data.targets.names) == (("a", "b"), ("target",))
    x, y = data.prepare(data.train.inputs), data.train.targets
    assert torch.allclose(x[:, :1], y, atol=1e-4)
    assert task_of(data).metric == "r2"


def test_rows_with_classes(tmp_path):
    data = loaded(tmp_path, {"a": np.arange(N, dtype=np.float64), "class": LABELS})
    assert isinstance(data.targets, Classes)
    assert data.inputs.shape == (1,)


@pytest.mark.parametrize("column", ["a", "text"])
def test_a_row_without_a_value_is_named(tmp_path, column):
    values = {"a": [1.0] * N, "text": ["word"] * N}[column]
    values[17] = None
    with pytest.raises(DataError, match=f"row 17 has no (finite number|text) in column {column}"):
        loaded(tmp_path, {column: values, "label": LABELS})


def test_deep_grey_images_keep_their_levels(tmp_path):
    """A ramp over all 16 bits becomes one over all 8; floats from 0 to 1 likewise."""
    ramp = np.arange(256).reshape(16, 16)
    deep = encoded((ramp * 257).astype(np.uint16))
    real = encoded(Image.fromarray((ramp / 255).astype(np.float32)), "TIFF")
    for name, content in (("deep", deep), ("real", real)):
        data = loaded(tmp_path, {"image": [content] * N, "label": LABELS}, name)
        assert np.array_equal(data.test.inputs[0, 0].numpy(), ramp)


def test_images_are_turned_as_exif_says(tmp_path):
    wide = np.zeros((16, 32, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = loaded(tmp_path, {"image": [encoded(wide, "JPEG", exif=exif)] * N, "label": LABELS})
    assert data.shape == (3, 32, 16)


def test_transparent_ground_is_white(tmp_path):
    shape = np.zeros((16, 16, 4), np.uint8)
    shape[4:12, 4:12, 3] = 255
    data = loaded(tmp_path, {"image": [encoded(shape)] * N, "label": LABELS})
    assert data.test.inputs[0, :, 0, 0].tolist() == [255] * 3
    assert data.test.inputs[0, :, 8, 8].tolist() == [0] * 3


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([float(i) for i in LABELS], ("0", "1", "2", "3")),
        ([i % 2 == 0 for i in LABELS], ("False", "True")),
        ([i + 1 for i in LABELS], ("1", "2", "3", "4")),
        ([3_000_000 + i for i in LABELS], ("3000000", "3000001", "3000002", "3000003")),
        (["abcd"[i] for i in LABELS], ("a", "b", "c", "d")),
    ],
)
def test_labels_of_every_make(tmp_path, labels, names):
    data = loaded(tmp_path, {"image": COLOURED, "label": labels})
    assert data.class_names == names
    assert sorted(everything(data)[1].unique().tolist()) == list(range(len(names)))


def test_damaged_rows_are_named(tmp_path):
    huge = encoded(Image.new("1", (20_000, 10_000)))
    for number, (broken, message) in enumerate(
        [
            (None, "row 17 has no image in column image"),
            (b"", "image 17 cannot be decoded"),
            (b"no image", "image 17 cannot be decoded"),
            (huge, "image 17 cannot be decoded: .*decompression bomb"),
        ]
    ):
        images = [*COLOURED[:17], broken, *COLOURED[18:]]
        with pytest.raises(DataError, match=message) as error:
            loaded(tmp_path, {"image": images, "label": LABELS}, f"damaged{number}")
        assert "\n" not in str(error.value)
    for number, missing in enumerate((None, -1)):
        labels = [*LABELS[:5], missing, *LABELS[6:]]
        with pytest.raises(DataError, match="row 5"):
            loaded(tmp_path, {"image": COLOURED, "label": labels}, f"unlabelled{number}")


@pytest.mark.parametrize("name", ["set [v2]", "set*", ".set", "a::b", "a:b,c", "__set", "sät"])
def test_any_characters_in_a_path(tmp_path, name):
    assert len(loaded(tmp_path, {"image": COLOURED, "label": LABELS}, name).train) == 32


def test_few_rows_leave_one_for_each_split_or_are_refused(tmp_path):
    data = loaded(tmp_path, {"image": COLOURED[:8], "label": LABELS[:8]}, "eight")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [6, 1, 1]
    with pytest.raises(DataError, match="has too few rows: training, validation and test split need one each"):
        loaded(tmp_path, {"image": COLOURED[:2], "label": LABELS[:2]}, "two")


def test_declared_classes_come_first(tmp_path):
    features = datasets.Features({"text": datasets.Value("string"), "topic": datasets.ClassLabel(names=["x", "y"])})
    rows = datasets.Dataset.from_dict({"text": ["a"] * 20, "topic": [0, 1] * 10}, features=features)
    (tmp_path / "topics").mkdir()
    rows.to_parquet(tmp_path / "topics" / "train.parquet")
    assert load_dataset("topics", tmp_path / "topics", cache=tmp_path / "cache").class_names == ("x", "y")
