"""The quantiser against the table of Max and the theory of one bit."""

import math

import pytest
import torch

from channels import AWGN, OFDM, Rayleigh
from channels.conformance import check
from channels.impairments import Quantiser
from channels.impairments.quantiser import gaussian_error, gaussian_step


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("bits", "step", "error"),
    [(1, 1.5960, 0.3634), (2, 0.9957, 0.1188), (3, 0.5860, 0.03744), (4, 0.3352, 0.01154), (5, 0.1881, 0.00349)],
)
def test_step_and_error_are_those_of_max(bits, step, error):
    """J. Max, 1960, table II."""
    assert gaussian_step(bits) == pytest.approx(step, abs=3e-4)
    assert gaussian_error(bits, gaussian_step(bits)) == pytest.approx(error, abs=5e-5)


@pytest.mark.parametrize("bits", [1, 3, 6])
def test_samples_take_as_many_levels_as_the_bits_allow(bits):
    x = torch.randn((1, 50_000), dtype=torch.complex64, generator=seeded(0))
    levels = Quantiser(AWGN(), bits).quantise(x).real.mul(1e4).round().unique()
    assert len(levels) == 2**bits
    torch.testing.assert_close(levels, -levels.flip(0))


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_distortion_of_gaussian_samples(bits):
    """Error of the quantiser = distortion + |1 - a|^2, whatever the level that the gain control met."""
    n = 400_000
    x = 0.3 * torch.randn((1, n), dtype=torch.complex64, generator=seeded(1))
    channel = Quantiser(AWGN(), bits)
    received = channel.transmit(x, channel.realize(1, n, math.inf, seeded(2)), seeded(3))
    error = float(received.noise_variance) / 0.09 + (1 - float(received.gain.real)) ** 2
    assert error == pytest.approx(gaussian_error(bits, gaussian_step(bits)), abs=4 / math.sqrt(n))
    if bits == 1:
        assert float(received.gain.real) == pytest.approx(2 / math.pi, abs=4 / math.sqrt(n))


@pytest.mark.parametrize("snr_db", [0.0, 20.0])
def test_what_the_receiver_is_told_is_what_it_suffers(snr_db):
    k, n = 200, 2000
    x = torch.randn((1, n), dtype=torch.complex64, generator=seeded(4))
    channel = Quantiser(Rayleigh(), 2)
    received = channel.transmit(x, channel.realize(k, n, snr_db, seeded(5)), seeded(6))
    residual = (received.samples - received.gain * x).abs().square().mean(-1)
    assert float((residual / received.noise_variance[:, 0]).mean()) == pytest.approx(1, abs=0.02)


def test_many_bits_change_nothing():
    x = torch.randn((1, 1000), dtype=torch.complex64, generator=seeded(0))
    channel = Quantiser(AWGN(), 16)
    state = channel.realize(1, 1000, 10.0, seeded(1))
    plain, quantised = (c.transmit(x, state, seeded(2)) for c in (AWGN(), channel))
    torch.testing.assert_close(plain.samples, quantised.samples, atol=1e-3, rtol=0)


def test_a_quantised_waveform_keeps_the_contract():
    check(Quantiser(OFDM(subcarriers=72), bits=3), realizations=300)


@pytest.mark.parametrize("bits", [0, 17])
def test_bad_bits_are_refused(bits):
    with pytest.raises(ValueError, match="bits must be 1 to 16"):
        Quantiser(AWGN(), bits)
