"""95 % intervals for a score that two kinds of chance blur: the channel's realizations and the test images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Float
from scipy.special import betaincinv, ndtri, stdtrit
from torch import Tensor


@dataclass(frozen=True)
class Interval:
    """A mean score with its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Variance:
    """A part of a mean's variance.

    Args:
        value: of it.
        freedom: degrees of freedom that it was measured with.
    """

    value: float = 0.0
    freedom: float | int = math.inf


NONE = Variance()

Bounds = tuple[float, float]
"""Least and greatest score; no interval goes beyond."""
ACCURACY: Bounds = (0.0, 1.0)


def crossed_interval(
    scores: Float[Tensor, "realizations images"],
    level: float = 0.95,
    bounds: Bounds = ACCURACY,
    further: Variance = NONE,
) -> Interval:
    r"""Interval of the mean score over new realizations and new test images.

    Every realization meets the same images, so the mean over both has the variance of crossed random effects,
    $\sigma_r^2 / K + \sigma_i^2 / N + \sigma_e^2 / (K N)$, estimated without bias from the spread of the rows' means,
    the columns' means and the residual; see `quantile_of` and `around` for the interval that this makes.
    One realization says nothing of the channel's randomness: the interval is then that of all possible scores.
    `further` is variance of the mean that neither realizations nor images show.

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
    parts = (Variance(by_row, k - 1), Variance(by_column, n - 1), further)
    return around(float(mean), variance + further.value, quantile_of(parts, level), n, level, bounds)


def shared_interval(
    scores: Float[Tensor, "realizations images"],
    level: float = 0.95,
    bounds: Bounds = ACCURACY,
    further: Variance = NONE,
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
    parts = (Variance(by_row, k - 1), Variance(by_column, n - 1), further)
    return around(mean, sum(part.value for part in parts), quantile_of(parts, level), n, level, bounds)


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
    accuracies: Float[Tensor, "realizations"],
    level: float = 0.95,
    bounds: Bounds = ACCURACY,
    further: Variance = NONE,
) -> Interval:
    """Interval of the mean over new realizations with the test images as given; more realizations narrow it.

    From the mean score of each realization; all possible scores for a single one.
    """
    k = len(accuracies)
    if k < 2:
        return Interval(float(accuracies.mean()), *bounds)
    accuracies = accuracies.double()
    parts = (Variance(float(accuracies.var()) / k, k - 1), further)
    return around(float(accuracies.mean()), sum(p.value for p in parts), quantile_of(parts, level), 0, level, bounds)


def quantile_of(parts: Sequence[Variance], level: float = 0.95) -> float:
    r"""How many standard deviations the interval reaches to each side: $\sqrt{\sum_i t_i^2 v_i / \sum_i v_i}$.

    Each part has the quantile of Student's t of its own degrees of freedom. Degrees of freedom of the sum, as
    Satterthwaite has them, cover less where few realizations happen to be alike: 90 % with two.

    Args:
        parts: of the variance, independent of each other.
        level: of the interval.

    Source: G. Y. Zou and A. Donner, Statistics in Medicine 27, 2008 (variance estimates recovered from intervals).

    >>> f"{quantile_of([Variance(1.0, 1)]):.2f} {quantile_of([Variance(1.0, 1), Variance(9.0)]):.2f}"
    '12.71 4.43'
    """
    tail = (1 + level) / 2
    squares = [
        (part.value, (float(ndtri(tail) if math.isinf(part.freedom) else stdtrit(part.freedom, tail))) ** 2)
        for part in parts
        if part.value > 0
    ]
    total = sum(value for value, _ in squares)
    return math.sqrt(sum(value * square for value, square in squares) / total) if total > 0 else float(ndtri(tail))


def around(mean: float, variance: float, quantile: float, images: int, level: float, bounds: Bounds) -> Interval:
    r"""The interval of a mean of such a variance.

    Between finite bounds, that of a share: of so many independent trials as have this variance, $a (1 - a) / v$, fewer
    by the squared ratio of the quantiles of Student's t and the normal distribution, as is usual where a sample is not
    simple; by Jeffreys' rule. It ends before the bounds, leans as it must near them, and is Student's t far from
    them. Scores that are all at one bound have no variance: as many trials as there are images then say how near the
    mean is to it. Without bounds it is Student's t.

    Args:
        mean: of the scores.
        variance: of the mean.
        quantile: standard deviations that the interval would reach to each side, if it were Student's t.
        images: that were scored; 0 where they are as given, and scores that are all alike leave nothing to chance.
        level: of the interval.
        bounds: least and greatest score.

    Source: E. L. Korn and B. I. Graubard, Survey Methodology 24, 1998 (effective sample size); L. D. Brown, T. T. Cai
    and A. DasGupta, Statistical Science 16, 2001 (Jeffreys' interval).
    """
    if not math.isfinite(bounds[1] - bounds[0]):
        half = quantile * math.sqrt(variance) if variance > 0 else 0.0
        return Interval(mean, max(bounds[0], mean - half), min(bounds[1], mean + half))
    place = min(max((mean - bounds[0]) / (bounds[1] - bounds[0]), 0.0), 1.0)
    if variance > 0:
        relative = variance / (bounds[1] - bounds[0]) ** 2
        trials = place * (1 - place) / relative * (float(ndtri((1 + level) / 2)) / quantile) ** 2
    elif images and place in (0.0, 1.0):
        trials = float(images)
    else:
        return Interval(mean, mean, mean)
    right, wrong = place * trials + 0.5, (1 - place) * trials + 0.5
    low, high = (float(betaincinv(right, wrong, at)) for at in ((1 - level) / 2, (1 + level) / 2))
    low, high = (0.0 if place == 0 else min(low, place)), (1.0 if place == 1 else max(high, place))
    return Interval(mean, *(bounds[0] + end * (bounds[1] - bounds[0]) for end in (low, high)))
