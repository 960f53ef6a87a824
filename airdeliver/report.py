"""What a delivery is worth: a mean score with its intervals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.intervals import ACCURACY, Bounds
from airdeliver.sample import Sample
from airdeliver.strata import quantiles


@dataclass(frozen=True, repr=False)
class Report:
    """The mean score of what arrived, called accuracy whatever the task is, with its intervals.

    Args:
        accuracy: mean over realizations and examples; a delivery of which nothing usable arrived counts as the floor
            (chance), and so do outputs that are not finite. Where deliveries stand for many fades, over these.
        low: lower end of the 95 % interval over new channel realizations and new test examples.
        high: its upper end.
        channel_low: lower end of the 95 % interval over new channel realizations alone, the test examples as given.
        channel_high: its upper end.
        std: standard deviation of the mean score from realization to realization.
        per_realization: mean score of each delivery.
        usable: share of deliveries of which something usable arrived.
        calibration_inputs: inputs from which the receiver re-estimated batch norm; 0 if it did not.
        evaluate_seconds: how long the evaluation took.
        sample: the scores that all of this follows from.
        metric: what the score is called.
        bounds: least and greatest possible score.
        finite: share of deliveries without outputs that are not finite; below 1 where what arrived is a broken network.
        extras: what else the task says of networks, the mean over usable deliveries, by name.
        calibrated_share: share of the scored examples that the network which was scored on them was calibrated on, too.
        paths: share of the examples that took each path of a dynamic network, by its name, the mean over usable
            deliveries; empty for other networks.
    """

    accuracy: float
    low: float
    high: float
    channel_low: float
    channel_high: float
    std: float
    per_realization: Float[Tensor, "realizations"]
    usable: float
    calibration_inputs: int
    evaluate_seconds: float
    sample: Sample = field(repr=False)
    metric: str = "accuracy"
    bounds: Bounds = ACCURACY
    finite: float = 1.0
    extras: Mapping[str, float] = field(default_factory=dict)
    calibrated_share: float = 0.0
    paths: Mapping[str, float] = field(default_factory=dict)

    @property
    def scores(self) -> Float[Tensor, "realizations n"]:
        """Of each delivery on each example (or the metric's value); not a number where it was not scored."""
        return self.sample.scores

    @property
    def shares(self) -> Float[Tensor, "realizations"]:
        """What each delivery counts for in the mean; they add up to 1."""
        return self.sample.shares

    def quantile(self, share: float) -> float:
        """The mean score that such a share of deliveries is below, each counted for what it stands for.

        Raises:
            ValueError: a share that is not between 0 and 1.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"share must be between 0 and 1, got {share}")
        return float(quantiles(self.per_realization.cpu(), self.shares.cpu(), [share])[0])

    @classmethod
    def of(
        cls,
        sample: Sample,
        usable: float,
        calibration_inputs: int,
        evaluate_seconds: float,
        metric: str = "accuracy",
        bounds: Bounds = ACCURACY,
        finite: float = 1.0,
        extras: Mapping[str, float] | None = None,
        calibrated_share: float = 0.0,
        paths: Mapping[str, float] | None = None,
    ) -> "Report":
        """Mean and intervals of what was measured; the other arguments are passed on."""
        both, channel = sample.intervals(bounds)
        return cls(
            accuracy=channel.mean,
            # An interval of no width is the mean, however that was rounded.
            low=min(both.low, channel.mean),
            high=max(both.high, channel.mean),
            channel_low=min(channel.low, channel.mean),
            channel_high=max(channel.high, channel.mean),
            std=_std(sample),
            per_realization=sample.means,
            usable=usable,
            calibration_inputs=calibration_inputs,
            evaluate_seconds=evaluate_seconds,
            sample=sample,
            metric=metric,
            bounds=bounds,
            finite=finite,
            extras=dict(extras or {}),
            calibrated_share=calibrated_share,
            paths=dict(paths or {}),
        )

    def to_dict(self) -> dict[str, Any]:
        """What is said in numbers and words, as JSON holds it; scores of examples are left out.

        >>> sample = Sample.of(torch.tensor([[1.0, 0.0], [1.0, 1.0]]))
        >>> Report.of(sample, 1.0, 0, 0.0).to_dict()["per_realization"]
        [0.5, 1.0]
        """
        said = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("sample", "per_realization")}
        said |= {"bounds": list(self.bounds), "extras": dict(self.extras), "paths": dict(self.paths)}
        return {**said, "realizations": len(self.per_realization), "per_realization": self.per_realization.tolist()}

    def __repr__(self) -> str:
        lost = f", {self.usable:.0%} usable" if self.usable < 1 else ""
        broken = f", {self.finite:.0%} finite" if self.finite < 1 else ""
        return (
            f"Report({self.metric} {self.accuracy:.4g}, 95 % interval {self.low:.4g} to {self.high:.4g}, "
            f"{len(self.per_realization)} realizations of {self.scores.shape[1]} examples{lost}{broken})"
        )

    @classmethod
    def merged(cls, parts: "Sequence[Report]") -> "Report":
        """The report of several parts of one delivery, evaluated one after the other on the same examples."""
        sample = Sample.joined([part.sample for part in parts])
        usable, finite, calibrated = (
            sum(share * len(part.scores) for share, part in zip(shares, parts)) / len(sample.scores)
            for shares in zip(*((part.usable, part.finite, part.calibrated_share) for part in parts), strict=True)
        )
        arrived = [part.usable * len(part.scores) for part in parts]
        extras, paths = (
            weighted_mean(said, torch.tensor(arrived, dtype=torch.float64)) if sum(arrived) else {}
            for said in ([part.extras for part in parts], [part.paths for part in parts])
        )
        seconds, first = sum(part.evaluate_seconds for part in parts), parts[0]
        described = (first.calibration_inputs, seconds, first.metric, first.bounds, finite, extras, calibrated, paths)
        return cls.of(sample, usable, *described)


def _std(sample: Sample) -> float:
    means = sample.means.double().cpu()
    if sample.strata is None:
        return float(means.std()) if len(means) > 1 else 0.0
    return math.sqrt(float(sample.shares @ (means - sample.shares @ means).square()))


def weighted_mean(said: Sequence[Mapping[str, float]], shares: Tensor) -> dict[str, float]:
    """The mean of each number by its name; one that is not said of a delivery is 0."""
    weights = (shares / shares.sum()).tolist()
    names = dict.fromkeys(name for each in said for name in each)
    return {
        name: sum(weight * each.get(name, 0.0) for weight, each in zip(weights, said, strict=True)) for name in names
    }
