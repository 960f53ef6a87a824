"""OFDM over TR 38.901: unit average gain, fading between deliveries, Doppler, interference, cost, bad input."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import OFDM
from channels.base import ChannelState
from channels.noise import complex_normal
from channels.tapped_delay_line import draw_taps, phases, tap_delays


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def qpsk(n, rows=1):
    quarter = torch.randint(0, 4, (rows, n), generator=seeded(99))
    return torch.polar(torch.ones(rows, n), quarter * torch.pi / 2)


@pytest.mark.parametrize("model", ["TDL-A", "TDL-D", "CDL-C"])
def test_mean_gain_is_one_over_realizations(model):
    """E|h|^2 = 1; the mean over a delivery's grid is one draw a realization."""
    state = OFDM(model, 100e-9, subcarriers=60).realize(1500, 50, 10.0, seeded(0))
    power = (state.gain.abs() ** 2).mean(-1)
    assert abs(float(power.mean()) - 1) < 4 * float(power.std()) / math.sqrt(1500)


@pytest.mark.parametrize("delay_spread", [0.0, 30e-9, 300e-9])
def test_deliveries_fade_as_much_as_the_delay_spread_leaves(delay_spread):
    r"""Variance of the mean power over the band: sum over tap pairs of p_l p_m |c_lm|^2, less p_l^2 / N for N rays.

    c_lm is the mean over subcarriers of exp(-j 2 pi f (tau_l - tau_m)): 1 for all pairs of a flat channel.
    """
    channel = OFDM("TDL-A", delay_spread, speed=0.0, estimator="perfect")
    n = 599  # pilots lie elsewhere, so this is nearly one band of payload
    power = (channel.realize(8000, n, 10.0, seeded(1)).gain.abs() ** 2).mean(-1).double()
    powers = channel.profile.powers
    subcarrier = channel.grid.positions(n) % 600
    response = phases(channel.profile.delays, subcarrier.double() * 30e3)
    overlap = (response.mH @ response / n).abs() ** 2
    expected = float(powers @ overlap @ powers - (powers**2).sum() / 20)
    deviation = (power - power.mean()) ** 2
    assert abs(float(deviation.mean()) - expected) < 4 * float(deviation.std()) / math.sqrt(8000)


def test_gains_over_ofdm_symbols_have_the_jakes_autocorrelation():
    """E h(r + d) h*(r) = J0(2 pi f_D d T) at the same subcarrier."""
    channel = OFDM("TDL-B", 100e-9, speed=100.0, subcarriers=12)
    assert 0.04 < channel.doppler < 0.05
    n, realizations = 300, 4000
    gain, row = channel.realize(realizations, n, 10.0, seeded(2)).gain, channel.grid.positions(n) // 12
    first = int((row == 1).nonzero()[0]) + 5
    for lag in (1, 4, 8, 12):  # rows without pilots, so that the columns are the same
        later = int((row == 1 + lag).nonzero()[0]) + 5
        products = gain[:, later] * gain[:, first].conj()
        expected = float(torch.special.bessel_j0(torch.tensor(2 * math.pi * channel.doppler * lag)))
        assert abs(complex(products.mean()) - expected) < 4 * float(products.std()) / math.sqrt(realizations)


@pytest.mark.parametrize("model", ["TDL-A", "CDL-D"])
def test_gains_are_those_of_sionna_for_the_same_taps(model):
    """Sionna's own step from taps and delays to gains on a grid, without its normalisation."""
    from sionna.phy.channel import cir_to_ofdm_channel

    channel = OFDM(model, 100e-9, speed=10.0, subcarriers=48)
    state = channel.realize(3, 500, 10.0, seeded(3))
    taps, delays = state.taps[:, 1:-1].mT, tap_delays(model, 100e-9).float()
    theirs = cir_to_ofdm_channel(
        torch.arange(48) * 30e3, taps[:, None, None, None, None], delays.expand(3, 1, 1, -1), normalize=False
    )
    expected = theirs[:, 0, 0, 0, 0].flatten(1)[:, channel.grid.positions(500)]
    torch.testing.assert_close(state.gain, expected, atol=1e-4, rtol=1e-3)


