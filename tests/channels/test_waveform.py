"""Time samples and back; a delay within the cyclic prefix is one gain a subcarrier."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.noise import complex_normal
from channels.tapped_delay_line import phases
from channels.waveform import demodulate, modulate


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@given(st.integers(1, 33), st.integers(0, 5), st.integers(1, 4), st.integers(0, 3))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_demodulating_undoes_modulating(subcarriers, prefix, oversampling, ofdm_symbols):
    grid = complex_normal((2, ofdm_symbols, subcarriers), seeded(0))
    samples = modulate(grid, min(prefix, subcarriers), oversampling)
    back = demodulate(samples, ofdm_symbols, subcarriers, min(prefix, subcarriers), oversampling)
    torch.testing.assert_close(back, grid, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("oversampling", [1, 4])
def test_power_of_a_sample_is_that_of_a_resource_element(oversampling):
    grid = complex_normal((1, 200, 64), seeded(0))
    samples = modulate(grid, 0, oversampling)
    torch.testing.assert_close((samples.abs() ** 2).mean(), (grid.abs() ** 2).mean())


def test_delay_within_the_prefix_is_one_gain_a_subcarrier():
    """y(t) = x(t - d) in time is Y = exp(-j 2 pi f d) X in frequency, for every OFDM symbol."""
    subcarriers, prefix, delay = 48, 6, 5
    grid = complex_normal((1, 7, subcarriers), seeded(1))
    samples = modulate(grid, prefix)
    late = torch.cat([torch.zeros(1, delay, dtype=samples.dtype), samples[:, :-delay]], dim=-1)
    expected = grid * phases(torch.tensor([float(delay)]), torch.arange(subcarriers) / subcarriers)[:, 0]
    torch.testing.assert_close(demodulate(late, 7, subcarriers, prefix), expected, atol=1e-5, rtol=1e-4)


def test_oversampling_shows_peaks_between_samples():
    """The peak-to-average ratio of a band-limited Gaussian signal grows when it is sampled more finely."""
    grid = complex_normal((1, 500, 64), seeded(2))
    ratios = []
    for oversampling in (1, 4, 8):
        power = modulate(grid, 0, oversampling).abs().reshape(500, -1) ** 2
        ratios.append(float(10 * torch.log10(power.amax(-1) / power.mean(-1)).mean()))
    assert ratios[1] > ratios[0] + 0.3
    assert math.isclose(ratios[1], ratios[2], abs_tol=0.1)
