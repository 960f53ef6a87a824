"""95 % intervals for a score that two kinds of chance blur: the channel's realizations and the test images."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from scipy.special import stdtrit
from torch import Tensor


@dataclass(frozen=True)
class Interval:
    """A mean score with its 95 % interval."""

    mean: float
    low: float
    high: float


Bounds = tuple[float, float]
"""Least and greatest score; no interval goes beyond."""
ACCURACY: Bounds = (0.0, 1.0)


def crossed_interval(
    scores: Float[Tensor, "realizations images"], level: float = 0.95, bounds: Bounds = ACCURACY
) -> Interval:
    r"""Interval of the mean score over new realizations and new test images.

    Every realization meets the same images, so the mean over both has the variance of crossed random effects,
    $\sigma_r^2 / K + \sigma_i^2 / N + \sigma_e^2 / (K N)$, estimated without bias from the spread of the rows' means,
    the columns' means and the residual; Student's t with Satterthwaite's degrees of freedom. One realization says
    nothing of the channel's randomness: the interval is then that of all possible scores.

    Source: S. R. Searle, G. Casella and C. E. McCulloch, Variance Components, 1992, section 4.3; A. B. Owen, The
    pigeonhole bootstrap, 2007 (crossed effects).
    """
    k, n = scores.shape
    if k < 2 or n < 2:
        return Interval(float(scores.mean()), *bounds)
    scores = scores.double()
    rows, columns, mean = scores.mean(1), scores.mean(0), scores.mean()
    by_row = float(rows.var()) / k
    by_column = float(columns.var()) / n
    squares = scores.square().sum() - n * rows.square().sum() - k * columns.square().sum() + k * n * mean.square()
    residual = float(squares) / ((k - 1) * (n - 1)) / (k * n)
    variance = max(by_row + by_column - residual, by_row, by_column)
    freedom = variance**2 / (by_row**2 / (k - 1) + by_column**2 / (n - 1)) if variance > 0 else 1.0
    return _student(float(mean), variance, max(1.0, freedom), level, bounds)


def shared_interval(
    scores: Float[Tensor, "realizations images"], level: float = 0.95, bounds: Bounds = ACCURACY
) -> Interval:
    r"""`crossed_interval` where each realization was scored on a random subset of the images, drawn anew for each.

    Not a number marks what was not scored. With the images given, the rows' means are independent and each has the
    mean over all images as its expectation, so their spread holds everything but $\sigma_i^2 / N$: what other test
    images would change. That variance between images is measured by the pairs of different realizations that met on
    an image, against those that met on different ones.

    Source: as `crossed_interval`; A. B. Owen and D. Eckles, Bootstrapping data arrays of arbitrary order, 2012
    (moments over pairs).
    """
    k, n = scores.shape
    seen = ~scores.isnan()
    known = scores.nan_to_num(nan=0.0).double()
    rows = known.sum(1) / seen.sum(1)
    mean = float(rows.mean())
    if k < 2 or n < 2:
        return Interval(mean, *bounds)
    by_row = float(rows.var()) / k
    by_column = _variance_between_images(known, seen) / n
    variance = by_row + by_column
    freedom = variance**2 / (by_row**2 / (k - 1) + by_column**2 / (n - 1)) if variance > 0 else 1.0
    return _student(mean, variance, max(1.0, freedom), level, bounds)


def _variance_between_images(known: Float[Tensor, "realizations images"], seen: Tensor) -> float:
    """From all pairs of different realizations; where no two met on an image, the variance of all scores, no less."""
    total, count = known.sum(), float(seen.sum())
    columns, met = known.sum(0), seen.sum(0).double()
    squares = known.square().sum()
    pairs = float(met.square().sum() - count)
    all_scores = float(squares / count - (total / count).square())
    apart = count**2 - float(seen.sum(1).double().square().sum()) - pairs
    if pairs <= 0 or apart <= 0:
        return all_scores
    together = float(columns.square().sum() - squares)
    elsewhere = float(total.square() - known.sum(1).square().sum()) - together
    return min(max(together / pairs - elsewhere / apart, 0.0), all_scores)


def channel_interval(
    accuracies: Float[Tensor, "realizations"], level: float = 0.95, bounds: Bounds = ACCURACY
) -> Interval:
    """Interval of the mean over new realizations with the test images as given; more realizations narrow it.

    Student's t on the mean score of each realization; all possible scores for a single one.
    """
    k = len(accuracies)
    if k < 2:
        return Interval(float(accuracies.mean()), *bounds)
    accuracies = accuracies.double()
    return _student(float(accuracies.mean()), float(accuracies.var()) / k, float(k - 1), level, bounds)


def _student(mean: float, variance: float, freedom: float, level: float, bounds: Bounds) -> Interval:
    half = float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(variance) if variance > 0 else 0.0
    return Interval(mean, max(bounds[0], mean - half), min(bounds[1], mean + half))
