"""Pieces that ship pass; one wrong thing in any of them is told in a line that names it."""

from dataclasses import dataclass

import pytest
import torch

from airdeliver import AnalogLink, CapacityLink, DigitalLink, Execution, Problem
from airdeliver.compression.quantisers import LSQ, RateDistortion, Signs
from airdeliver.conformance import Bench, ConformanceError, check, faults, parts
from airdeliver.data import load_dataset
from airdeliver.links import LayeredLink, MixedLink
from airdeliver.links.analog import MMSE, Hadamard, Laplacian, Mixture, Repetition, ZeroForcing
from airdeliver.links.analog.protection import Both, ByExpansion, ByPower, BySize, Equal
from airdeliver.links.digital import Abstraction, Adaptive, Full
from airdeliver.links.digital.outer_loop import OuterLoop
from airdeliver.models import CNN
from airdeliver.schemes import AirNet, AirNetSpectrum, Clean, Digital, Noise, SeparateNetworks
from airdeliver.task import Classification, task_of
from channels import AWGN, Rayleigh
from tests.airdeliver.conformance import broken

SHIPPED = [
    Repetition(1), Repetition(3), Hadamard(1), MMSE(), ZeroForcing(), Laplacian(), Mixture(), Equal(), BySize(),
    ByExpansion(), ByPower(), Both(), LSQ(), RateDistortion(), Signs(), AnalogLink(),
    AnalogLink("mixture", expansion=Repetition(2), protection="both"), DigitalLink(), CapacityLink(), Rayleigh(),
]  # fmt: skip


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem(Classification(load_dataset("digits")), CNN(), execution=Execution(seed=0))


@pytest.mark.parametrize("piece", SHIPPED, ids=lambda piece: f"{piece}"[:60])
def test_pieces_that_ship_keep_their_contracts(piece):
    check(piece, snr_db=(-5.0, 20.0))


def test_schemes_that_ship_keep_theirs(problem):
    for scheme in (Clean(), Noise(), AirNet(), Digital(), AirNetSpectrum(), SeparateNetworks()):
        assert not list(faults(scheme, Bench(), symbols=8000, problem=problem))


@pytest.mark.parametrize("name", ["digits", "digit_scenes", "diabetes", "digits_and_ink"])
def test_tasks_that_ship_keep_theirs(name):
    check(task_of(load_dataset(name)))


@pytest.mark.parametrize(("piece", "words"), list(broken.every()), ids=lambda item: type(item).__name__)
def test_one_wrong_thing_is_told(piece, words, problem):
    with pytest.raises(ConformanceError) as told:
        check(piece, snr_db=(0.0, 10.0), problem=problem)
    assert words in str(told.value)
    assert all(fault == " ".join(fault.split()) for fault in told.value.faults)


def test_wrong_scores_are_told():
    for task, words in ((broken.Generous, "for every example, got 0 to 100"), (broken.Floorless, "floor is -1")):
        with pytest.raises(ConformanceError, match=words):
            check(task(load_dataset("digits")))


def test_a_task_need_not_look_for_outputs_that_are_not_finite():
    """Whoever asks it does."""
    check(broken.Forgiving(load_dataset("digits")))


def test_parts_come_before_the_whole():
    found = [name for name, _ in parts(Noise(train_channel=AWGN()))]
    assert found == ["link.receiver", "link.protection", "link", "train_channel", ""]


@dataclass(frozen=True)
class Renamed(DigitalLink):
    """A link of one's own that goes on from one of ours."""


@dataclass(frozen=True)
class Careless(Abstraction):
    """A layer of one's own that does."""


@dataclass(frozen=True)
class Trusting(OuterLoop):
    """A loop of one's own."""


def test_what_is_examined_in_the_place_of_a_link_is_the_same_but_for_what_takes_long():
    """Ours and a stranger's alike; what the stranger has written stays."""
    believing, ours = Adaptive(outer_loop=None), DigitalLink("abstraction")
    for link in (ours, Renamed("abstraction")):
        stands = link.stand_in()
        assert type(stands) is type(link)
        assert (stands.phy, stands.adaptation, stands.quantiser) == (Full(), believing, link.quantiser)
    kept = DigitalLink(Careless(), adaptation=Adaptive(outer_loop=Trusting()))
    assert kept.stand_in() is kept
    assert MixedLink(ours).stand_in().base == LayeredLink((ours,), (1.0,)).stand_in().links[0] == ours.stand_in()
    assert AnalogLink().stand_in() == AnalogLink()


def test_what_is_none_of_these_is_refused():
    with pytest.raises(TypeError, match="cannot check Linear: expected Channel, Link"):
        check(torch.nn.Linear(1, 1))
