"""The receiver's estimate against the error that it claims."""

import math

import pytest
import torch

from channels import AWGN, Rayleigh
from channels.impairments import ImperfectKnowledge


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("v", [0.0, 0.01, 0.3])
def test_error_has_its_variance_and_is_orthogonal_to_the_estimate(v):
    """h = h^ + e: E|e|^2 = v, E|h^|^2 = 1 - v, E h^* e = 0."""
    k = 200_000
    channel = ImperfectKnowledge(Rayleigh(), v)
    state = channel.realize(k, 1, 10.0, seeded(0))
    estimate = channel.transmit(torch.ones((1, 1), dtype=torch.complex64), state, seeded(1)).gain
    error = state.gain - estimate
    assert float(error.abs().square().mean()) == pytest.approx(v, abs=4 * v / math.sqrt(k) + 1e-7)
    assert float(estimate.abs().square().mean()) == pytest.approx(1 - v, abs=4 / math.sqrt(k))
    assert float((estimate.conj() * error).mean().abs()) < 4 * math.sqrt(v / k) + 1e-6


def test_one_error_for_as_long_as_the_gain_stays():
    channel = ImperfectKnowledge(Rayleigh(coherence=4), 0.1)
    state = channel.realize(5, 12, 10.0, seeded(0))
    received = channel.transmit(torch.ones((1, 10), dtype=torch.complex64), state, seeded(1))
    error = state.gain[:, :10] - received.gain
    torch.testing.assert_close(error[:, 0], error[:, 3])
    assert ((error[:, 3] - error[:, 4]).abs() > 1e-3).all()
    torch.testing.assert_close(received.noise_variance.expand(5, 10), torch.full((5, 10), 0.2))


def test_noise_grows_by_the_error_times_the_power():
    channel = ImperfectKnowledge(AWGN(), 0.5)
    x = torch.full((1, 10), 0.5 + 0j)
    received = channel.transmit(x, channel.realize(2, 10, math.inf, seeded(0)), seeded(1))
    torch.testing.assert_close(received.noise_variance, torch.full((2, 1), 0.125))


@pytest.mark.parametrize("v", [-0.1, 1.0, math.nan])
def test_bad_variances_are_refused(v):
    with pytest.raises(ValueError, match="error_variance"):
        ImperfectKnowledge(AWGN(), v)
