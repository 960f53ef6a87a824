"""Folders in the hub's parquet layout: decoding, splits, the cache, and what is refused in one line."""

import errno
import io
import os
from pathlib import Path

import datasets
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import torch
from PIL import Image

from airdeliver.data import DataError, load_dataset
from airdeliver.data import cache as store
from airdeliver.data import source as origin


def pictures(n, size=(8, 6), channels=3, seed=0):
    """n images `(n, height, width, channels)`; size is width, height."""
    shape = (n, size[1], size[0], channels)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def rows_of(arrays, labels, image="img", label="label", names=("cat", "dog")):
    images = [Image.fromarray(a.squeeze(-1) if a.shape[-1] == 1 else a) for a in arrays]
    features = datasets.Features({image: datasets.Image(), label: datasets.ClassLabel(names=list(names))})
    return datasets.Dataset.from_dict({image: images, label: labels}, features=features)


def write_split(folder, name, rows):
    folder.mkdir(parents=True, exist_ok=True)
    rows.to_parquet(folder / f"{name}-00000-of-00001.parquet")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "pets"
    write_split(folder, "train", rows_of(pictures(40), [i % 2 for i in range(40)]))
    write_split(folder, "test", rows_of(pictures(10, seed=1), [1] * 10))
    return folder


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def as_bytes(images):
    return sorted(image.permute(1, 2, 0).contiguous().numpy().tobytes() for image in images)


def test_folder_is_decoded_and_split(folder, cache):
    pets = load_dataset("pets", folder, cache=cache)
    assert (pets.shape, pets.class_names) == ((3, 6, 8), ("cat", "dog"))
    assert [len(s) for s in (pets.train, pets.validation, pets.test)] == [36, 4, 10]
    assert torch.equal(pets.test.images.permute(0, 2, 3, 1), torch.from_numpy(pictures(10, seed=1)))
    assert pets.test.labels.tolist() == [1] * 10
    both = torch.cat([pets.train.images, pets.validation.images])
    assert as_bytes(both) == sorted(p.tobytes() for p in pictures(40))
    expected = torch.from_numpy(pictures(40))
    for image, label in zip(pets.train.images, pets.train.labels, strict=True):
        number = int((expected == image.permute(1, 2, 0)).flatten(1).all(1).nonzero()[0, 0])
        assert int(label) == number % 2


def test_images_are_mapped_in_channels_last_memory(folder, cache):
    pets = load_dataset("pets", folder, cache=cache)
    assert pets.train.images.is_contiguous(memory_format=torch.channels_last)
    assert pets.augmentation.flip


def test_second_load_decodes_nothing(folder, cache, monkeypatch):
    first = load_dataset("pets", folder, cache=cache)
    monkeypatch.setattr(origin, "opened", None)
    monkeypatch.setattr("airdeliver.data.loading.opened", None)
    second = load_dataset("pets", folder, cache=cache)
    assert second.fingerprint == first.fingerprint
    assert torch.equal(second.train.images, first.train.images)
    assert [entry.name for entry in cache.iterdir()] == [next(cache.iterdir()).name]


