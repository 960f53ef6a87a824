"""Capacity and outage: closed forms against sampling, and the other way round."""

import math

import pytest
import torch
from scipy import special, stats

from channels import AWGN, Channel, Nakagami, Rayleigh, Rician, ergodic_capacity, outage_probability
from channels.base import ChannelState, noise_variance
from channels.capacity import power_distribution
from channels.impairments import Erasures, ImperfectKnowledge
from channels.noise import complex_normal

FLAT = [Rayleigh(), Rayleigh(receive_antennas=4), Rician(3.0), Rician(2.0, receive_antennas=2), Nakagami(0.7)]
FLAT += [Nakagami(3.0), Nakagami(1.5, receive_antennas=2)]


class Own(Channel):
    """A Rayleigh channel that the closed forms do not know."""

    def realize(self, realizations, n, snr_db, generator):
        return ChannelState(
            complex_normal((realizations, 1), generator), noise_variance(snr_db, realizations, generator)
        )


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 10.0, 30.0])
def test_rayleigh_capacity_is_the_exponential_integral(snr_db):
    """exp(1 / snr) E1(1 / snr) log2(e)."""
    snr = 10 ** (snr_db / 10)
    expected = math.exp(1 / snr) * special.exp1(1 / snr) / math.log(2)
    assert ergodic_capacity(Rayleigh(), snr_db) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("channel", FLAT, ids=str)
def test_capacity_and_outage_agree_with_sampling(channel):
    k, snr_db, rate = 400_000, 5.0, 1.5
    state = channel.realize(k, 1, snr_db, torch.Generator().manual_seed(0))
    information = torch.log2(1 + state.gain.abs().square().double() / state.noise_variance)
    error = float(information.std()) / math.sqrt(k)
    assert ergodic_capacity(channel, snr_db) == pytest.approx(float(information.mean()), abs=4 * error)
    outage = outage_probability(channel, snr_db, rate)
    assert float((information < rate).double().mean()) == pytest.approx(outage, abs=4 * math.sqrt(outage / k))


def test_outage_of_slow_rayleigh_fading():
    """1 - exp(-(2^R - 1) / snr)."""
    assert outage_probability(Rayleigh(), 10.0, 2.0) == pytest.approx(1 - math.exp(-0.3))


def test_distribution_of_rician_power():
    x, (k, antennas) = 0.4, (3.0, 2)
    law = stats.ncx2(2 * antennas, 2 * k * antennas, scale=1 / (2 * (k + 1) * antennas))
    distribution = power_distribution(Rician(k, receive_antennas=antennas))
    assert distribution is not None
    assert distribution(x) == pytest.approx(law.cdf(x), rel=1e-6)


def test_a_channel_of_ones_own_is_sampled():
    """10000 deliveries: the standard deviation of log2(1 + snr |h|^2) is about 1.3 bits at 10 dB."""
    assert ergodic_capacity(Own(), 10.0) == pytest.approx(ergodic_capacity(Rayleigh(), 10.0), abs=4 * 1.3 / 100)
    p = outage_probability(Rayleigh(), 10.0, 1.0)
    assert outage_probability(Own(), 10.0, 1.0) == pytest.approx(p, abs=4 * math.sqrt(p / 10_000))


def test_fast_fading_averages_outage_away():
    assert outage_probability(Rayleigh(coherence=1), 10.0, 2.0) < 1e-3
    assert outage_probability(Rayleigh(coherence=1), 10.0, 4.0) > 1 - 1e-3


def test_impairments_lower_the_capacity():
    """Half of the symbols carry half of the capacity; an error of v at SNR s leaves (1 - v) s / (1 + v s)."""
    half = ergodic_capacity(Erasures(AWGN(), 0.5), 10.0)
    assert half == pytest.approx(0.5 * math.log2(11), abs=4 * math.log2(11) / 2 / math.sqrt(2_560_000))
    unknown = ergodic_capacity(ImperfectKnowledge(Rayleigh(), 0.1), 10.0)
    effective = 10 * math.log10(0.9 * 10 / (1 + 0.1 * 10))
    assert unknown == pytest.approx(ergodic_capacity(Rayleigh(), effective), abs=4 * 1.3 / 100)


def test_extremes():
    assert ergodic_capacity(AWGN(), math.inf) == math.inf
    assert ergodic_capacity(Rayleigh(), -math.inf) == 0
    assert ergodic_capacity(Rayleigh(), -40.0) == pytest.approx(1e-4 / math.log(2), rel=1e-3)
    assert outage_probability(AWGN(), 0.0, 1.01) == 1.0
    assert outage_probability(AWGN(), 0.0, 0.99) == 0.0
    assert outage_probability(Rayleigh(), math.inf, 5.0) == 0.0


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="snr_db must be a number"):
        ergodic_capacity(Rayleigh(), math.nan)
    with pytest.raises(ValueError, match="rate must be 0 or more"):
        outage_probability(Rayleigh(), 0.0, -1.0)
