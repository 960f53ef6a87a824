"""A scheme of one's own: what it answers is what was asked for, or one line says what is wrong."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from airdeliver import AnalogLink, Problem
from airdeliver.asked import PieceError
from airdeliver.conformance import ConformanceError, check
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.package import Choice, Package
from airdeliver.schemes import Clean
from airdeliver.schemes.answers import (
    about_of,
    check_repeats,
    misfit_of,
    packed_by,
    sent_by,
    served_by,
    trainings_of,
)
from airdeliver.task import Classification
from channels import AWGN, Rayleigh

USES = 1500
PROBLEM = Problem(Classification(load_dataset("digits")), CNN())


@dataclass(frozen=True)
class Own(Clean):
    """Sends an untrained matrix, and whatever functions make of its answers.

    Args:
        changes: by the name of a method, from its answer to another.
    """

    changes: Any = None

    def _changed(self, method, answer):
        change = (self.changes or {}).get(method)
        return answer if change is None else change(answer)

    def about(self):
        return self._changed("about", super().about())

    def misfit(self, problem, channel_uses):
        return self._changed("misfit", None)

    def serves(self, task):
        return self._changed("serves", task)

    def trainings(self, problem, channel_uses):
        return self._changed("trainings", super().trainings(problem, channel_uses))

    def pack(self, problem, trained, channel_uses):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
        return self._changed("pack", Package((Choice.of(model, AnalogLink(), self.normalisation),), self.normalisation))

    def send(self, *args, **kwargs):
        return self._changed("send", super().send(*args, **kwargs))


def broken(answer):
    raise RuntimeError("two\nlines")


class Leaving(BaseException):
    """Passes whoever catches `Exception` alone."""


def leaving(error):
    def left(answer):
        raise error

    return left


def sent(scheme, realizations=3, seed=0, channel=None):
    package = packed_by(scheme, PROBLEM, {}, USES)
    return sent_by(scheme, package, channel or AWGN(), 10.0, USES, "average", realizations, seed)


def with_uses(change):
    def changed(delivery):
        groups = (replace(g, decoded=replace(g.decoded, uses=change(g.decoded.uses))) for g in delivery.groups)
        return replace(delivery, groups=tuple(groups))

    return changed


def renumbered(change):
    return lambda d: replace(d, groups=tuple(replace(g, realizations=change(g.realizations)) for g in d.groups))


PLANNED = [
    ("about", lambda x: "Mine", "about of Own must give an About, got str"),
    ("about", broken, "about of Own fails (RuntimeError: two lines)"),
    ("trainings", lambda x: None, "trainings of Own must be a tuple of Training, got None"),
    ("trainings", lambda x: ("clean",), "trainings of Own must be a tuple of Training"),
    ("trainings", broken, "trainings of Own fails (RuntimeError: two lines)"),
    ("misfit", lambda x: False, "misfit of Own must be a reason in words, or None, got False"),
    ("misfit", lambda x: "", "misfit of Own must be a reason in words"),
    ("serves", lambda x: None, "serves of Own must give a task, got NoneType"),
]


@pytest.mark.parametrize(("method", "change", "words"), PLANNED)
def test_what_cannot_be_planned_is_one_line(method, change, words):
    scheme = Own(changes={method: change})
    asked = {
        "about": lambda: about_of(scheme),
        "trainings": lambda: trainings_of(scheme, PROBLEM, USES),
        "misfit": lambda: misfit_of(scheme, PROBLEM, USES),
        "serves": lambda: served_by(scheme, PROBLEM.task),
    }
    with pytest.raises(ValueError, match="Own") as told:
        asked[method]()
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    with pytest.raises(ConformanceError, match="Own"):
        check(scheme, problem=PROBLEM, symbols=USES)


SENT = [
    ("pack", lambda x: None, "Own.pack must return a Package, got NoneType"),
    ("pack", lambda x: replace(x, choices=()), "at least one Choice"),
    ("send", lambda x: None, "send of Own must give a Delivery, got NoneType"),
    ("send", broken, "send of Own fails (RuntimeError: two lines)"),
    ("send", with_uses(lambda uses: 3 * uses), "channel uses where 1,500 were given"),
    ("send", with_uses(lambda uses: 0 * uses), "Own.send spent 0 channel uses"),
    ("send", with_uses(lambda uses: -uses), "Own.send spent -"),
    ("send", renumbered(lambda numbers: numbers + 1), "realizations 0 to 2, each once, got 3"),
    ("send", renumbered(lambda numbers: 0 * numbers), "each once"),
    ("send", lambda x: replace(x, seed=7), "from seed 7, not from 0"),
    ("send", lambda x: replace(x, conditions=None), "must say what its delivery met"),
    ("pack", leaving(SystemExit(0)), "pack of Own fails (SystemExit: 0)"),
    ("send", leaving(SystemExit()), "send of Own fails (SystemExit: )"),
    ("send", leaving(Leaving("off")), "send of Own fails (Leaving: off)"),
]


@pytest.mark.parametrize(("method", "change", "words"), SENT)
def test_another_delivery_than_was_asked_for_is_one_line(method, change, words):
    with pytest.raises(ValueError, match="Own") as told:
        sent(Own(changes={method: change}))
    assert words in str(told.value)
    assert "\n" not in str(told.value)


@dataclass(frozen=True)
class Elsewhere(Own):
    """Sends under other conditions than those that it is asked for.

    Args:
        where: what it sends under, by name of an argument.
    """

    where: Any = None

    def send(self, package, channel, snr_db, channel_uses, knowledge, realizations, seed, device="cpu"):
        met = {"channel": channel, "snr_db": snr_db, "knowledge": knowledge, **self.where}
        return super().send(package, channel_uses=channel_uses, realizations=realizations, seed=seed, **met)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"snr_db": 20.0}, "send of Elsewhere sends at 20 dB, not at 10 dB"),
        ({"channel": Rayleigh()}, "receive_antennas=1), not over AWGN()"),
        ({"knowledge": "instantaneous"}, "sends with knowledge instantaneous, not average"),
    ],
)
def test_other_conditions_than_the_table_says_are_one_line(where, words):
    with pytest.raises(PieceError) as told:
        sent(Elsewhere(where=where))
    assert words in str(told.value)
    assert sent(Elsewhere(where={"knowledge": "none"})).conditions.knowledge == "none"


def test_an_interrupt_is_the_users():
    with pytest.raises(KeyboardInterrupt):
        sent(Own(changes={"send": leaving(KeyboardInterrupt())}))


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 40), st.integers(0, 9), st.sampled_from([AWGN(), Rayleigh()]))
def test_sound_ones_pass(realizations, seed, channel):
    delivery = sent(Own(), realizations, seed, channel)
    assert delivery.realizations == realizations
    check_repeats(Own(), packed_by(Own(), PROBLEM, {}, USES), packed_by(Own(), PROBLEM, {}, USES))


def test_a_package_that_is_another_when_asked_again_is_told():
    scheme = Own()
    one = packed_by(scheme, PROBLEM, {}, USES)
    choice = one.choices[0]
    moved = replace(choice, payload=replace(choice.payload, values=choice.payload.values + 1))
    for other, words in (
        (replace(one, choices=(moved,)), "values"),
        (replace(one, choices=(choice, choice)), "number of choices"),
        (replace(one, choices=(replace(choice, link=AnalogLink("zero_forcing")),)), "link"),
    ):
        with pytest.raises(ValueError, match=rf"pack of Own gives another package when asked again \({words}\)"):
            check_repeats(scheme, one, other)


@dataclass(frozen=True)
class Promising(Choice):
    """Promises whatever it is given."""

    promise: Any = None

    def prospect(self, knowledge, symbols):
        return self.promise


def two(promise):
    """A package of two choices, the first of which promises something."""

    def changed(package):
        choice = package.choices[0]
        sent = (choice.architecture, choice.model, choice.payload, choice.link)
        return replace(package, choices=tuple(Promising(*sent, promise=p) for p in (promise, torch.tensor([0.5]))))

    return Own(changes={"pack": changed})


@pytest.mark.parametrize(
    ("promise", "words"),
    [
        (torch.tensor([torch.nan]), "Promising promises nan"),
        (torch.tensor([torch.inf]), "Promising promises inf"),
        (0.7, "got float"),
        (None, "got NoneType"),
        (torch.tensor([[0.7]]), "got torch.float32 of shape (1, 1)"),
        (torch.zeros(0), "got torch.float32 of shape (0,)"),
        (torch.tensor([1]), "got torch.int64"),
    ],
)
def test_no_sender_compares_with_what_is_no_score(promise, words):
    with pytest.raises(ValueError, match="Promising") as told:
        sent(two(promise))
    assert words in str(told.value)


@pytest.mark.parametrize("promise", [torch.tensor([-torch.inf]), torch.tensor([-3.0]), torch.tensor(0.7)])
def test_scores_below_0_are_promises(promise):
    assert sent(two(promise)).realizations == 3


class Picking(Package):
    """Chooses whatever it is told to."""

    def select(self, knowledge, symbols):
        return PICKED[0]


PICKED: list[Any] = [None]


@pytest.mark.parametrize(
    ("picked", "words"),
    [
        (torch.tensor([7]), "indices from 0 to 0, got [7]"),
        (torch.tensor([-1]), "indices from 0 to 0, got [-1]"),
        (torch.tensor([0.2]), "got torch.float32"),
        (torch.zeros(5, dtype=torch.int64), "one for each of 3 realizations, got 5"),
        (None, "got None"),
    ],
)
def test_what_is_no_choice_is_one_line(picked, words):
    PICKED[0] = picked
    picking = Own(changes={"pack": lambda p: Picking(p.choices, p.normalisation)})
    with pytest.raises(PieceError, match=r"Picking\.select") as told:
        sent(picking)
    assert words in str(told.value)


def test_values_in_another_order_than_the_network_are_told():
    def turned(package):
        choice = package.choices[0]
        layout = replace(choice.payload.layout, segments=choice.payload.layout.segments[::-1])
        return replace(package, choices=(replace(choice, payload=replace(choice.payload, layout=layout)),))

    with pytest.raises(ValueError, match=r"in another order than the network that is told of, from 1\.bias on"):
        sent(Own(changes={"pack": turned}))


def test_the_test_split_chooses_nothing():
    sealed = load_dataset("digits").sealed
    assert len(sealed.test) == len(load_dataset("digits").test)
    assert sealed.fingerprint == load_dataset("digits").fingerprint
    for look in (lambda s: s.take(torch.arange(2)), lambda s: s.labels, lambda s: s.inputs, lambda s: s.to("cpu")):
        with pytest.raises(ValueError, match="chooses nothing"):
            look(sealed.test)
