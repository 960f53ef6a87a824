"""Capacity and outage: closed forms against sampling, and the other way round."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from channels import AWGN, OFDM, Channel, Nakagami, Rayleigh, Rician, ergodic_capacity, outage_probability
from channels.base import ChannelState, noise_variance
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
    assert ergodic_capacity(Own(), -math.inf) == 0
    assert ergodic_capacity(Rayleigh(), -40.0) == pytest.approx(1e-4 / math.log(2), rel=1e-3)
    assert outage_probability(AWGN(), 0.0, 1.01) == 1.0
    assert outage_probability(AWGN(), 0.0, 0.99) == 0.0
    assert outage_probability(Rayleigh(), math.inf, 5.0) == 0.0


@pytest.mark.parametrize("snr_db", [200.0, 2000.0, 20_000.0])
def test_capacity_far_up_is_that_of_the_mean_logarithm(snr_db):
    """log2(snr) + E log2 |h|^2, with psi(a) - ln a for Gamma and ln(K / (K + 1)) + E1(K) for Rician fading."""
    bits = snr_db / 10 * math.log2(10)
    assert ergodic_capacity(AWGN(), snr_db) == pytest.approx(bits)
    for channel, nats in (
        (Rayleigh(), -np.euler_gamma),
        (Nakagami(0.5), special.digamma(0.5) - math.log(0.5)),
        (Nakagami(1e6), -0.5e-6),
        (Rician(2.0), math.log(2 / 3) + special.exp1(2.0)),
        (Rician(1e12), 0.0),
    ):
        assert ergodic_capacity(channel, snr_db) == pytest.approx(bits + nats / math.log(2), rel=1e-9)


@pytest.mark.parametrize("snr_db", [-50.0, -300.0, -2500.0])
@pytest.mark.parametrize("channel", [*FLAT, AWGN(), Rician(1e12), Nakagami(1e12), Rician(1e300)], ids=str)
def test_capacity_far_down_is_the_mean_snr(channel, snr_db):
    """snr / ln 2, however small: fading has mean 1; two terms of the logarithm at -50 dB."""
    snr = 10 ** (snr_db / 10) * channel.array_gain
    assert ergodic_capacity(channel, snr_db) == pytest.approx(snr / math.log(2), rel=3e-5)


@pytest.mark.parametrize("channel", [Rician(1e7), Rician(1e12), Rician(1e300), Nakagami(1e9), Nakagami(1e300)], ids=str)
def test_fading_that_hardly_fades_is_the_channel_without(channel):
    assert ergodic_capacity(channel, 10.0) == pytest.approx(math.log2(11), rel=1e-6)
    assert outage_probability(channel, 10.0, math.log2(11) * 0.99) < 1e-6
    assert outage_probability(channel, 10.0, math.log2(11) * 1.01) == pytest.approx(1.0, abs=1e-6)
    gain = channel.realize(100, 1, 10.0, torch.Generator().manual_seed(0)).gain
    torch.testing.assert_close(gain.abs(), torch.ones(100, 1), atol=3e-3, rtol=0)


def test_outage_at_any_rate_and_snr():
    """Nothing carries 2000 bits, nothing is carried at minus infinity, and less than 0 bits never."""
    for channel in (AWGN(), Rayleigh(), Rician(3.0), Nakagami(0.7), Own(), Erasures(AWGN(), 0.5)):
        for snr_db in (-math.inf, -100.0, 10.0, 100.0, math.inf):
            sampled = not isinstance(channel, AWGN | Rayleigh | Rician | Nakagami)
            few = {"realizations": 50, "n": 4} if sampled else {}
            assert outage_probability(channel, snr_db, 0.0, **few) == 0.0
            if snr_db < math.inf:
                assert outage_probability(channel, snr_db, 2000.0, **few) == 1.0
    assert outage_probability(Rayleigh(), 10.0, 1e-300) == pytest.approx(1e-301 * math.log(2))
    assert outage_probability(Rayleigh(), 30_000.0, 1.0) == pytest.approx(0.0, abs=1e-300)
    assert outage_probability(Rayleigh(), -30_000.0, 1.0) == 1.0


def test_what_impairments_leave_at_infinite_snr():
    """Erasures carry everything or nothing; an error of v, exactly known statistics: log2(1 + (1 - v) |h|^2 / v)."""
    assert ergodic_capacity(Erasures(AWGN(), 0.5), math.inf) == math.inf
    assert ergodic_capacity(Erasures(AWGN(), 1.0), math.inf) == 0.0
    assert outage_probability(Erasures(AWGN(), 1.0), math.inf, 1.0) == 1.0
    unknown = ergodic_capacity(ImperfectKnowledge(Rayleigh(), 0.1), math.inf)
    assert unknown == pytest.approx(ergodic_capacity(Rayleigh(), 10 * math.log10(9)), abs=4 * 1.3 / 100)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    snr_db=st.floats(allow_nan=False) | st.floats(-100, 100),
    k_factor=st.floats(0, 1e300) | st.floats(0, 100),
    m=st.floats(0.5, 1e300) | st.floats(0.5, 100),
    antennas=st.integers(1, 64),
    rate=st.floats(0, 1e300) | st.floats(0, 20),
)
def test_capacity_and_outage_are_right_at_any_arguments(snr_db, k_factor, m, antennas, rate):
    """By Jensen at most log2(1 + snr), more than log2(1 + snr e^E ln|h|^2) >= log2(1 + snr) - 1.84; P within 0 to 1."""
    for channel in (Rician(k_factor, receive_antennas=antennas), Nakagami(m, receive_antennas=antennas)):
        most = ergodic_capacity(AWGN(), snr_db + 10 * math.log10(antennas))
        capacity = ergodic_capacity(channel, snr_db)
        assert most - 1.84 <= capacity * (1 + 1e-9) or most == math.inf == capacity
        assert capacity <= most * (1 + 1e-9) + 5e-324
        outage = outage_probability(channel, snr_db, rate)
        assert 0 <= outage <= 1
        assert outage <= outage_probability(channel, snr_db, 2 * rate) + 1e-6


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="snr_db must be a number"):
        ergodic_capacity(Rayleigh(), math.nan)
    with pytest.raises(ValueError, match="rate must be 0 or more"):
        outage_probability(Rayleigh(), 0.0, -1.0)
    with pytest.raises(ValueError, match="rate must be 0 or more"):
        outage_probability(Rayleigh(), 0.0, math.nan)
    with pytest.raises(ValueError, match="at least 1 each, got 256 and 0"):
        ergodic_capacity(Own(), 0.0, realizations=0)
    with pytest.raises(ValueError, match="between -300 and 300"):
        ergodic_capacity(Own(), 500.0)


def test_what_a_receiver_believes_wrongly_is_not_carried():
    """Least squares takes the noise of its pilots for gain: its promise was 0.45 bits however low the SNR."""
    channel = OFDM(estimator="ls")
    for snr_db in (-300.0, -60.0, -10.0, 0.0):
        carried = ergodic_capacity(channel, snr_db, n=64, realizations=50)
        assert 0 <= carried < ergodic_capacity(AWGN(), snr_db)
    assert outage_probability(channel, -60.0, 0.1, n=64, realizations=50) == 1
    assert outage_probability(channel, 40.0, 0.1, n=64, realizations=50) == 0


@pytest.mark.parametrize("k", [0.0, 1e-13, 3.0, 1e12, 1e308])
def test_rician_outage_where_floats_end(k):
    """Far down the outage is the density at 0 times the power needed, (1 + K) exp(-K) x."""
    tiny = outage_probability(Rician(k), 10.0, 1e-300)
    assert tiny == pytest.approx((1 + k) * math.exp(-k) * math.log(2) * 1e-301, rel=1e-6) if k < 100 else tiny == 0
    assert ergodic_capacity(Rician(k), -20.0) == pytest.approx(0.01 / math.log(2), rel=0.02)
