"""AWGN against its definition."""

import math

import pytest
import torch

from channels import AWGN
from channels.checks import mean_power


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0, 20.0])
def test_noise_variance_is_per_complex_symbol(snr_db):
    """E|y - x|^2 = 10^(-SNR/10); |w|^2 is exponential, so its mean has standard deviation sigma^2 / sqrt(n)."""
    k, n = 8, 50_000
    channel = AWGN()
    state = channel.realize(k, n, snr_db, seeded(0))
    x = torch.ones(1, n, dtype=torch.complex64)
    noise = channel.transmit(x, state, seeded(1)).samples - x
    expected = 10 ** (-snr_db / 10)
    assert abs(float(noise.abs().square().mean()) - expected) < 4 * expected / math.sqrt(k * n)
    assert abs(float(noise.real.square().mean()) - expected / 2) < 4 * expected / math.sqrt(2 * k * n)


def test_infinite_snr_is_noiseless():
    channel = AWGN()
    x = torch.ones(1, 10, dtype=torch.complex64)
    assert torch.equal(
        channel.transmit(x, channel.realize(2, 10, math.inf, seeded(0)), seeded(0)).samples, x.repeat(2, 1)
    )


@pytest.mark.parametrize(
    ("arguments", "message"), [((2, 10, math.nan), "snr_db must be a number"), ((-1, 10, 0.0), "realizations")]
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        AWGN().realize(*arguments, seeded(0))


def test_power_above_one_is_refused_in_any_single_delivery():
    channel = AWGN()
    x = torch.ones(2, 1000, dtype=torch.complex64)
    x[1] *= 1.02
    with pytest.raises(ValueError, match=r"at most 1, got 1\.04"):
        channel.transmit(x, channel.realize(2, 1000, 0.0, seeded(0)), seeded(0))


def test_power_a_little_above_one_by_sampling_is_accepted():
    """Gaussian symbols of unit power: the mean of |x|^2 has standard deviation 1 / sqrt(n)."""
    x = torch.randn((64, 3000), dtype=torch.complex64, generator=seeded(0))
    assert (x.abs().square().mean(-1) > 1).any()
    AWGN().transmit(x, AWGN().realize(64, 3000, 0.0, seeded(1)), seeded(1))


def test_not_finite_and_misfitting_symbols_are_refused():
    channel = AWGN()
    state = channel.realize(2, 10, 0.0, seeded(0))
    x = torch.ones(1, 10, dtype=torch.complex64)
    with pytest.raises(ValueError, match="finite"):
        channel.transmit(x * math.nan, state, seeded(0))
    with pytest.raises(ValueError, match="1 row or 2"):
        channel.transmit(x.repeat(3, 1), state, seeded(0))


@pytest.mark.parametrize("n", [1, 5, 4096, 4097, 100_003])
def test_mean_power_is_exact_at_any_length(n):
    x = torch.randn((3, n), dtype=torch.complex64, generator=seeded(0)).conj()
    expected = x.to(torch.complex128).abs().square().mean(-1)
    torch.testing.assert_close(mean_power(x), expected, rtol=1e-6, atol=0)


def test_no_symbols_are_no_fault():
    channel = AWGN()
    received = channel.transmit(
        torch.zeros((1, 0), dtype=torch.complex64), channel.realize(3, 0, 0.0, seeded(0)), seeded(0)
    )
    assert received.samples.shape == (3, 0)


def test_a_state_is_indexed_by_realization():
    state = AWGN().realize(3, 10, torch.tensor([0.0, 10.0, 20.0]), seeded(0))
    torch.testing.assert_close(state[[2, 0]].noise_variance, torch.tensor([[0.01], [1.0]]))
