"""The variance of a mean over strata of which one delivery each was sent."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor


def quantiles(
    scores: Float[Tensor, "deliveries"], shares: Float[Tensor, "deliveries"], at: Sequence[float]
) -> Float[Tensor, "quantiles"]:
    """Scores that so large shares are below, of deliveries that each stand for a share of all.

    On straight lines between the scores in their order, each in the middle of what it counts for.

    Args:
        scores: of deliveries.
        shares: of all, that each stands for; they add up to 1.
        at: which quantiles, 0 to 1: the least score and the greatest.

    >>> quantiles(torch.tensor([0.0, 1.0]), torch.tensor([0.5, 0.5]), [0.0, 0.25, 1.0]).tolist()
    [0.0, 0.25, 1.0]
    """
    order = scores.argsort(stable=True)
    ranked, counted = scores[order].double(), shares[order].double()
    middle = counted.cumsum(0) - counted / 2
    places = (middle - middle[0]) / (middle[-1] - middle[0]).clamp(min=1e-12)
    wanted = torch.tensor(list(at), dtype=torch.float64)
    right = torch.searchsorted(places, wanted).clamp(1, max(1, len(places) - 1))
    if len(ranked) == 1:
        return ranked.expand(len(wanted))
    left = right - 1
    along = (wanted - places[left]) / (places[right] - places[left]).clamp(min=1e-12)
    return ranked[left] + along.clamp(0, 1) * (ranked[right] - ranked[left])


def variance_over_fades(means: Float[Tensor, "strata"], shares: Float[Tensor, "strata"], drawn: int) -> float:
    """Of the mean over all fades, as far as those that were drawn are a sample of all there might be."""
    means, shares = means.double(), shares.double()
    return float(shares @ (means - shares @ means).square()) / drawn


def variance_within(means: Float[Tensor, "strata"], shares: Float[Tensor, "strata"]) -> float:
    r"""Of the mean, as far as one delivery does not say what its whole stratum would.

    $\sum_k w_k^2 \sigma_k^2$. The variance within a stratum comes from its neighbours: that of noise and of a score
    that rises evenly over strata of one width from second differences, $(y_{k-1} - 2 y_k + y_{k+1})^2 / 6$, or, where
    it is more, from the slope alone, $((y_{k+1} - y_{k-1}) / 2)^2 / 12$. For a step inside a stratum (an outage) the
    sum is twice what it is on average, and 4/3 of what it may be at most.

    Source: K. M. Wolter, Introduction to Variance Estimation, 2007, section 8.2 (one unit a stratum, in order).

    >>> round(variance_within(torch.tensor([0.1, 0.1, 0.1, 0.8, 0.8, 0.8]), torch.full((6,), 1 / 6)), 5)
    0.00454
    """
    y, w = means.double(), shares.double()
    bend = (y[:-2] - 2 * y[1:-1] + y[2:]).square() / 6
    slope = ((y[2:] - y[:-2]) / 2).square() / 12
    inner = torch.maximum(bend, slope)
    ends = torch.stack([(y[1] - y[0]).square(), (y[-1] - y[-2]).square()]) / 12
    first, last = torch.maximum(bend[:1], ends[:1]), torch.maximum(bend[-1:], ends[1:])
    return float(w.square() @ torch.cat([first, inner, last]))


def variance_over_images(scores: Float[Tensor, "strata images"], shares: Float[Tensor, "strata"]) -> float:
    r"""Of the weighted mean, over which images it is measured on; not a number marks what was not scored.

    With $a_{ki} = w_k (s_{ki} - \bar s_k) / f_k$ where delivery k was scored on image i and $f_k$ the share of images
    that it was scored on, $E[a_{ki} a_{li}]$ of different deliveries is what they share of the images' variance.

    Source: A. B. Owen and D. Eckles, Bootstrapping data arrays of arbitrary order, 2012 (moments over pairs).
    """
    seen = ~scores.isnan()
    n = scores.shape[1]
    if n < 2:
        return 0.0
    known = scores.nan_to_num(nan=0.0).double()
    counts = seen.sum(1, keepdim=True).double()
    deviation = (known - known.sum(1, keepdim=True) / counts) * seen
    own = deviation.square().sum(1) / (counts[:, 0] - 1).clamp(min=1)
    weighted = deviation * (shares.double()[:, None] * n / counts)
    together = float(weighted.sum(0).square().sum() - weighted.square().sum()) / (n - 1)
    alone = float(shares.double().square() @ own)
    return max(together + alone, alone) / n