def test_fingerprint_does_not_depend_on_where_it_lies(folder, cache, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    for file in folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    one, two = load_dataset("pets", folder, cache=cache), load_dataset("animals", other, cache=cache)
    assert one.fingerprint == two.fingerprint


def test_changed_file_is_decoded_again(folder, cache):
    before = load_dataset("pets", folder, cache=cache)
    write_split(folder, "test", rows_of(pictures(10, seed=2), [0] * 10))
    after = load_dataset("pets", folder, cache=cache)
    assert after.fingerprint != before.fingerprint
    assert after.test.labels.tolist() == [0] * 10


def test_cache_folder_comes_from_the_environment(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("AIRDELIVER_CACHE", str(tmp_path / "own"))
    load_dataset("pets", folder)
    assert len(list((tmp_path / "own").iterdir())) == 1


def test_loading_leaves_progress_bars_as_they_were(folder, cache, capfd):
    level = datasets.logging.get_verbosity()
    load_dataset("pets", folder, cache=cache)
    assert datasets.are_progress_bars_disabled() is False
    assert datasets.logging.get_verbosity() == level
    assert capfd.readouterr() == ("", "")


def test_own_validation_split_is_used(folder, cache):
    write_split(folder, "validation", rows_of(pictures(7, seed=3), [0] * 7))
    pets = load_dataset("pets", folder, cache=cache)
    assert [len(s) for s in (pets.train, pets.validation, pets.test)] == [40, 7, 10]


def test_validation_serves_as_test_where_there_is_none(folder, cache):
    os.rename(folder / "test-00000-of-00001.parquet", folder / "validation-00000-of-00001.parquet")
    pets = load_dataset("pets", folder, cache=cache)
    assert [len(s) for s in (pets.train, pets.validation, pets.test)] == [36, 4, 10]
    assert pets.test.labels.tolist() == [1] * 10


def test_lonely_training_split_is_carved_twice(folder, cache):
    (folder / "test-00000-of-00001.parquet").unlink()
    pets = load_dataset("pets", folder, cache=cache)
    assert [len(s) for s in (pets.train, pets.validation, pets.test)] == [32, 4, 4]
    together = torch.cat([s.images for s in (pets.train, pets.validation, pets.test)])
    assert as_bytes(together) == sorted(p.tobytes() for p in pictures(40))


def test_grey_images_have_one_channel(tmp_path, cache):
    write_split(tmp_path / "grey", "train", rows_of(pictures(20, channels=1), [0, 1] * 10))
    grey = load_dataset("grey", tmp_path / "grey", cache=cache)
    assert grey.shape == (1, 6, 8)
    assert not grey.augmentation.flip


def test_mixed_sizes_and_modes_become_the_most_common(tmp_path, cache):
    arrays = [*pictures(15), *pictures(5, size=(20, 10)), *pictures(5, channels=1)]
    write_split(tmp_path / "mixed", "train", rows_of(arrays, [0] * 25))
    assert load_dataset("mixed", tmp_path / "mixed", cache=cache).shape == (3, 6, 8)
    assert load_dataset("mixed", tmp_path / "mixed", size=4, cache=cache).shape == (3, 4, 4)


def test_fine_labels_are_preferred_and_columns_found_by_type(tmp_path, cache):
    rows = rows_of(pictures(20), [0] * 20, image="picture", label="coarse_label", names=("all",))
    rows = rows.add_column("fine_label", [i % 3 for i in range(20)])
    rows = rows.cast_column("fine_label", datasets.ClassLabel(names=["x", "y", "z"]))
    write_split(tmp_path / "fine", "train", rows)
    assert load_dataset("fine", tmp_path / "fine", cache=cache).class_names == ("x", "y", "z")


@pytest.mark.parametrize(("labels", "names"), [([3, 0, 1], ("0", "1", "2", "3")), (["b", "a", "b"], ("a", "b"))])
def test_plain_parquet_without_the_hubs_description(tmp_path, cache, labels, names):
    """Images as bytes with a path, labels as numbers or words."""
    encoded = []
    for array in pictures(30):
        file = io.BytesIO()
        Image.fromarray(array).save(file, "png")
        encoded.append({"bytes": file.getvalue(), "path": None})
    image_type = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    table = pyarrow.table({"image": pyarrow.array(encoded, image_type), "label": labels * 10})
    (tmp_path / "plain").mkdir()
    pyarrow.parquet.write_table(table, tmp_path / "plain" / "train.parquet")
    plain = load_dataset("plain", tmp_path / "plain", cache=cache)
    assert plain.class_names == names
    assert len(plain.train) == 24


def refused(*arguments, **named):
    with pytest.raises(DataError) as error:
        load_dataset(*arguments, **named)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_missing_folder(tmp_path, cache):
    assert "there is no folder" in refused("pets", tmp_path / "absent", cache=cache)


def test_folder_without_parquet(tmp_path, cache):
    assert f"{tmp_path} holds neither" in refused("pets", tmp_path, cache=cache)


@pytest.mark.parametrize("keep", [0, 3, 100, -10])
def test_truncated_file_is_named(folder, cache, keep):
    file = folder / "train-00000-of-00001.parquet"
    file.write_bytes(file.read_bytes()[:keep])
    message = refused("pets", folder, cache=cache)
    assert message.startswith(f"{file} is not a whole parquet file")


def test_damaged_file_is_named(folder, cache):
    """Its footer is whole, its pages are not."""
    file = folder / "train-00000-of-00001.parquet"
    content = bytearray(file.read_bytes())
    content[4:2000] = b"\xff" * 1996
    file.write_bytes(content)
    message = refused("pets", folder, cache=cache)
    assert message.startswith(f"{file} is a damaged parquet file")
    assert not list(cache.iterdir())


def test_undecodable_image_is_numbered(tmp_path, cache):
    features = datasets.Features({"img": datasets.Image(), "label": datasets.ClassLabel(names=["a"])})
    good = io.BytesIO()
    Image.fromarray(pictures(1)[0]).save(good, "png")
    encoded = [{"bytes": good.getvalue(), "path": None}] * 10
    encoded[7] = {"bytes": good.getvalue()[:60], "path": None}
    rows = datasets.Dataset.from_dict({"img": encoded, "label": [0] * 10}, features=features)
    write_split(tmp_path / "bad", "train", rows)
    assert refused("bad", tmp_path / "bad", cache=cache).startswith("image 7 cannot be decoded")
    assert not list(cache.iterdir())


def test_no_image_column(tmp_path, cache):
    write_split(tmp_path / "bare", "train", datasets.Dataset.from_dict({"label": [0, 1] * 5}))
    message = "no column holds images, texts or numbers to learn from: columns are label"
    assert refused("bare", tmp_path / "bare", cache=cache) == message


def test_no_label_column(tmp_path, cache):
    write_split(tmp_path / "bare", "train", rows_of(pictures(10), [0] * 10).remove_columns("label"))
    assert refused("bare", tmp_path / "bare", cache=cache) == "no column holds class labels: columns are img"


def test_secret_labels(folder, cache):
    write_split(folder, "test", rows_of(pictures(10, seed=1), [-1] * 10))
    assert "labels must be from 0 to 1, column label has others" in refused("pets", folder, cache=cache)


def test_no_training_split(folder, cache):
    (folder / "train-00000-of-00001.parquet").unlink()
    assert refused("pets", folder, cache=cache) == "data set pets has no split called train, but test"


def test_full_disk(folder, cache, monkeypatch):
    def full(*arguments, **named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "_write_splits", full)
    assert "(No space left on device): set AIRDELIVER_CACHE" in refused("pets", folder, cache=cache)
    assert not list(cache.iterdir())


def test_cache_folder_that_cannot_be_made(folder, tmp_path):
    (tmp_path / "file").write_text("")
    assert "cannot be made" in refused("pets", folder, cache=tmp_path / "file" / "cache")


@pytest.mark.parametrize(("name", "meant"), [("cifra10", "cifar10"), ("digit", "digits")])
def test_unknown_name_suggests_the_nearest(name, meant, cache, monkeypatch):
    """The hub is replaced by one that does not know the set, and by one that cannot be reached."""
    import huggingface_hub
    from huggingface_hub.errors import RepositoryNotFoundError

    class Hub:
        answer: Exception = ConnectionError("Name or service not known")

        def dataset_info(self, *arguments, **named):
            raise self.answer

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    message = refused(name, cache=cache)
    assert "the hub cannot be reached (Name or service not known)" in message
    assert f"did you mean {meant}? digits needs no network, dataset.path=FOLDER reads" in message
    Hub.answer = RepositoryNotFoundError.__new__(RepositoryNotFoundError)
    assert refused(name, cache=cache).startswith(f"unknown data set {name}: did you mean {meant}?")


def test_hubs_own_set_is_read(cache, monkeypatch):
    """The hub is replaced by one that has the set; its short name becomes the hub's."""
    import huggingface_hub

    asked = []

    class Hub:
        def dataset_info(self, place, **named):
            asked.append(place)

    def hub_load(place, configuration=None, **named):
        asked.append((place, configuration))
        return datasets.DatasetDict(train=rows_of(pictures(20), [0, 1] * 10))

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    monkeypatch.setattr(datasets, "load_dataset", hub_load)
    svhn = load_dataset("svhn", cache=cache)
    assert asked == ["ufldl-stanford/svhn", ("ufldl-stanford/svhn", "cropped_digits")]
    assert (svhn.name, len(svhn.train)) == ("svhn", 16)
    assert not svhn.augmentation.flip


def test_size_must_be_positive():
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        load_dataset("digits", size=0)


def test_half_written_entry_is_never_seen(folder, cache, monkeypatch):
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        load_dataset("pets", folder, cache=cache)
    monkeypatch.undo()
    assert not list(cache.iterdir())
    assert len(load_dataset("pets", folder, cache=cache).train) == 36
