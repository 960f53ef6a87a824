"""What identifies a result."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import torch

from airdeliver import AnalogLink
from channels import AWGN
from experiments.store.key import classes, code, describe, digest


@dataclass(frozen=True)
class Shelf:
    """Holds things."""

    depth: float
    things: tuple = ()
    width: int = field(init=False, default=3)


@dataclass(frozen=True)
class Recording:
    """Reads a file."""

    path: str | Path


class Plain:
    """No dataclass."""

    def __init__(self, depth: float) -> None:
        self.depth = depth


def test_description_is_class_and_constructor_fields():
    kind = f"{Shelf.__module__}.Shelf"
    assert describe(Shelf(0.5, (AWGN(),))) == {
        "class": kind, "depth": 0.5, "things": [{"class": "channels.awgn.AWGN"}],
    }  # fmt: skip


def test_equal_numbers_have_equal_descriptions():
    assert describe(Shelf(5.0)) == describe(Shelf(5))
    assert describe(float("inf")) == "inf"
    assert describe(True) is True


def test_plain_objects_and_tensors_are_told_apart_by_content():
    assert describe(Plain(1.5)) == describe(Plain(1.5)) != describe(Plain(2.5))
    assert describe(torch.zeros(3)) == describe(torch.zeros(3)) != describe(torch.zeros(4))


def test_a_file_is_its_content_wherever_it_lies(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(b"gains")
    assert describe(Recording(tmp_path / "one")) == describe(Recording(str(tmp_path / "two")))
    (tmp_path / "two").write_bytes(b"other gains")
    assert describe(Recording(tmp_path / "one")) != describe(Recording(tmp_path / "two"))


def test_order_of_a_mapping_does_not_matter():
    assert digest(describe({"a": 1, "b": 2})) == digest(describe({"b": 2, "a": 1}))


def test_what_has_no_description_is_refused():
    with pytest.raises(TypeError, match="use a dataclass"):
        describe(Plain(object()))  # type: ignore[arg-type]


def test_code_holds_the_modules_of_all_classes():
    description = describe({"link": AnalogLink(), "channel": AWGN()})
    assert set(classes(description)) == {"airdeliver.links.analog.link.AnalogLink", "channels.awgn.AWGN"} | {
        name for name in classes(description) if "analog" in name
    }
    assert {"airdeliver.links.analog.link", "channels.awgn", "channels.base"} <= set(code(description))
