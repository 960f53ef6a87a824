"""Estimation errors against closed forms, and the stated error against the measured one."""

import pytest
import torch

from channels import OFDM


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def send(channel, realizations, n, snr_db, seed=0):
    """QPSK through the channel: its state and what is received."""
    state = channel.realize(realizations, n, snr_db, seeded(seed))
    quarter = torch.randint(0, 4, (1, n), generator=seeded(99))
    return state, channel.transmit(torch.polar(torch.ones(1, n), quarter * torch.pi / 2), state, seeded(seed + 1))


def error_per_position(state, received):
    return (received.gain - state.gain).abs() ** 2


def standard_error(per_realization):
    return float(per_realization.std()) / len(per_realization) ** 0.5


FLAT = dict(delay_spread=0.0, speed=0.0, subcarriers=25, pilot_spacing_frequency=6, pilot_spacing_time=4)


def test_least_squares_error_of_a_flat_channel():
    """Between pilots of noise variance s at weights 1 - a and a: s ((1-a)^2 + a^2), over frequency and time."""
    channel = OFDM("TDL-A", estimator="ls", **FLAT)
    n = channel.grid.payload_per_period + 10
    state, received = send(channel, 4000, n, snr_db=10.0)
    row, subcarrier = channel.grid.positions(n) // 25, channel.grid.positions(n) % 25

    def weight(position, spacing, last):
        share = torch.where(position >= last, 0.0, position % spacing / spacing)
        return (1 - share) ** 2 + share**2

    expected = 0.1 * weight(subcarrier, 6, 25) * weight(row, 4, 4)
    torch.testing.assert_close(received.noise_variance[0], 0.1 + expected, rtol=1e-4, atol=1e-6)
    errors = error_per_position(state, received)
    # |e|^2 is exponential: its standard deviation is its mean.
    assert bool(((errors.mean(0) - expected).abs() < 5 * expected / 4000**0.5).all())


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_lmmse_error_of_a_flat_channel(snr_db):
    """All P pilots see the same gain: the error is s / (P + s)."""
    channel = OFDM("TDL-A", estimator="lmmse", **FLAT)
    n = 3 * channel.grid.payload_per_period
    state, received = send(channel, 4000, n, snr_db)
    variance = 10 ** (-snr_db / 10)
    expected = variance / (3 * channel.grid.pilots + variance)
    stated = received.noise_variance - state.noise_variance
    torch.testing.assert_close(stated, torch.full_like(stated, expected), rtol=1e-3, atol=1e-7)
    error = error_per_position(state, received).mean(-1)
    assert abs(float(error.mean()) - expected) < 4 * standard_error(error)


@pytest.mark.parametrize("estimator", ["ls", "lmmse"])
@pytest.mark.parametrize("model", ["TDL-A", "TDL-C", "TDL-E", "CDL-B", "CDL-D"])
def test_stated_error_is_the_measured_one(model, estimator):
    """Selective, moving, over several windows: mean over realizations at 15 dB and, with little noise, at 40 dB."""
    channel = OFDM(model, 300e-9, speed=20.0, subcarriers=120, estimator=estimator)
    for snr_db in (15.0, 40.0):
        state, received = send(channel, 100, 8000, snr_db)
        error = error_per_position(state, received).mean(-1)
        stated = float((received.noise_variance - state.noise_variance).mean())
        assert abs(float(error.mean()) - stated) < 4 * standard_error(error) + 0.05 * stated


def test_lmmse_is_better_than_least_squares():
    errors = {}
    for estimator in ("ls", "lmmse"):
        channel = OFDM("TDL-B", 100e-9, speed=10.0, estimator=estimator)
        state, received = send(channel, 20, 5000, snr_db=5.0)
        errors[estimator] = float(error_per_position(state, received).mean())
    assert errors["lmmse"] < errors["ls"] / 5


def test_realizations_at_different_snr_get_filters_of_their_own():
    """A row of a batch over many SNRs states the same error as a batch at its SNR alone."""
    channel = OFDM("TDL-A", 100e-9, subcarriers=60)
    snr_db = torch.tensor([0.0, 10.0, 20.0, 10.0])
    state = channel.realize(4, 500, snr_db, seeded(0))
    received = channel.transmit(torch.ones(1, 500) + 0j, state, seeded(1))
    alone = channel.transmit(torch.ones(1, 500) + 0j, channel.realize(1, 500, 10.0, seeded(2)), seeded(3))
    torch.testing.assert_close(received.noise_variance[[1, 3]], alone.noise_variance.expand(2, -1))
    assert bool((received.noise_variance[0] > received.noise_variance[1]).all())


def test_noiseless_estimate_is_the_truth():
    state, received = send(OFDM("TDL-A", 30e-9, speed=0.0, estimator="lmmse"), 3, 2000, snr_db=float("inf"))
    torch.testing.assert_close(received.gain, state.gain, atol=5e-3, rtol=0)


def test_noise_variance_explains_what_the_receiver_cannot():
    """E|y - h_hat x|^2 is the stated noise variance: noise and estimation error of unit-power symbols."""
    _, received = send(OFDM("CDL-C", 100e-9, speed=5.0), 50, 5000, snr_db=10.0)
    quarter = torch.randint(0, 4, (1, 5000), generator=seeded(99))
    unknown = received.samples - received.gain * torch.polar(torch.ones(1, 5000), quarter * torch.pi / 2)
    ratio = (unknown.abs() ** 2 / received.noise_variance).mean(-1)
    assert abs(float(ratio.mean()) - 1) < 4 * standard_error(ratio)
