"""Every network of the catalogue works or is refused as the published table says."""

import pytest

from tests.zoo.catalogue import CATALOGUE
from tests.zoo.examination import examined
from tests.zoo.page import HEAD, PAGE, line, published

FAST = ("Deep sets", "VQ-VAE", "Graph convolution", "Complex-valued", "Weight norm")
KERAS = ("perceptron", "residual", "mobile", "recurrent", "attention")


def test_the_page_has_every_network_once():
    names = [*CATALOGUE, *(f"Keras, {kind}" for kind in KERAS)]
    assert list(published()) == names
    assert len(CATALOGUE) >= 60
    assert PAGE.read_text().startswith(HEAD)


@pytest.mark.parametrize("name", FAST)
def test_a_row_is_what_the_examination_finds(name: str):
    assert line(examined(name)) == published()[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CATALOGUE if name not in FAST])
def test_every_row_is_what_the_examination_finds(name: str):
    assert line(examined(name)) == published()[name]


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")  # a Keras model is refused by our own line
@pytest.mark.parametrize("kind", KERAS)
def test_keras_rows_are_what_the_examination_finds(kind: str):
    from tests.zoo.keras_examination import examined_keras

    assert line(examined_keras(f"Keras, {kind}")) == published()[f"Keras, {kind}"]
