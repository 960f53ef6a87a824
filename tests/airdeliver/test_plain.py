"""Recipes as JSON and back."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from airdeliver import AnalogLink, DigitalLink
from airdeliver.architecture import Pruned, Whole
from airdeliver.links.analog import ByPower, Laplacian, Repetition
from airdeliver.models import CNN
from airdeliver.plain import attributes, from_plain, to_plain
from airdeliver.schemes import AirNet, AirNetSpectrum, Clean, Digital, Noise, SeparateNetworks
from airdeliver.task.base import Signature
from channels import AWGN, Rician

OWN = """
from dataclasses import dataclass
import torch
from airdeliver.models import ModelBuilder

@dataclass(frozen=True)
class Small(ModelBuilder):
    width: int = 4
    def architecture(self, channels, classes):
        return torch.nn.Linear(channels, classes)

class Undecorated(ModelBuilder):
    def __init__(self, width):
        self.width, self.depths = width, (1, 2)
    architecture = Small.architecture

class Outer:
    @dataclass(frozen=True)
    class Inner(Small):
        pass
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of someone's own."""
    (tmp_path / "someones_models.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    import someones_models  # type: ignore[import-not-found]

    yield someones_models
    del sys.modules["someones_models"]


RECIPES = [
    AnalogLink(Laplacian(), expansion=Repetition(2), protection=ByPower()),
    DigitalLink("capacity"),
    Clean(),
    Noise(train_snr_db=(0.0, 5.0)),
    AirNet(teacher=None),
    AirNetSpectrum(),
    SeparateNetworks(),
    Digital(train_bits=(2.0, 1.0), keep=(1.0, 0.5)),
    Pruned(Whole(CNN(width=2.0), Signature((1, 8, 8), 1, 10))),
    {"channels": (AWGN(), Rician(3.0)), "numbers": (1, 2.5, None, True)},
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: type(recipe).__name__)
@pytest.mark.parametrize("brief", [False, True])
def test_there_and_back(recipe: Any, brief: bool):
    assert from_plain(json.loads(json.dumps(to_plain(recipe, brief=brief)))) == recipe


def test_brief_leaves_defaults_out_at_any_depth():
    assert to_plain(AirNet(), brief=True) == {"class": "airdeliver.schemes.airnet.AirNet"}
    link = to_plain(Clean(AnalogLink("laplacian")), brief=True)["link"]
    assert link["receiver"] == {"class": "airdeliver.links.analog.receiver.laplacian.Laplacian"}


def test_a_module_of_ones_own_is_rebuilt_only_where_it_is_trusted(own: Any):
    """A store trusts all that it has written; a file of unknown origin makes nothing of it."""
    for builder in (own.Small(8), own.Outer.Inner(3)):
        architecture = Whole(builder, Signature((1, 8, 8), 1, 10))
        plain = json.loads(json.dumps(to_plain(architecture, attributes)))
        assert from_plain(plain, trusted=None) == from_plain(plain, ("someones_models",)) == architecture
        with pytest.raises(ValueError, match="not of airdeliver, channels: if you trust it, give its package"):
            from_plain(plain)


def test_a_builder_that_is_no_dataclass_is_rebuilt_where_everything_is_trusted(own: Any):
    builder = own.Undecorated(7)
    with pytest.raises(TypeError, match="use a dataclass"):
        to_plain(builder)
    plain = json.loads(json.dumps(to_plain((builder,), attributes)))
    (again,) = from_plain(plain, trusted=None)
    assert (type(again), vars(again)) == (own.Undecorated, {"width": 7, "depths": (1, 2)})
    with pytest.raises(ValueError, match="no dataclass"):
        from_plain(plain, ("someones_models",))


class Many(set):
    """More than its attributes."""


@pytest.mark.parametrize("held", [torch.zeros(3), Many({1}), torch.nn.Linear(2, 2), print, Many, object()])
def test_what_is_more_than_its_attributes_is_refused(own: Any, held: Any):
    """A tensor has a `__dict__` too, an empty one."""
    with pytest.raises(TypeError):
        to_plain(own.Undecorated(held), attributes)


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ({"class": "os.system", "command": "true"}, "not of airdeliver, channels"),
        ({"class": "airdeliver.plain.to_plain"}, "no dataclass"),
        ({"class": "airdeliver.nowhere.Thing"}, "does not exist here"),
        ({"class": "airdeliver.plain.dataclasses.Field"}, "does not exist here"),
        ({"class": "airdeliver.AnalogLink"}, "does not exist here"),
        ({"class": "airdeliver"}, "does not exist here"),
        ({"class": "channels.awgn.AGWN"}, "does not exist here"),
        ({"class": "channels.awgn.AWGN", "depth": 3}, "other values than channels.awgn.AWGN takes"),
        ([{"a": {"class": "builtins.print"}}], "not of airdeliver, channels"),
    ],
)
def test_what_a_file_must_not_name_is_refused(plain: Any, said: str):
    with pytest.raises(ValueError, match=said):
        from_plain(plain)


@dataclass(frozen=True)
class Box:
    """Holds anything."""

    content: Any = field(default_factory=list)


@pytest.mark.parametrize("content", [object(), {1, 2}, print, Box, {"class": 3}])
@pytest.mark.parametrize("wrapped", [lambda x: x, lambda x: Box([x])])
def test_what_cannot_be_written_is_refused(content: Any, wrapped: Callable[[Any], Any]):
    with pytest.raises(TypeError):
        to_plain(wrapped(content))
