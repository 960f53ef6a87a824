"""Phase noise against the statistics of a Wiener phase and of a Gaussian offset."""

import math

import pytest
import torch

from channels import AWGN, OFDM
from channels.conformance import check
from channels.impairments import PhaseNoise


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("linewidth", "offset", "interval"), [(1e-3, 0.0, 50), (0.0, 2e-3, 50), (5e-4, 1e-3, None), (0.0, 0.0, 7)]
)
def test_mean_rotation_and_its_spread(linewidth, offset, interval):
    """E exp(j phi_t) = exp(-pi beta t - (2 pi sigma t)^2 / 2); |exp(j phi)| = 1 leaves 1 - c^2 as noise."""
    k, n = 20_000, 120
    channel = PhaseNoise(AWGN(), linewidth, offset, interval)
    x = torch.ones((1, n), dtype=torch.complex64)
    received = channel.transmit(x, channel.realize(k, n, math.inf, seeded(0)), seeded(1))
    t = torch.arange(n) % (interval or n) + 1
    expected = torch.exp(-math.pi * linewidth * t - (2 * math.pi * offset * t) ** 2 / 2)
    torch.testing.assert_close(received.gain[0].real, expected)
    assert float((received.samples.mean(0) - expected).abs().max()) < 5 / math.sqrt(k)
    spread = (received.samples - received.gain).abs().square().mean(0)
    assert float((spread - (1 - expected**2)).abs().max()) < 5 / math.sqrt(k)
    torch.testing.assert_close(received.noise_variance[0], 1 - expected**2)


def test_phase_increments_are_independent_and_gaussian_of_the_linewidth():
    """Variance 2 pi beta from symbol to symbol; the sample variance of n Gaussians deviates by sqrt(2 / n)."""
    n, linewidth = 100_000, 1e-4
    channel = PhaseNoise(AWGN(), linewidth, tracking_interval=None)
    received = channel.transmit(
        torch.ones((1, n), dtype=torch.complex64), channel.realize(1, n, math.inf, seeded(0)), seeded(1)
    )
    increments = (received.samples[:, 1:] * received.samples[:, :-1].conj()).angle()
    assert float(increments.var()) == pytest.approx(2 * math.pi * linewidth, rel=4 * math.sqrt(2 / n))
    neighbours = float((increments[:, 1:] * increments[:, :-1]).mean() / increments.var())
    assert abs(neighbours) < 4 / math.sqrt(n)


def test_noise_of_weak_symbols_is_weak():
    channel = PhaseNoise(AWGN(), 0.01, tracking_interval=1)
    x = torch.full((1, 10), 0.5 + 0j)
    received = channel.transmit(x, channel.realize(1, 10, math.inf, seeded(0)), seeded(1))
    torch.testing.assert_close(received.noise_variance, torch.full((1, 10), 0.25 * (1 - math.exp(-0.02 * math.pi))))


def test_on_a_waveform_it_becomes_interference_between_carriers():
    check(PhaseNoise(OFDM(subcarriers=72), 1e-4, 1e-4, tracking_interval=500), realizations=300)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"linewidth": -1.0}, "linewidth must be 0 or more"),
        ({"frequency_offset": math.nan}, "frequency_offset"),
        ({"tracking_interval": 0}, "tracking_interval"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PhaseNoise(AWGN(), **arguments)
