"""Pictures in the repository are those of today's tables."""

import pytest
from PIL import Image

from figures.pictures import OUT, PICTURES, TABLES


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_were_drawn_from_the_tables_of_today(name: str):
    with Image.open(OUT / f"{name}.png") as image:
        drawn = image.info[TABLES]
    assert drawn == PICTURES[name].source, "the table has changed since: run `python -m figures.pictures`"


def test_the_main_picture_has_a_line_for_each_scheme():
    picture = PICTURES["cifar10_main"]
    (axes,) = picture.draw().axes
    assert len(axes.containers) == len(str(picture.schemes).split(","))


def test_bits_of_a_limit_are_its_capacity():
    """126,044 channel uses at 0 dB, log2(1 + 1) = 1 bit each, are 1.1 bits for each of 114,586 parameters."""
    (axes,) = PICTURES["cifar10_bits_per_parameter"].draw().axes
    bits = sorted(axes.containers[0][0].get_xdata())
    assert bits == pytest.approx([0.4, 0.7, 1.1], abs=0.1)
