"""Selection: best at the SNR, best in expectation over its error."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.links import Knowledge
from airdeliver.spectrum import AccuracyTable, SelectingPackage, Selection
from airdeliver.spectrum.package import effective_snr_db
from channels import AWGN, Multicast, Rayleigh
from channels.base import ChannelState


@st.composite
def tables(draw):
    """Two to five members at two to eight SNRs."""
    snrs = sorted(draw(st.sets(st.integers(-10, 25), min_size=2, max_size=8)))
    row = st.lists(st.floats(0, 1), min_size=len(snrs), max_size=len(snrs))
    return AccuracyTable(tuple(map(float, snrs)), torch.tensor(draw(st.lists(row, min_size=2, max_size=5))))


@settings(deadline=None, derandomize=True, max_examples=100)
@given(tables(), st.lists(st.floats(-15, 30), min_size=1, max_size=5))
def test_with_perfect_knowledge_never_below_a_single_member(table, levels):
    snr_db = torch.tensor(levels)
    chosen = Selection().choose(table, snr_db)
    accuracy = table.at(snr_db)
    assert torch.equal(accuracy.gather(0, chosen.unsqueeze(0))[0], accuracy.amax(0))


@settings(deadline=None, derandomize=True, max_examples=100)
@given(tables(), st.floats(0.5, 6), st.floats(-15, 30))
def test_the_expected_rule_is_at_least_as_good_as_the_naive_one(table, error_db, level):
    """In expected accuracy over the error, here by a fine grid of its own: up to what 21 nodes cannot see."""
    snr_db = torch.tensor([level])
    error = torch.linspace(-6, 6, 4001, dtype=torch.float64)
    weight = torch.exp(-error.square() / 2)
    expected = (table.at(level + error_db * error) * weight).sum(-1) / weight.sum()
    naive, robust = (int(Selection(e).choose(table, snr_db)) for e in (0.0, error_db))
    own = Selection(error_db).expected(table, snr_db)[:, 0]
    assert own[robust] >= own[naive]
    # A kink of the table between two nodes costs at most a share of the largest step of accuracy.
    assert expected[robust] >= expected[naive] - 0.1


def test_a_linear_table_is_averaged_exactly():
    """The mean of a straight line over a symmetric error is its value; the quadrature knows."""
    table = AccuracyTable((-100.0, 100.0), torch.tensor([[0.0, 1.0]]))
    value = Selection(error_db=3.0).expected(table, torch.tensor([10.0]))
    assert float(value) == pytest.approx(0.55, abs=1e-6)


CLIFF = AccuracyTable((-5.0, 0.0, 5.0, 10.0), torch.tensor([[0.6, 0.65, 0.66, 0.67], [0.1, 0.2, 0.7, 0.8]]))


def test_an_uncertain_sender_keeps_away_from_the_cliff():
    """At 5 dB the large member is better, but 3 dB less would break it."""
    at = torch.tensor([5.0])
    assert int(Selection().choose(CLIFF, at)) == 1
    assert int(Selection(error_db=3.0).choose(CLIFF, at)) == 0


def test_bad_tables_and_rules_are_refused():
    with pytest.raises(ValueError, match="increasing SNRs"):
        AccuracyTable((0.0, 0.0), torch.zeros(1, 2))
    with pytest.raises(ValueError, match="0 or more"):
        Selection(error_db=-1.0)


def package(known) -> SelectingPackage:
    sent = known.package
    return SelectingPackage(sent.choices[:2], sent.normalisation, table=CLIFF, design_snr_db=10.0)


def test_knowledge_decides_what_the_choice_rests_on(known):
    """None: the design SNR; average: the distribution of the fading; instantaneous: each realization."""
    held = package(known)
    assert held.select(Knowledge("none"), 8701).tolist() == [1]
    assert held.select(Knowledge("average", 10.0, AWGN()), 8701).tolist() == [1]
    assert held.select(Knowledge("average", -5.0, AWGN()), 8701).tolist() == [0]
    fading = Rayleigh()
    # At 7 dB a fade below the cliff is too likely: the small member has the better mean.
    assert held.select(Knowledge("average", 7.0, AWGN()), 8701).tolist() == [1]
    assert held.select(Knowledge("average", 7.0, fading), 8701).tolist() == [0]
    state = fading.realize(64, 8701, 7.0, torch.Generator().manual_seed(0))
    chosen = held.select(Knowledge("instantaneous", 7.0, fading, state), 8701)
    crossing = 4.5
    decided = (effective_snr_db(state) - crossing).abs() > 0.5
    assert torch.equal(chosen[decided] == 1, (effective_snr_db(state) > crossing)[decided])
    assert 0 < int(chosen.sum()) < 64


def test_receivers_of_one_transmission_get_one_choice(known):
    """The best mean: one receiver below the cliff loses more than the other gains."""
    channel = Multicast(AWGN(), receivers=2, cell=None, offsets_db=(0.0, -8.0))
    generator = torch.Generator().manual_seed(0)
    states = channel.realize(3, 10, torch.tensor([6.0, 25.0, -5.0]), generator)
    chosen = package(known).select(Knowledge("instantaneous", 6.0, channel, states), 8701)
    assert chosen.tolist() == [0, 0, 1, 1, 0, 0]
    assert package(known).select(Knowledge("average", 6.0, channel), 8701).tolist() == [0]


def test_the_effective_snr_has_the_same_capacity():
    gain = torch.tensor([[1.0, 0.5]]) + 0j
    state = ChannelState(gain, torch.tensor([[0.1]]))
    capacity = (torch.log2(torch.tensor(11.0)) + torch.log2(torch.tensor(3.5))) / 2
    assert float(effective_snr_db(state)) == pytest.approx(float(10 * torch.log10(2**capacity - 1)), abs=1e-4)
