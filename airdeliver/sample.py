"""What was measured of a delivery, and the intervals that it makes: arrival and score given arrival apart, joined."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from airdeliver.arrival import arrival_interval, unseen_losses
from airdeliver.fades import Strata
from airdeliver.intervals import (
    Bounds,
    Interval,
    Variance,
    around,
    channel_interval,
    crossed_interval,
    quantile_of,
    shared_interval,
)
from airdeliver.strata import variance_over_fades, variance_over_images, variance_within

LEVEL = 0.95


@dataclass(frozen=True)
class Sample:
    """The scores of deliveries, and what else says how sure their mean is.

    Args:
        scores: of each delivery on each example, the floor where nothing usable arrived; not a number for examples
            that a delivery was not scored on.
        arrived: of which deliveries something usable did.
        settled: mutual information over what it takes to arrive; not a number where chance decides: see
            `airdeliver.Delivery.settled`.
        evaluations: equal numbers for deliveries that have one evaluation in common.
        payloads: equal numbers for deliveries that brought the same values.
        floor: what a delivery counts as of which nothing usable arrived; None if that is not known.
        strata: that deliveries stand for; None for independent ones.
        by_example: whether the scores are of examples, of which a single one says nothing of others; else a delivery
            has one number in all.
    """

    scores: Float[Tensor, "realizations n"]
    arrived: Bool[Tensor, "realizations"]
    settled: Float[Tensor, "realizations"]
    evaluations: Int64[Tensor, "realizations"]
    payloads: Int64[Tensor, "realizations"]
    floor: float | None = 0.0
    strata: Strata | None = None
    by_example: bool = True

    @classmethod
    def of(cls, scores: Float[Tensor, "realizations n"]) -> "Sample":
        """Scores of independent deliveries that arrive for sure, each evaluated by itself."""
        count, numbers = len(scores), torch.arange(len(scores))
        return cls(scores, torch.ones(count, dtype=torch.bool), torch.full((count,), torch.inf), numbers, numbers)

    @classmethod
    def joined(cls, parts: "Sequence[Sample]") -> "Sample":
        """Several parts of one delivery, evaluated one after the other on the same examples."""
        starts = torch.tensor([0, *(len(part.scores) for part in parts)]).cumsum(0).tolist()
        numbered = {
            name: torch.cat([getattr(part, name) + start for part, start in zip(parts, starts)])
            for name in ("evaluations", "payloads")
        }
        whole = {name: torch.cat([getattr(p, name) for p in parts]) for name in ("scores", "arrived", "settled")}
        return replace(parts[0], **whole, **numbered)

    @property
    def means(self) -> Float[Tensor, "realizations"]:
        """Mean score of each delivery."""
        return self.scores.nanmean(1)

    @property
    def shares(self) -> Float[Tensor, "realizations"]:
        """What each delivery counts for in the mean; they add up to 1."""
        if self.strata is not None:
            return self.strata.shares
        return torch.full((len(self.scores),), 1 / len(self.scores), dtype=torch.float64)

    def over_calibrations(self) -> Variance:
        """Variance of the mean, as far as what arrived often was evaluated with few sets of calibrating images.

        What they change is taken to be the same for all payloads.
        """
        if torch.equal(self.evaluations, torch.arange(len(self.evaluations))):
            return Variance()
        freedom, sums = math.inf, 0.0
        for payload in self.payloads[self.arrived].unique().tolist():
            here = self.arrived & (self.payloads == payload)
            first = torch.tensor(sorted({int(e) for e in self.evaluations[here]}))
            if 1 < len(first) < int(here.sum()):
                spread = float(self.means[first].double().var()) / len(first)
                sums += float(self.shares[here.to(self.shares.device)].sum()) * math.sqrt(spread)
                freedom = min(freedom, len(first) - 1)
        return Variance(sums**2, freedom)

    def intervals(self, bounds: Bounds) -> tuple[Interval, Interval]:
        """The mean with its 95 % interval over new channels and new examples, and over new channels alone."""
        return self._independent(bounds) if self.strata is None else self._stratified(self.strata, bounds)

    def _independent(self, bounds: Bounds) -> tuple[Interval, Interval]:
        arrival = arrival_interval(self.arrived, self.settled)
        if not bool(self.arrived.any()):
            nothing = _nothing(self.floor, arrival.high, bounds)
            return nothing, nothing
        given, further = self.scores[self.arrived], self.over_calibrations()
        further = replace(further, value=further.value / arrival.mean**2)
        crossed = shared_interval if bool(given.isnan().any()) else crossed_interval
        channel = channel_interval(given.nanmean(1), bounds=bounds, further=further)
        both = crossed(given, bounds=bounds, further=further) if self.by_example else channel
        if self.floor is None:
            return both, channel
        return joined(arrival, both, self.floor, bounds), joined(arrival, channel, self.floor, bounds)

    def _stratified(self, strata: Strata, bounds: Bounds) -> tuple[Interval, Interval]:
        shares, means = strata.shares, self.means.cpu().double()
        mean, images = float(shares @ means), self.scores.shape[1]
        channel = [
            Variance(variance_over_fades(means, shares, strata.drawn), strata.drawn - 1),
            Variance(variance_within(means, shares)),
            self.over_calibrations(),
        ]
        over_images = Variance(variance_over_images(self.scores.cpu(), shares), max(1, images - 1))
        losses = unseen_losses(shares, strata.drawn, self.arrived, self.settled)
        found = []
        for parts, n in (([*channel, over_images], images), (channel, 0)):
            interval = around(mean, sum(p.value for p in parts), quantile_of(parts, LEVEL), n, LEVEL, bounds)
            found.append(self._with_losses(interval, losses, bounds))
        return (Interval(mean, *bounds) if self.by_example and images < 2 else found[0]), found[1]

    def _with_losses(self, interval: Interval, losses: float, bounds: Bounds) -> Interval:
        """As wide as so large a share of losses that were not seen makes it."""
        if self.floor is None:
            return interval
        if not bool(self.arrived.any()):
            return _nothing(self.floor, losses, bounds)
        gap = float(self.means[self.arrived].mean()) - self.floor
        return joined(Interval(1.0, 1.0 - losses, 1.0), interval, interval.mean - gap, bounds)


def joined(arrival: Interval, given: Interval, floor: float, bounds: Bounds) -> Interval:
    r"""The interval of $f + p (\mu - f)$ from those of p and $\mu$, which are as good as independent.

    Each end is as far from the mean as the root of the squared distances that p and $\mu$ are from theirs.

    Args:
        arrival: of the share p that arrives.
        given: of the score of what arrived.
        floor: of what did not.
        bounds: least and greatest score.

    Source: G. Y. Zou and A. Donner, Statistics in Medicine 27, 2008 (variance estimates recovered from intervals).

    >>> joined(Interval(1.0, 0.75, 1.0), Interval(0.9, 0.8, 1.0), 0.1, (0.0, 1.0))
    Interval(mean=0.9, low=0.6763932022500211, high=1.0)
    """
    share, gap = arrival.mean, given.mean - floor
    fewer, more = share - arrival.low, arrival.high - share
    less, greater = (fewer, more) if gap >= 0 else (more, fewer)
    mean = given.mean if share == 1 else floor + share * gap
    low = mean - math.hypot(less * abs(gap), share * (given.mean - given.low))
    high = mean + math.hypot(greater * abs(gap), share * (given.high - given.mean))
    return Interval(mean, max(bounds[0], low), min(bounds[1], high))


def _nothing(floor: float | None, share: float, bounds: Bounds) -> Interval:
    """Nothing arrived, and at most such a share might."""
    floor = 0.0 if floor is None else floor
    if share == 0:
        return Interval(floor, floor, floor)
    return Interval(floor, floor - share * (floor - bounds[0]), floor + share * (bounds[1] - floor))
