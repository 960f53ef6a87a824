"""AWGN against its definition."""

import math

import pytest
import torch

from channels import AWGN


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
