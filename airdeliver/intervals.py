"""95 % intervals for an accuracy that two kinds of chance blur: the channel's realizations and the test images."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from scipy.stats import t as student
from torch import Tensor


@dataclass(frozen=True)
class Interval:
    """An accuracy in 0..1 with its 95 % interval."""

    mean: float
    low: float
    high: float


def crossed_interval(scores: Float[Tensor, "realizations images"], level: float = 0.95) -> Interval:
    r"""Interval of the mean score over new realizations and new test images.

    Every realization meets the same images, so the mean over both has the variance of crossed random effects,
    $\sigma_r^2 / K + \sigma_i^2 / N + \sigma_e^2 / (K N)$, estimated without bias from the spread of the rows' means,
    the columns' means and the residual; Student's t with Satterthwaite's degrees of freedom. One realization says
    nothing of the channel's randomness: the interval is then [0, 1].

    Source: S. R. Searle, G. Casella and C. E. McCulloch, Variance Components, 1992, section 4.3; A. B. Owen, The
    pigeonhole bootstrap, 2007 (crossed effects).
    """
    k, n = scores.shape
    if k < 2 or n < 2:
        return Interval(float(scores.mean()), 0.0, 1.0)
    scores = scores.double()
    rows, columns, mean = scores.mean(1), scores.mean(0), scores.mean()
    by_row = float(rows.var()) / k
    by_column = float(columns.var()) / n
    squares = scores.square().sum() - n * rows.square().sum() - k * columns.square().sum() + k * n * mean.square()
    residual = float(squares) / ((k - 1) * (n - 1)) / (k * n)
    variance = max(by_row + by_column - residual, by_row, by_column)
    freedom = variance**2 / (by_row**2 / (k - 1) + by_column**2 / (n - 1)) if variance > 0 else 1.0
    return _student(float(mean), variance, max(1.0, freedom), level)


def channel_interval(accuracies: Float[Tensor, "realizations"], level: float = 0.95) -> Interval:
    """Interval of the mean over new realizations with the test images as given; more realizations narrow it.

    Student's t on the accuracy of each realization; [0, 1] for a single one.
    """
    k = len(accuracies)
    if k < 2:
        return Interval(float(accuracies.mean()), 0.0, 1.0)
    accuracies = accuracies.double()
    return _student(float(accuracies.mean()), float(accuracies.var()) / k, float(k - 1), level)


def _student(mean: float, variance: float, freedom: float, level: float) -> Interval:
    half = float(student.ppf((1 + level) / 2, freedom)) * math.sqrt(variance) if variance > 0 else 0.0
    return Interval(mean, max(0.0, mean - half), min(1.0, mean + half))
