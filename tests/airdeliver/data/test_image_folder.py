"""Images in a folder for each class: classes and splits by the folders' names, and what is refused in one line."""

import numpy as np
import pytest
from PIL import Image

from airdeliver.data import DataError, load_dataset

CLASSES = ("a cat", "dog[1]", "é::x")


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    """The level of each image is its class and number: nothing may be mixed up."""
    for split, count in (("train", 12), ("test", 4)):
        for label, name in enumerate(CLASSES):
            place = tmp_path / "pets" / split / name
            place.mkdir(parents=True)
            for number in range(count):
                levels = np.full((6, 8, 3), 80 * label + number + 20 * (split == "test"), np.uint8)
                Image.fromarray(levels).save(place / f"{number}.{'PNG' if number % 2 else 'png'}")
    (tmp_path / "pets" / "LICENSE.txt").write_text("free")
    return tmp_path / "pets"


def test_classes_are_folders_and_splits_the_folders_above(folder, cache):
    pets = load_dataset("pets", folder, cache=cache)
    assert (pets.shape, pets.class_names) == ((3, 6, 8), CLASSES)
    assert (len(pets.train) + len(pets.validation), len(pets.test)) == (36, 12)
    for split, offset in ((pets.train, 0), (pets.validation, 0), (pets.test, 20)):
        levels = split.inputs.reshape(len(split), -1).double().mean(1) - offset
        assert (levels.long() // 80).tolist() == split.targets.tolist()


def test_without_folders_for_the_splits_all_are_training_examples(folder, cache):
    pets = load_dataset("pets", folder / "train", cache=cache)
    assert pets.class_names == CLASSES
    assert len(pets.train) + len(pets.validation) + len(pets.test) == 36


def test_a_changed_image_is_read_anew(folder, cache):
    first = load_dataset("pets", folder, cache=cache)
    Image.fromarray(np.full((6, 8, 3), 255, np.uint8)).save(folder / "test" / CLASSES[0] / "0.png")
    assert load_dataset("pets", folder, cache=cache).fingerprint != first.fingerprint


def refused(folder, cache):
    with pytest.raises(DataError) as error:
        load_dataset("pets", folder, cache=cache)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_damaged_image_is_named(folder, cache):
    file = folder / "train" / CLASSES[1] / "2.png"
    file.write_bytes(file.read_bytes()[:40])
    assert refused(folder, cache).startswith(f"{file} cannot be decoded")


@pytest.mark.parametrize("part", ["train/a cat", "only train"])
def test_images_without_a_class(folder, cache, part):
    flat = folder / "train" / CLASSES[0]
    place = flat if part == "train/a cat" else folder.parent / "flat" / "train"
    if part == "only train":
        place.parent.mkdir()
        flat.rename(place)
        place = place.parent
    assert "must lie in a folder that is called like its class" in refused(place, cache)


def test_a_folder_without_either(tmp_path, cache):
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "one.pdf").write_bytes(b"%PDF")
    assert f"of images in a folder for each class, {tmp_path / 'papers'} holds neither" in refused(
        tmp_path / "papers", cache
    )