def test_interference_is_that_of_gains_changing_in_time():
    """A flat channel multiplies the time samples; what a change linear in time does there, transmit does too."""
    channel = OFDM("TDL-A", 0.0, speed=200.0, subcarriers=60, estimator="perfect", oversampling=1)
    x = qpsk(400)
    state = channel.realize(2, 400, float("inf"), seeded(4))
    received = channel.transmit(x, state, seeded(5))
    gain = state.taps.sum(-1)
    slope = (gain[:, 2:] - gain[:, :-2]) / 2
    body = (torch.arange(60) - 29.5) / (60 + channel.prefix)
    ramp = torch.cat([torch.zeros(channel.prefix), body])
    in_time = gain[:, 1:-1, None] + slope[..., None] * ramp
    expected = channel.demodulate(channel.modulate(x) * in_time.flatten(1), 400)
    torch.testing.assert_close(received.samples, expected, atol=1e-4, rtol=1e-3)
    assert (received.samples - state.gain * x).abs().max() > 0.01


@pytest.mark.parametrize("model", ["TDL-C", "TDL-E", "CDL-A"])
def test_interference_has_the_stated_variance(model):
    channel = OFDM(model, 100e-9, speed=100.0, subcarriers=120, estimator="perfect")
    n = channel.grid.payload_per_period * 2
    state = channel.realize(300, n, float("inf"), seeded(6))
    power = ((channel.transmit(qpsk(n), state, seeded(7)).samples - state.gain * qpsk(n)).abs() ** 2).mean(-1)
    assert abs(float(power.mean()) - channel.interference) < 4 * float(power.std()) / math.sqrt(300)
    torch.testing.assert_close(state.noise_variance, torch.full((300, 1), channel.interference))


def test_interference_grows_as_the_square_of_speed():
    """For slow change it is (2 pi f_D T_u)^2 / 24, T_u the OFDM symbol without prefix."""
    for speed in (30.0, 60.0):
        channel = OFDM("TDL-A", 100e-9, speed=speed)
        turns = channel.doppler * 600 / (600 + channel.prefix)
        assert math.isclose(channel.interference, (2 * math.pi * turns) ** 2 / 24, rel_tol=0.01)
    assert OFDM("TDL-A", speed=1.0).interference == 0


@pytest.mark.parametrize("snr_db", [0.0, 12.0])
def test_perfect_knowledge_leaves_noise_alone(snr_db):
    channel = OFDM("TDL-C", estimator="perfect")
    state = channel.realize(20, 2000, snr_db, seeded(8))
    received = channel.transmit(qpsk(2000), state, seeded(9))
    expected = 10 ** (-snr_db / 10)
    torch.testing.assert_close(received.noise_variance, torch.full((20, 1), expected))
    assert torch.equal(received.gain, state.gain)
    noise = (received.samples - state.gain * qpsk(2000)).abs() ** 2
    assert abs(float(noise.mean()) - expected) < 4 * expected / math.sqrt(noise.numel())


@given(st.integers(0, 5000), st.integers(2, 100), st.integers(1, 12), st.integers(2, 14))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_pilots_are_charged(n, subcarriers, frequency, time):
    channel = OFDM("TDL-A", 10e-9, subcarriers=subcarriers, pilot_spacing_frequency=frequency, pilot_spacing_time=time)
    assert channel.symbols(channel.uses(n)) >= n
    assert channel.uses(channel.symbols(n)) <= n
    assert channel.uses(n) > n or n == 0


@given(st.integers(0, 700), st.integers(1, 3), st.integers(1, 4))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_demodulating_undoes_modulating(n, rows, oversampling):
    channel = OFDM("TDL-A", 100e-9, subcarriers=50, oversampling=oversampling)
    x = complex_normal((rows, n), seeded(0))
    torch.testing.assert_close(channel.demodulate(channel.modulate(x), n), x, atol=1e-5, rtol=1e-4)


def test_fewer_symbols_use_the_first_columns_of_a_state():
    channel = OFDM("TDL-A", speed=30.0, subcarriers=60)
    state = channel.realize(2, 1000, 300.0, seeded(0))
    received = channel.transmit(qpsk(300), state, seeded(1))
    assert received.samples.shape == received.gain.shape == received.noise_variance.shape == (2, 300)
    torch.testing.assert_close(received.gain, state.gain[:, :300], atol=0.15, rtol=0)


