"""The intervals cover what they say they cover."""

import math

import pytest
import torch
from scipy.stats import norm

from airdeliver.intervals import channel_interval, crossed_interval, shared_interval

REPETITIONS = 500


def scores(k: int, n: int, by_row: float, by_column: float, generator: torch.Generator) -> torch.Tensor:
    """Correctness of n images in k realizations: a latent normal with a row's, a column's and its own part."""
    rows = by_row * torch.randn(k, 1, generator=generator)
    columns = by_column * torch.randn(1, n, generator=generator)
    return (0.8 + rows + columns + torch.randn(k, n, generator=generator) > 0).float()


@pytest.mark.parametrize("n", [360, 10_000])
@pytest.mark.parametrize(("by_row", "by_column"), [(0.1, 1.5), (0.5, 1.0), (0.02, 3.0)])
def test_crossed_interval_covers_the_truth_in_92_to_98_percent(n, by_row, by_column):
    """P(correct) = Phi(0.8 / sqrt(1 + row^2 + column^2)); 500 repetitions of 16 realizations, fixed seed."""
    truth = float(norm.cdf(0.8 / (1 + by_row**2 + by_column**2) ** 0.5))
    generator = torch.Generator().manual_seed(0)
    covered = 0
    for _ in range(REPETITIONS):
        interval = crossed_interval(scores(16, n, by_row, by_column, generator))
        covered += interval.low <= truth <= interval.high
    assert 0.92 <= covered / REPETITIONS <= 0.98


def test_channel_interval_covers_the_mean_over_channels_with_the_images_as_given():
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(1, 360, generator=generator)
    truth = float(torch.from_numpy(norm.cdf((0.8 + images.numpy()) / 1.25**0.5)).mean())
    covered = 0
    for _ in range(REPETITIONS):
        latent = 0.8 + 0.5 * torch.randn(16, 1, generator=generator) + images
        interval = channel_interval((latent + torch.randn(16, 360, generator=generator) > 0).float().mean(1))
        covered += interval.low <= truth <= interval.high
    assert 0.92 <= covered / REPETITIONS <= 0.98


def drawn(whole: torch.Tensor, each: int, generator: torch.Generator) -> torch.Tensor:
    """Every realization's scores on random images of its own, the others not a number."""
    shares = torch.rand(whole.shape, generator=generator).topk(each, largest=False, sorted=False).indices
    return torch.full_like(whole, torch.nan).scatter(1, shares, whole.gather(1, shares))


@pytest.mark.parametrize(("by_row", "by_column"), [(0.1, 1.5), (0.5, 1.0), (0.02, 3.0)])
def test_shared_images_leave_both_intervals_what_they_say(by_row, by_column):
    """48 realizations of 50 out of 500 images: new images, and the images as given."""
    generator = torch.Generator().manual_seed(2)
    truth = float(norm.cdf(0.8 / (1 + by_row**2 + by_column**2) ** 0.5))
    images = by_column * torch.randn(1, 500, generator=generator)
    given = float(torch.from_numpy(norm.cdf((0.8 + images.numpy()) / (1 + by_row**2) ** 0.5)).mean())
    both = channel = 0
    for _ in range(REPETITIONS):
        interval = shared_interval(drawn(scores(48, 500, by_row, by_column, generator), 50, generator))
        both += interval.low <= truth <= interval.high
        latent = 0.8 + by_row * torch.randn(48, 1, generator=generator) + images
        right = (latent + torch.randn(48, 500, generator=generator) > 0).float()
        interval = channel_interval(drawn(right, 50, generator).nanmean(1))
        channel += interval.low <= given <= interval.high
    assert 0.92 <= both / REPETITIONS <= 0.98
    assert 0.92 <= channel / REPETITIONS <= 0.98


def test_shared_interval_of_all_images_is_the_crossed_one():
    everything = scores(16, 500, 0.2, 1.0, torch.Generator().manual_seed(3))
    shared, crossed = shared_interval(everything), crossed_interval(everything)
    assert shared.mean == pytest.approx(crossed.mean, abs=1e-6)
    assert shared.high - shared.low == pytest.approx(crossed.high - crossed.low, rel=0.01)


def test_one_realization_says_nothing_of_the_channel():
    interval = crossed_interval(torch.ones(1, 100))
    assert (interval.mean, interval.low, interval.high) == (1.0, 0.0, 1.0)


def test_identical_realizations_leave_the_images_uncertainty():
    """Half-width 1.96 sqrt(p (1 - p) / N)."""
    row = (torch.rand(1, 1000, generator=torch.Generator().manual_seed(0)) < 0.8).float()
    interval = crossed_interval(row.expand(8, 1000))
    p = float(row.mean())
    assert (interval.high - interval.low) / 2 == pytest.approx(1.96 * (p * (1 - p) / 1000) ** 0.5, rel=0.01)
    channel = channel_interval(row.mean(1).expand(8))
    assert channel.low == channel.high == channel.mean


@pytest.mark.parametrize("interval", [crossed_interval, shared_interval])
def test_intervals_end_where_scores_end(interval):
    values = 37 + torch.randn(8, 50, generator=torch.Generator().manual_seed(0))
    wide = interval(values, bounds=(-math.inf, math.inf))
    assert 36 < wide.low < wide.mean < wide.high < 38
    assert interval(values, bounds=(37.0, 37.1)).high <= 37.1
    alone = interval(values[:1], bounds=(-math.inf, 40.0))
    assert (alone.low, alone.high) == (-math.inf, 40.0)


def test_the_channels_interval_ends_where_scores_end():
    values = 37 + torch.randn(8, generator=torch.Generator().manual_seed(0))
    assert channel_interval(values, bounds=(-math.inf, math.inf)).high > 37
    assert channel_interval(values).high == 1.0
