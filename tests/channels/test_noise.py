"""Noise drawn by several threads is as good as noise drawn by one."""

import pytest
import torch
from scipy import stats
from torch import Generator

from airdeliver.training.training import threads
from channels.noise import SHARED_OUT, complex_normal

ROWS, COLUMNS = 8, SHARED_OUT // 8 + 1000


@pytest.fixture(scope="module")
def samples():
    return complex_normal((ROWS, COLUMNS), Generator().manual_seed(3))


def test_the_number_of_threads_changes_nothing(samples):
    for count in (1, 3):
        with threads(count):
            again = complex_normal((ROWS, COLUMNS), Generator().manual_seed(3))
        torch.testing.assert_close(again, samples, rtol=0, atol=0)


def test_another_seed_and_the_next_draw_differ(samples):
    generator = Generator().manual_seed(3)
    complex_normal((ROWS, COLUMNS), generator)
    for other in (complex_normal((ROWS, COLUMNS), generator), complex_normal((ROWS, COLUMNS), Generator())):
        assert (other == samples).float().mean() < 1e-4


def test_samples_are_circular_gaussians(samples):
    reals = torch.view_as_real(samples).flatten()
    assert stats.kstest(reals.numpy(), stats.norm(scale=0.5**0.5).cdf).pvalue > 0.01
    # The mean of n products of independent samples of unit variance has a standard error of 1/sqrt(n).
    bound = 4 / samples.numel() ** 0.5
    assert samples.square().mean().abs() < bound
    assert (samples.abs().square().mean() - 1).abs() < bound


def test_stretches_are_independent(samples):
    stretches = torch.stack(samples.flatten().split(1 << 18)[:-1])
    correlation = (stretches @ stretches.mH / stretches.shape[1]).abs()
    off = correlation[~torch.eye(len(stretches), dtype=torch.bool)]
    assert off.max() < 5 / stretches.shape[1] ** 0.5
