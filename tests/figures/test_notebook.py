"""A sweep in one call: the numbers of `deliver` and `evaluate`, in the columns of tables, with their figure."""

from dataclasses import dataclass

import pytest
import torch

from airdeliver import AnalogLink, DigitalLink, deliver, evaluate
from airdeliver.conformance import ConformanceError
from channels import AWGN, Rayleigh
from experiments.earlier import CELL
from figures import sweep

MODEL = torch.nn.Sequential(torch.nn.Linear(16, 4))
INPUTS = torch.randn(50, 16, generator=torch.Generator().manual_seed(0))
LABELS = MODEL(INPUTS).argmax(1)
DATA = {"inputs": INPUTS, "targets": LABELS, "realizations": 3}


def test_every_combination_has_a_row_with_the_numbers_of_one_delivery():
    links = {"plain": AnalogLink(), "zero forcing": AnalogLink("zero_forcing")}
    found = sweep(MODEL, links, [AWGN(), Rayleigh()], snr_db=[0, 10], channel_uses=[2000], seeds=[0, 1], **DATA)
    assert len(found.table) == 2 * 2 * 2 * 2
    assert not found.table.duplicated(list(CELL)).any()
    row = found.table[found.table[list(CELL)].eq(
        ["notebook", "zero forcing", "given", "Sequential", "Rayleigh", "average", 10.0, 2000, 1]
    ).all(axis=1)].iloc[0]  # fmt: skip
    report = evaluate(deliver(MODEL, links["zero forcing"], Rayleigh(), 10.0, 2000, 3, seed=1), INPUTS, LABELS)
    assert (row["accuracy"], row["accuracy_low"], row["accuracy_high"]) == (report.accuracy, report.low, report.high)
    assert [axes.get_title() for axes in found.figure.axes] == ["AWGN", "Rayleigh"]
    assert found._repr_html_().startswith('<img src="data:image/png;base64,')


@pytest.mark.parametrize(("name", "meant"), [("labels", "targets"), ("snr", "snr_db"), ("seed", "seeds")])
def test_an_argument_that_there_is_not_names_the_one_that_is_meant(name, meant):
    with pytest.raises(TypeError, match=f"sweep has no argument '{name}': did you mean {meant}?"):
        sweep(MODEL, AnalogLink(), AWGN(), snr_db=0, inputs=INPUTS, **{name: LABELS})
    with pytest.raises(TypeError, match="it has model, links, channels, snr_db"):
        sweep(MODEL, AnalogLink(), AWGN(), snr_db=0, inputs=INPUTS, zzz=1)


def test_budgets_are_multiples_and_holes_where_they_are_too_small():
    found = sweep(
        MODEL, [AnalogLink(), DigitalLink("capacity")], AWGN(), snr_db=20, channel_uses=["1x", "0.7x"], **DATA
    )
    assert set(found.table["title"]) == {"Analog link", "Digital link"}
    (hole,) = found.table.attrs["holes"]
    assert (hole["scheme"], hole["snr_db"]) == ("AnalogLink", 20.0)
    assert found.figure.axes[0].get_xlabel().startswith("channel uses")
    labels = [text.get_text() for text in found.figure.legends[0].get_texts()]
    assert set(labels) == {"Analog link", "Digital link", "does not fit"}
    below = " ".join(found.figure.get_supxlabel().split())
    assert "0.7x is 203 channel uses, 1x is 290 channel uses; 1x: what the model costs, sent analog as it is" in below


def test_what_is_printed_shows_the_accuracies():
    found = sweep(MODEL, AnalogLink(), AWGN(), snr_db=[0, 10], channel_uses=["0.1x", "1x"], **DATA)
    told = str(found)
    assert "accuracy (%)  accuracy_low (%)  accuracy_high (%)" in told.splitlines()[0]
    assert "2 more do not fit: " in told.splitlines()[-1]
    assert len(told.splitlines()) == 4
    wide = found.table.to_string(max_cols=6).splitlines()[0].split()
    assert wide == ["title", "channel", "snr_db", "...", "accuracy", "accuracy_low", "accuracy_high"]


def test_one_budget_is_told_once():
    found = sweep(MODEL, AnalogLink(), AWGN(), snr_db=[0, 10], **DATA)
    assert found.figure.get_supxlabel().endswith("budget: 1x of what the model costs, sent analog as it is")


def test_ticks_stand_where_something_was_measured():
    found = sweep(MODEL, AnalogLink(), AWGN(), snr_db=[0, 10], **DATA)
    assert list(found.figure.axes[0].get_xticks()) == [0.0, 10.0]


def test_nothing_fits():
    found = sweep(MODEL, AnalogLink(), AWGN(), snr_db=0, channel_uses=5, **DATA)
    assert (len(found.table), found.figure, len(found.table.attrs["holes"])) == (0, None, 1)
    assert "<table" in found._repr_html_()


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"links": AnalogLink}, "links must be an object of class Link, got the class AnalogLink itself"),
        ({"channels": "awgn"}, "channels must be an object of class Channel, got 'awgn'"),
        ({"channels": []}, "channels must be one Channel at least"),
        ({"snr_db": "five"}, "snr_db must be one number of dB, got 'five'"),
        ({"snr_db": []}, "snr_db must have one value at least"),
        ({"snr_db": [5, 5.0]}, "snr_db has 5.0 twice"),
        ({"channel_uses": "half"}, "multiples such as 1x or 0.5x, got 'half'"),
        ({"channel_uses": "-1x"}, "multiples such as 1x or 0.5x, got '-1x'"),
    ],
)
def test_what_cannot_be_meant_is_refused(unchecked, changed, line):
    given = {"links": AnalogLink(), "channels": AWGN(), "snr_db": 0.0, **DATA, **changed}
    with pytest.raises((TypeError, ValueError)) as told:
        sweep(MODEL, **given)
    assert line in str(told.value)


@dataclass(frozen=True)
class Optimistic(AWGN):
    """Three decibels better than it says."""

    def realize(self, realizations, n, snr_db, generator):
        return super().realize(realizations, n, snr_db + 3.0, generator)


def test_a_channel_of_ones_own_is_examined_unless_nobody_wants_it():
    given = {"snr_db": 10.0, "channel_uses": "1x", **DATA}
    with pytest.raises(ConformanceError, match="Optimistic"):
        sweep(MODEL, AnalogLink(), Optimistic(), **given)
    assert len(sweep(MODEL, AnalogLink(), Optimistic(), conformance=False, **given).table) == 1
