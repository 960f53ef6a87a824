"""The Rapp model against its curve, hard clipping against the Bussgang theory of Gaussian symbols."""

import math

import pytest
import torch

from channels import AWGN, OFDM, Rayleigh
from channels.conformance import check
from channels.impairments import PowerAmplifier, papr_db


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("smoothness", "back_off_db"), [(1.0, 0.0), (2.0, 3.0), (3.0, 6.0)])
def test_amplitude_follows_the_rapp_curve_and_phase_is_kept(smoothness, back_off_db):
    """|f(x)| = |x| / (1 + (|x| / A)^2p)^(1 / 2p), A^2 = back-off over unit power."""
    amplitude, saturation = torch.linspace(0.01, 5, 200), 10 ** (back_off_db / 20)
    sent = PowerAmplifier(AWGN(), back_off_db, smoothness).amplify(amplitude.unsqueeze(0) * torch.exp(torch.tensor(1j)))
    expected = amplitude / (1 + (amplitude / saturation) ** (2 * smoothness)) ** (1 / (2 * smoothness))
    torch.testing.assert_close(sent[0].abs(), expected)
    torch.testing.assert_close(sent[0].angle(), torch.ones(200))
    assert float(sent.abs().max()) < saturation


def test_infinite_smoothness_clips_and_finite_approaches_it():
    x = torch.randn((1, 1000), dtype=torch.complex64, generator=seeded(0))
    clipped = PowerAmplifier(AWGN(), 0.0, math.inf).amplify(x)
    torch.testing.assert_close(clipped.abs(), x.abs().clamp(max=1.0))
    torch.testing.assert_close(PowerAmplifier(AWGN(), 0.0, 50.0).amplify(x), clipped, atol=0.01, rtol=0)


@pytest.mark.parametrize("back_off_db", [0.0, 3.0, 6.0])
def test_clipped_gaussian_symbols_have_their_bussgang_gain(back_off_db):
    """a = 1 - exp(-g^2) + sqrt(pi) g erfc(g) / 2, sent power 1 - exp(-g^2), at g^2 = back-off (Dardari 2000)."""
    n = 400_000
    x = torch.randn((1, n), dtype=torch.complex64, generator=seeded(1))
    channel = PowerAmplifier(AWGN(), back_off_db, math.inf)
    received = channel.transmit(x, channel.realize(1, n, math.inf, seeded(2)), seeded(3))
    g = 10 ** (back_off_db / 20)
    gain = 1 - math.exp(-(g**2)) + math.sqrt(math.pi) / 2 * g * math.erfc(g)
    distortion = 1 - math.exp(-(g**2)) - gain**2
    assert float(received.gain.real) == pytest.approx(gain, abs=4 / math.sqrt(n))
    assert float(received.noise_variance) == pytest.approx(distortion, abs=4 / math.sqrt(n))
    residual = (received.samples - received.gain * x).abs().square().mean()
    assert float(residual) == pytest.approx(float(received.noise_variance), rel=1e-3)


def test_peaks_of_a_waveform_exceed_those_of_its_symbols():
    """A single impulse of m samples has 10 log10(m) dB; OFDM turns constant symbols into 8 dB and more."""
    assert float(papr_db(torch.eye(1, 100) + 0j)) == pytest.approx(20.0)
    signs = torch.randint(0, 2, (1, 2000), generator=seeded(4)) * 2.0 - 1 + 0j
    assert float(PowerAmplifier(Rayleigh()).papr_db(signs)) == pytest.approx(0.0, abs=1e-4)
    assert 8 < float(PowerAmplifier(OFDM(subcarriers=144)).papr_db(signs)) < 15


def test_an_amplified_waveform_keeps_the_contract():
    check(PowerAmplifier(OFDM(subcarriers=72), back_off_db=3.0), realizations=300)


def test_power_is_checked_before_the_amplifier_hides_it():
    channel = PowerAmplifier(AWGN(), back_off_db=-10.0)
    with pytest.raises(ValueError, match="mean power"):
        channel.transmit(torch.full((1, 100), 2.0 + 0j), channel.realize(1, 100, 0.0, seeded(0)), seeded(0))


def test_gradient_at_zero_is_finite():
    x = torch.zeros((1, 3), dtype=torch.complex64, requires_grad=True)
    channel = PowerAmplifier(AWGN())
    channel.transmit(x, channel.realize(1, 3, 0.0, seeded(0)), seeded(0)).samples.abs().sum().backward()
    assert x.grad is not None
    assert bool(x.grad.isfinite().all())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"back_off_db": math.nan}, "back_off_db"), ({"smoothness": 0.0}, "smoothness must be above 0")],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        PowerAmplifier(AWGN(), **arguments)
