"""Fields of what a configuration builds hold what their classes declare."""

from collections.abc import Mapping
from typing import Any, Literal

import pytest

from airdeliver.links import AnalogLink
from airdeliver.recipe import Recipe
from airdeliver.schemes import Clean
from experiments.typed import is_of, mistyped, said


@pytest.mark.usefixtures("unchecked")
def test_a_field_of_another_type_is_said_with_its_place():
    assert list(mistyped(Clean(link=3.0), "scheme.clean")) == ["scheme.clean.link must be a Link, got 3.0"]
    assert list(mistyped(Clean(), "scheme.clean")) == []
    (line,) = mistyped((Clean(link=AnalogLink(design_snr_db="low")),), "scheme")
    assert line.startswith("scheme[0].link.design_snr_db must be")


@pytest.mark.usefixtures("unchecked")
def test_numbers_and_switches_are_told_apart():
    recipe = Recipe()
    kinds = {type(value) for value in vars(recipe).values()}
    assert list(mistyped(recipe, "training")) == [], kinds
    (line,) = mistyped(Recipe(epochs=True), "training")
    assert line == "training.epochs must be an int, got True"


def test_a_declaration_that_is_not_known_is_fulfilled():
    assert is_of(3, Any)
    assert is_of({"a": 1}, Mapping[str, int])
    assert not is_of([1], tuple[int, ...])
    assert is_of("b", Literal["a", "b"])
    assert said(Mapping[str, int] | None) == "a Mapping or None"
