"""Variants and classes of one's own, named where they are asked for."""

from dataclasses import dataclass

import pytest

from airdeliver.links.analog import Mixture, ZeroForcing
from channels import AWGN, Rayleigh
from experiments.command_line import read
from experiments.configuration import configure
from experiments.planner import plan

HERE = __name__


@dataclass(frozen=True)
class Dull(AWGN):
    """A channel of one's own."""

    depth: int = 1


@dataclass(frozen=True)
class Duller(AWGN):
    """Another."""


def test_variants_are_derived_in_place_and_say_what_they_change():
    given = "scheme=[clean, mine: clean + link.receiver=zero_forcing, other: noise + train_snr_db=[0,5] + "
    sweep = configure(read([given + "link={receiver: mixture, protection: size}]", "snr_db=[0]", "preset=demo"]))
    assert list(sweep.schemes) == ["clean", "mine", "other"]
    assert sweep.schemes["mine"].link.receiver == ZeroForcing()
    assert sweep.schemes["other"].link.receiver == Mixture()
    assert sweep.schemes["other"].train_snr_db == (0.0, 5.0)
    assert [sweep.about(name).title for name in sweep.schemes] == ["Clean training", "Mine", "Other"]
    told = {cell.scheme: cell.overrides for cell in plan(sweep).cells}
    assert list(told) == ["clean", "mine", "other"]


def test_several_classes_of_ones_own_in_one_command():
    given = f"channel=[awgn, fast: rayleigh + coherence=1, {HERE}.Dull, deep: {HERE}.Dull + depth=3, {HERE}.Duller]"
    sweep = configure(read([given, "scheme=[clean]"]))
    assert sweep.channels == {
        "awgn": AWGN(), "fast": Rayleigh(coherence=1), "Dull": Dull(), "deep": Dull(3), "Duller": Duller(),
    }  # fmt: skip


def test_a_scheme_of_ones_own_beside_variants():
    sweep = configure(read(["scheme=[plain: airdeliver.schemes.Clean + title=Plain, clean]"]))
    assert list(sweep.schemes) == ["plain", "clean"]
    assert sweep.about("plain").title == "Plain"


def test_of_several_lists_the_last_counts():
    sweep = configure(read(["channel=[awgn,rayleigh]", "channel=[rician]", f"channel._target_={HERE}.Dull"]))
    assert list(sweep.channels) == ["rician", "Dull"]


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("scheme=[mine: clan]", "unknown scheme 'clan', did you mean clean?"),
        ("scheme=[clean + link.receiver=mmse]", "needs a name of its own"),
        ("scheme=[a: clean, a: noise]", "has a name twice"),
        ("scheme=[a: clean + receiver]", "cannot read 'receiver' in scheme: expected NAME: BASE"),
        ("scheme=[a: clean + link.reciever=mmse]", "did you mean receiver?"),
        ("scheme=[a: {b: c}]", "cannot read 'a: {b: c}'"),
        ("channel=[x: nowhere.Channel]", "No module named 'nowhere'"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_line(argument, line):
    with pytest.raises(SystemExit) as told:
        configure(read([argument]))
    assert line in str(told.value)
