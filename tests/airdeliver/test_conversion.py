"""Fields that are converted where they are declared."""

import copy
import dataclasses
import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from airdeliver.conversion import Converted, converted, instance_of, named, optional, real, tuple_of


@dataclass(frozen=True)
class Colour:
    shade: Converted[float, float] = converted(real, 1)


@dataclass(frozen=True)
class Painting:
    colour: Converted[str | Colour, Colour] = converted(named(Colour, red=Colour))
    sizes: Converted[Iterable[int], tuple[int, ...]] = converted(tuple_of(int), ())
    frame: Converted[str | Colour | None, Colour | None] = converted(optional(named(Colour, red=Colour)), None)
    title: str = ""

    def __post_init__(self) -> None:
        assert isinstance(self.colour, Colour)


@dataclass(frozen=True)
class Framed(Painting):
    """A field that is declared anew has another default, and the others are inherited."""

    frame: Converted[str | Colour | None, Colour | None] = converted(optional(named(Colour, red=Colour)), "red")
    width: float = 1.0


def test_equal_objects_whichever_way_they_are_given():
    """A name and its class, a list and a tuple: one object, one hash, one repr."""
    one, other = Painting("red", [1, 2]), Painting(Colour(1), (1, 2), title="")
    assert one == other
    assert hash(one) == hash(other)
    assert repr(one) == repr(other) == "Painting(colour=Colour(shade=1.0), sizes=(1, 2), frame=None, title='')"
    assert {one: 1}[other] == 1


def test_a_field_without_default_must_be_given():
    with pytest.raises(TypeError, match="colour"):
        Painting()  # type: ignore[call-arg]


def test_defaults_are_converted_once_and_told():
    defaults = {f.name: f.default for f in dataclasses.fields(Framed)}
    assert defaults["frame"] == Colour()
    assert defaults["colour"] is dataclasses.MISSING
    assert Framed("red").frame is Framed("red").frame


def test_frozen_stays_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Painting("red").sizes = (3,)  # type: ignore[misc]


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_copies_are_equal(again: Callable[[Any], Any]):
    painting = Framed("red", [1], width=2.0)
    assert again(painting) == painting


def test_replace_converts():
    assert dataclasses.replace(Painting("red"), sizes=[4], frame="red") == Painting(Colour(), (4,), Colour())


def test_errors_name_the_field():
    with pytest.raises(ValueError, match=r"^colour must be one of red, or a Colour, got 'blue'$"):
        Painting("blue")
    with pytest.raises(ValueError, match=r"^shade must be a number, got 'dark'$"):
        Colour("dark")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^shade must be a number, got True$"):
        Colour(True)


def test_a_wrong_default_is_refused_where_it_is_declared():
    with pytest.raises(ValueError, match="size must be a list, got 3"):

        @dataclass(frozen=True)
        class Wrong:
            size: Converted[Any, tuple[int, ...]] = converted(tuple_of(int), 3)


def test_works_beside_ordinary_fields_and_factories():
    @dataclass
    class Shelf:
        books: list[str] = field(default_factory=list)
        owner: Converted[Any, str] = converted(instance_of(str), "nobody")

    shelf = Shelf()
    shelf.owner = "me"
    assert shelf == Shelf([], "me")
    with pytest.raises(ValueError, match="owner must be a str, got 5"):
        shelf.owner = 5  # type: ignore[assignment]
