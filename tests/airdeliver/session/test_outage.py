"""Slow Rayleigh fading with a fade a round: what is lost after some rounds is what closed forms say."""

import math

import numpy as np
import pytest
import torch
from scipy.special import gammainc
from torch import nn

from airdeliver import AnalogLink, DigitalLink
from airdeliver.links.digital import FixedGrade
from airdeliver.links.digital.gathering.ideal import IdealGathered
from airdeliver.links.digital.physical_layer import information
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.session import HARQ, Repetition, converse
from channels import AWGN, Rayleigh
from channels.base import ChannelState

SNR = 2.0
SNR_DB = 10 * math.log10(SNR)
RATE = 2.0


def sent(link, session, realizations, snr_db=SNR_DB, channel=None, uses=16_000):
    torch.manual_seed(0)
    kind = Normalisation("receiver")
    package = Package((Choice.of(nn.Linear(20, 30), link, kind),), kind)
    return converse(package, session, channel or Rayleigh(), snr_db, uses, "average", realizations, 0)


def outage_of_chase(rounds: int, rate: float) -> float:
    """P(sum of exponentials of mean SNR < 2^R - 1): the regularised incomplete gamma function."""
    return float(gammainc(rounds, (2**rate - 1) / SNR))


def outage_of_redundancy(rounds: int, rate: float) -> float:
    """P(sum of log2(1 + SNR g) < R), by convolution of the law of one round on a fine grid."""
    grid = np.linspace(0, rate, 4001)
    law = 1 - np.exp(-(2**grid - 1) / SNR)
    step = np.diff(law)
    total = step
    for _ in range(rounds - 1):
        total = np.convolve(total, step)[: len(step)]
    # Each factor stands for the middle of its cell.
    ends = (np.arange(len(step)) + rounds / 2) / len(step)
    return float(np.interp(1.0, ends, np.cumsum(total) - total / 2))


@pytest.mark.parametrize(("combining", "law"), [("chase", outage_of_chase), ("redundancy", outage_of_redundancy)])
def test_outage_after_each_round_meets_theory(combining, law):
    """Within 3 standard errors, after 1 to 4 rounds."""
    n, noise = 40_000, torch.Generator().manual_seed(0)
    gathered = IdealGathered(b"", 1, RATE, combining, n, lambda channel, state, _: information(state, 1))
    for number in range(4):
        state = Rayleigh().realize(n, 1, 10 * math.log10(SNR), noise)
        gathered.hear(number, gathered.lacking, Rayleigh(), state, noise)
        expected = law(number + 1, RATE)
        error = math.sqrt(expected * (1 - expected) / n)
        assert abs(float(gathered.lacking.double().mean()) - expected) < 3 * error


def test_one_round_of_either_kind_is_the_same():
    assert outage_of_redundancy(1, RATE) == pytest.approx(outage_of_chase(1, RATE), abs=1e-3)


@pytest.mark.parametrize(("combining", "law"), [("chase", outage_of_chase), ("redundancy", outage_of_redundancy)])
def test_a_session_is_in_outage_as_often(combining, law):
    """The whole way, from a network to what of it is usable, at the rate that was chosen; within 3 standard errors."""
    link = DigitalLink("capacity", adaptation=FixedGrade(8.0), bits_per_value=4.0)
    delivery = sent(link, HARQ(rounds=2, combining=combining), 128)
    rate = link.phy.efficiency(delivery.groups[0].plan.grade)
    expected = 1 - law(2, rate)
    assert abs(delivery.usable - expected) < 3 * math.sqrt(expected * (1 - expected) / 128)


def test_the_error_of_repeated_values_is_that_of_the_sum_of_their_snrs():
    """1 / (1 + sum of SNRs) of a value's variance, in the mean over values: within 4 standard errors."""
    for rounds in (1, 3):
        delivery = sent(AnalogLink(), Repetition(rounds=rounds, enough=2.0), 32, channel=AWGN())
        group = delivery.groups[0]
        torch.manual_seed(0)
        truth = torch.cat([p.detach().flatten() for p in nn.Linear(20, 30).parameters()])
        error = (group.decoded.values - truth).square()[:, :600].mean()
        expected = float(group.plan.scale[0]) ** 2 / (1 + rounds * SNR)
        assert float(error) == pytest.approx(expected, rel=4 * math.sqrt(2 / (32 * 600)))


def test_fades_of_later_rounds_are_new_and_no_fade_is_drawn_for_those_who_stay():
    """With the same fade in every round, the last round's SNR is the first one's."""
    again = sent(AnalogLink(), Repetition(rounds=2, enough=2.0, refading=False), 16)
    anew = sent(AnalogLink(), Repetition(rounds=2, enough=2.0), 16)
    first, later = (torch.cat([g.stage(0).decoded.values for g in d.groups]) for d in (again, anew))
    torch.testing.assert_close(first, later)
    assert not torch.allclose(again.groups[0].decoded.values, anew.groups[0].decoded.values)


def test_a_constant_channel_adds_up_exactly():
    """R = 2.5 bits at 3 dB: log2(1 + 2) = 1.58 after one round, Chase 2.32 and redundancy 3.17 after two."""
    state = ChannelState(torch.ones(1, 1) + 0j, torch.full((1, 1), 0.5))
    noise = torch.Generator()
    for combining, needed in (("chase", 3), ("redundancy", 2)):
        gathered = IdealGathered(b"x", 1, 2.5, combining, 1, lambda channel, state, _: information(state, 1))
        for number in range(needed):
            assert gathered.rows() == [None]
            gathered.hear(number, gathered.lacking, AWGN(), state, noise)
        assert gathered.rows() == [b"x"]
