"""From a node of the configuration to the object that it describes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from omegaconf import OmegaConf

from channels import AWGN
from experiments.building import build
from experiments.command_line import ConfigurationError


@dataclass(frozen=True)
class Lens:
    """Part of a part."""

    focus: float = 1.0
    coatings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lamp:
    """A part that another has by default."""

    lens: Lens = Lens(coatings=("blue",))
    watts: float | None = None
    count: int = 1


@dataclass(frozen=True)
class Lighthouse:
    """Someone's own class, which converts nothing itself."""

    lamp: Lamp = field(default_factory=Lamp)
    stairs: tuple[Any, ...] = ()
    made: Callable[..., Any] | None = None
    height: float = 10.0

    def __post_init__(self) -> None:
        if self.height <= 0:
            raise ValueError(f"height must be above 0 m, got {self.height}\nand no less")


def lighthouse(**values: Any) -> Any:
    """Built from a configuration."""
    return build(OmegaConf.create({"_target_": f"{__name__}.Lighthouse", **values}), "house")


def test_lists_are_tuples_at_any_depth_and_what_they_describe_is_built():
    node = {"_target_": "channels.AWGN"}
    house = lighthouse(stairs=[1, [2, node], {"a": [node]}])
    assert house.stairs == (1, (2, AWGN()), {"a": (AWGN(),)})


def test_an_integer_is_a_float_where_one_is_taken():
    house = lighthouse(height=3, lamp={"watts": 60, "count": 2, "lens": {"focus": 2}})
    given = (house.height, house.lamp.watts, house.lamp.count, house.lamp.lens.focus)
    assert [type(value) for value in given] == [float, float, int, float]
    assert hash(house)


def test_a_default_is_changed_in_place_at_any_depth():
    """What is not given stays as the default has it, not as its class would."""
    assert lighthouse(lamp={"lens": {"focus": 5.0}}).lamp.lens == Lens(5.0, ("blue",))


def test_hydra_s_own_words_are_understood():
    partial = lighthouse(made={"_target_": "channels.AWGN", "_partial_": True})
    assert partial.made() == AWGN()
    assert lighthouse(_args_=[{"_target_": f"{__name__}.Lamp", "count": 4}]).lamp.count == 4


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"hight": 3}, "house: Lighthouse takes lamp, stairs, made, height, but no hight, did you mean height?"),
        ({"height": -1}, "house: height must be above 0 m, got -1.0"),
        ({"lamp": {"wats": 3}}, "house.lamp: Lamp takes lens, watts, count, but no wats, did you mean watts?"),
        ({"lamp": {"lens": {"focs": 3}}}, "house.lamp.lens: Lens takes focus, coatings, but no focs"),
        (
            {"stairs": [{"_target_": "channels.AGWN"}]},
            "house.stairs[0]: module channels has no AGWN, did you",
        ),
        ({"stairs": {"_target_": f"{__name__}.Lighthouse", "height": 0}}, "house.stairs: height must be above 0 m"),
        ({"stairs": {"_target_": "Lighthouse"}}, "house.stairs: _target_ must be module.Class, got 'Lighthouse'"),
        ({"stairs": {"_target_": "nowhere.Lamp"}}, "house.stairs: No module named 'nowhere'"),
        ({"stairs": {"_target_": "os.remove", "path": "x"}}, "house.stairs: "),
        ({"lamp": "???"}, "house needs a value: give house.lamp=VALUE"),
        ({"lamp": {"_target_": "???"}}, "house.lamp needs a value: give house.lamp._target_=VALUE"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_line_where_it_stands(values: dict[str, Any], said: str):
    with pytest.raises(ConfigurationError) as refused:
        lighthouse(**values)
    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)
