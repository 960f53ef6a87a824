"""What identifies a result."""

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch

from airdeliver import AnalogLink, DigitalLink, Execution, Link, Problem
from airdeliver.data import load_dataset
from airdeliver.links.analog.protection import BySize
from airdeliver.links.analog.receiver import MMSE, Laplacian
from airdeliver.links.digital.full import Full
from airdeliver.models import CNN
from airdeliver.task import Classification
from airdeliver.training import Training
from channels import AWGN
from experiments.command_line import read
from experiments.configuration import configure
from experiments.planner import Plan, plan
from experiments.store import source
from experiments.store.key import classes, code, describe, digest
from experiments.store.syntax import Parsed


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
    assert {"airdeliver.links.analog.link", "channels.awgn", "channels.base"} <= set(code("cell", description))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (AnalogLink("mmse"), AnalogLink(MMSE())),
        (AnalogLink("laplacian"), AnalogLink(Laplacian())),
        (AnalogLink(protection="size"), AnalogLink(protection=BySize())),
        (DigitalLink("full"), DigitalLink(Full())),
        (DigitalLink(state={"scale": 1}), DigitalLink(state='{"scale": 1}')),
    ],
)
def test_a_name_is_what_it_stands_for(one: Link, other: Link):
    assert one == other
    assert hash(one) == hash(other)
    assert describe(one) == describe(other)


def test_links_of_different_parts_differ():
    assert AnalogLink("mmse") != AnalogLink("laplacian")
    assert describe(AnalogLink()) != describe(AnalogLink(protection="equal"))
    assert (AnalogLink().fills, AnalogLink(protection="equal").fills) == (False, True)
    assert replace(AnalogLink("laplacian"), design_snr_db=3.0) == AnalogLink(Laplacian(), design_snr_db=3.0)


def test_one_more_field_with_a_default_changes_no_description():
    def shelf(**more: object) -> type:
        body = {"__annotations__": {"depth": float, **dict.fromkeys(more, object)}, **more}
        return dataclass(frozen=True)(type("Shelf", (), {"__module__": __name__, "__qualname__": "Shelf", **body}))

    before, after = shelf(), shelf(colour="red", things=field(default_factory=tuple), link=AnalogLink())
    assert describe(before(2)) == describe(after(2)) == describe(after(2, link=AnalogLink("mmse")))
    assert describe(after(2, colour="blue")) != describe(after(2))


OUTSIDE = ("airdeliver.links", "airdeliver.compression", "airdeliver.schemes", "channels")
"""What a clean training must not depend on."""


def test_a_clean_training_depends_on_no_link():
    problem = Problem(Classification(load_dataset("digits")), CNN(), execution=Execution(3, 1))
    description = describe(Training.clean(problem))
    assert not [name for name in (*classes(description), *code("training", description)) if name.startswith(OUTSIDE)]


def planned() -> Plan:
    return plan(configure(read(["scheme=[clean]", "snr_db=[2]"])))


@pytest.mark.parametrize(
    "edited",
    [
        "airdeliver.links.analog.receiver.linear",
        "airdeliver.links.analog.link",
        "airdeliver.links.base",
        "channels.awgn",
    ],
)
def test_editing_a_receiver_a_link_or_a_channel_retrains_no_clean_network(edited: str, monkeypatch: pytest.MonkeyPatch):
    before = planned()
    edit(edited, monkeypatch)
    after = planned()
    source.forget()
    assert [training.key for training in after.trainings] == [training.key for training in before.trainings]
    assert after.cells[0].stage.key != before.cells[0].stage.key


def test_editing_what_a_network_is_trained_with_retrains_it(monkeypatch: pytest.MonkeyPatch):
    before = planned()
    edit("airdeliver.training.fit", monkeypatch)
    after = planned()
    source.forget()
    assert {training.key for training in after.trainings}.isdisjoint(training.key for training in before.trainings)


def edit(edited: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every definition in a module becomes another."""
    parsed = source.parsed

    def read(module: str) -> Parsed:
        found = parsed(module)
        if module != edited:
            return found
        parts = {name: replace(part, digest="edited") for name, part in found.parts.items()}
        return replace(found, parts=parts, rest=replace(found.rest, digest="edited"))

    monkeypatch.setattr(source, "parsed", read)
    source.forget()
