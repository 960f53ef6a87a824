"""The intervals cover what they say, also for few realizations, with losses, and near 0 and 1."""

import pytest

from airdeliver.arrival import share_interval
from airdeliver.intervals import Interval
from airdeliver.sample import joined
from benchmarks import coverage


def test_share_interval_is_the_exact_one():
    """All of 16: the low end is 0.025^(1/16); 5 of 10: [0.187, 0.813], as tables have it."""
    assert share_interval(1.0, 16).low == pytest.approx(0.025 ** (1 / 16))
    half = share_interval(0.5, 10)
    assert (half.low, half.high) == pytest.approx((0.1871, 0.8129), abs=1e-4)


def test_arrival_and_score_join_as_the_root_of_squares():
    """f + p (mu - f) with p = 0.5 [0.3, 0.7], mu = 0.9 [0.8, 1.0], f = 0.1: 0.5 +- sqrt(0.16^2 + 0.05^2)."""
    found = joined(Interval(0.5, 0.3, 0.7), Interval(0.9, 0.8, 1.0), 0.1, (0.0, 1.0))
    reach = (0.16**2 + 0.05**2) ** 0.5
    assert (found.mean, found.low, found.high) == pytest.approx((0.5, 0.5 - reach, 0.5 + reach))


def test_few_realizations_cover(monkeypatch: pytest.MonkeyPatch):
    """At least 92 % of 250 repetitions, less 3 standard errors of those."""
    monkeypatch.setattr(coverage, "REALIZATIONS", (2, 4))
    monkeypatch.setattr(coverage, "OUTAGES", (0.0, 0.1))
    monkeypatch.setattr(coverage, "ACCURACIES", (0.5, 0.98))
    found = coverage.of_realizations(250)
    assert found["coverage"].min() >= 0.92 - 3 * (0.92 * 0.08 / 250) ** 0.5


@pytest.mark.slow
def test_everything_covers():
    """At least 92 % of 1,000 repetitions, less 3 standard errors; strata and seeds of 200."""
    assert coverage.of_realizations(1000)["coverage"].min() >= 0.92 - 3 * (0.92 * 0.08 / 1000) ** 0.5
    for found in (coverage.of_fades(200), coverage.of_seeds(200)):
        assert found["coverage"].min() >= 0.92 - 3 * (0.92 * 0.08 / 200) ** 0.5
    assert found["coverage"].min() > 0.9
    assert coverage.of_fades(200)["worth_of_fades"].min() >= 500
