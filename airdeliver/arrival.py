"""The share of deliveries that arrives: its exact interval, and a bound for losses that were not seen."""

import math

import torch
from jaxtyping import Bool, Float
from scipy.special import betaincinv
from torch import Tensor

from airdeliver.intervals import Interval

_FADES = 1e-3
"""Octaves of mutual information between deliveries that are the rounding of one channel without fading."""


def share_interval(share: float, count: float | int, level: float = 0.95) -> Interval:
    """Clopper and Pearson's interval for a share of so many independent trials; it covers at least at its level.

    Args:
        share: that was seen.
        count: of trials; not a whole number for an effective one.
        level: of the interval.

    Source: C. J. Clopper and E. S. Pearson, Biometrika 26, 1934.

    >>> f"{share_interval(1.0, 16).low:.3f}", share_interval(1.0, 16).high
    ('0.794', 1.0)
    """
    tail, hits = (1 - level) / 2, share * count
    low = float(betaincinv(hits, count - hits + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, count - hits, 1 - tail)) if hits < count else 1.0
    return Interval(share, low, high)


def arrival_interval(arrived: Bool[Tensor, "realizations"], settled: Float[Tensor, "realizations"]) -> Interval:
    """The share of independent deliveries that arrives; as wide as the losses, or arrivals, that were not seen may be.

    Where the mutual information settles what arrives and is the same for all deliveries, as without fading, there is
    nothing that was not seen. Where it varies and all arrived, or none, the other fate is at most as likely as Clopper
    and Pearson's interval says, nor as Cantelli's inequality says of the logarithm of the mutual information: 1 / (1 +
    k^2) beyond k standard deviations, which are measured, so that this bound is an estimate.

    Args:
        arrived: of each delivery whether it did.
        settled: mutual information over what it takes to arrive; not a number where chance decides.
    """
    exact = share_interval(float(arrived.double().mean()), len(arrived))
    if 0 < exact.mean < 1 or bool(settled.isnan().any()):
        return exact
    margin = settled.double().clamp(1e-30, 1e30).log2()
    spread = float(margin.std()) if len(margin) > 1 else math.inf
    spread = 0.0 if len(margin) > 1 and float(margin.max() - margin.min()) < _FADES else spread
    distance = abs(float(margin.mean()))
    other = 0.0 if spread == 0 else 1 / (1 + (distance / spread) ** 2)
    if exact.mean == 1:
        return Interval(1.0, max(exact.low, 1 - other), 1.0)
    return Interval(0.0, 0.0, min(exact.high, other))


def unseen_losses(
    shares: Float[Tensor, "realizations"],
    drawn: int,
    arrived: Bool[Tensor, "realizations"],
    settled: Float[Tensor, "realizations"],
) -> float:
    """The largest share of fades that may be lost and was not seen to be, where deliveries stand for strata.

    Where the mutual information settles what arrives, losses lie in the lowest stratum, if its delivery arrived, and
    beyond the fades that were drawn. Where chance decides, a code block may be lost at any: Clopper and Pearson's bound
    for as many trials as the strata above the last loss are worth.

    Args:
        shares: of the fades, that each delivery stands for; their mutual information rises.
        drawn: fades.
        arrived: of each delivery whether it did.
        settled: mutual information over what it takes to arrive; not a number where chance decides.
    """
    beyond = 1 - share_interval(1.0, drawn).low
    lost = torch.nonzero(~arrived).flatten()
    above = shares[int(lost[-1]) + 1 :] if len(lost) else shares
    if not len(above):
        return beyond
    if bool(settled.isnan().any()):
        trials = float(above.sum().square() / above.square().sum())
        return max(beyond, float(above.sum()) * (1 - share_interval(1.0, trials).low))
    return beyond if len(lost) else max(beyond, float(shares[0]))