@pytest.mark.parametrize("estimator", ["perfect", "ls", "lmmse"])
@pytest.mark.parametrize("n", [0, 1])
def test_short_deliveries(estimator, n):
    for speed in (0.0, 50.0):
        channel = OFDM("TDL-D", estimator=estimator, speed=speed)
        state = channel.realize(3, n, 10.0, seeded(0))
        received = channel.transmit(qpsk(n), state, seeded(1))
        assert received.samples.shape == (3, n)
        assert state[[0, 2]].gain.shape == (2, 1)
        assert channel.realize(0, n, 10.0, seeded(0)).gain.shape == (0, 1)


def test_chunks_change_nothing_but_memory(monkeypatch):
    channel = OFDM("TDL-A", subcarriers=60)
    whole = channel.realize(5, 700, 10.0, seeded(0))
    monkeypatch.setattr("channels.ofdm._CHUNK", 2000)
    parts = channel.realize(5, 700, 10.0, seeded(0))
    torch.testing.assert_close(parts.gain, whole.gain)
    received = channel.transmit(qpsk(700, rows=5), parts, seeded(1))
    assert received.samples.shape == (5, 700)
    error = (received.samples - whole.gain * qpsk(700, rows=5)).abs() ** 2
    assert abs(float(error.mean()) - 0.1) < 4 * 0.1 / math.sqrt(3500)


@pytest.mark.parametrize("estimator", ["perfect", "lmmse"])
def test_gradients_flow_to_the_symbols(estimator):
    channel = OFDM("TDL-A", speed=50.0, subcarriers=60, estimator=estimator)
    state = channel.realize(2, 100, 10.0, seeded(0))
    x = qpsk(100).requires_grad_()
    channel.transmit(x, state, seeded(1)).samples.abs().square().sum().backward()
    assert x.grad is not None
    assert bool((x.grad.abs() > 0).all())


def test_same_seed_same_channel():
    channel = OFDM("CDL-A", subcarriers=60)
    first, again = (channel.realize(2, 100, 10.0, seeded(5)) for _ in range(2))
    assert torch.equal(first.gain, again.gain)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(model="TDL-F"), "model must be one of TDL-A, TDL-B, .*CDL-E .*got 'TDL-F'"),
        (dict(speed=-1.0), "speed must be 0 or more metres per second, got -1.0"),
        (dict(speed=math.nan), "speed must be 0 or more"),
        (dict(delay_spread=-1e-9), "delay_spread must be 0 or more seconds"),
        (dict(delay_spread=100.0), "delay_spread must be 0 or more seconds and below 1e-3, got 100.0"),
        (dict(carrier_frequency=3.5), "carrier_frequency must be 0.5e9 to 100e9 Hz"),
        (dict(subcarrier_spacing=0.0), "subcarrier_spacing must be above 0 Hz"),
        (dict(estimator="mmse"), "estimator must be one of perfect, ls, lmmse, got 'mmse'"),
        (dict(subcarriers=0), "subcarriers of the resource grid must be at least 1"),
        (dict(cyclic_prefix=3), "cyclic_prefix of 3 samples is shorter than the channel: TDL-C .* needs 16"),
        (dict(oversampling=0), "oversampling must be at least 1"),
        (dict(speed=500.0), "at most 0.1 is modelled: lower the speed or widen subcarrier_spacing"),
    ],
)
def test_bad_argument_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        OFDM(**arguments)


def test_state_of_another_channel_is_refused():
    state = ChannelState(torch.ones(1, 1) + 0j, torch.ones(1, 1))
    with pytest.raises(TypeError, match="OFDM needs the state that its own realize drew, got ChannelState"):
        OFDM().transmit(qpsk(4), state, seeded(0))
    with pytest.raises(ValueError, match="4 symbols are 100 time samples, got 7"):
        OFDM("TDL-A", 0.0, subcarriers=20, cyclic_prefix=5).demodulate(torch.zeros(1, 7) + 0j, 4)


def test_agrees_with_sionna_in_distribution():
    """Kolmogorov-Smirnov between our draws of the gain and those of Sionna's own TDL block and generator."""
    from scipy.stats import ks_2samp
    from sionna.phy.channel.tr38901 import TDL

    n = 4000
    ours = draw_taps("TDL-C", 100e-9, 3e9, 0.0, n, 1, 1e-4, seeded(0)).sum(-1).abs().flatten()
    theirs = TDL("C", 100e-9, 3e9)(n, 1, 1e4)[0].sum(-2).abs().flatten()
    assert ks_2samp(ours, theirs).pvalue > 1e-3
