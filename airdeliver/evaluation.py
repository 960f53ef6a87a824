"""Delivered accuracy: how good the models are that the receiver rebuilt."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.arguments import an_object, finite_number, whole
from airdeliver.delivery import Delivery
from airdeliver.intervals import ACCURACY, Bounds
from airdeliver.payload.inputs import Inputs, count, labelled, taken
from airdeliver.randomness import stream
from airdeliver.sample import Sample
from airdeliver.scoring import Scores, scored
from airdeliver.strata import quantiles
from airdeliver.task.accuracy import Accuracy
from airdeliver.task.base import Score
from airdeliver.task.judged import checked, extras_of

UNBOUNDED: Bounds = (-torch.inf, torch.inf)

MOST = 1e15
"""Size of a metric's values whose squares and differences single and double precision still tell apart."""


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
            _mean(said, torch.tensor(arrived, dtype=torch.float64)) if sum(arrived) else {}
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


def evaluate(
    delivery: Delivery,
    inputs: Inputs = None,
    targets: Any = None,
    *,
    task: Score | None = None,
    metric: Callable[[Any], Any] | None = None,
    chance: float | None = None,
    precision: Literal["float32", "bfloat16"] = "float32",
    images_each: int | None = None,
) -> Report:
    """Mean score of what arrived, with 95 % intervals.

    Two kinds of chance blur the mean over K realizations and N examples: another channel, and other test examples. The
    first interval (`low`, `high`) covers both (crossed random effects, `airdeliver.intervals.crossed_interval`); the
    second (`channel_low`, `channel_high`) only the channel's, and narrows with more realizations. Simulated over 500
    repetitions, both cover the truth in 92 to 98 % of them.

    Args:
        delivery: what arrived.
        inputs: prepared inputs, a tensor, a tuple or a mapping of tensors, NumPy arrays, or batches of them; all are
            scored, and the receiver may re-estimate batch norm from some of them. A `DataLoader`, a `Dataset` or a list
            of batches may hold the targets too, last or under `labels`.
        targets: class of each (or of each pixel), or whatever the task's targets are; None where the batches hold them.
        task: whose score is taken: a task, or a score alone such as `airdeliver.task.Explained()` for numbers. None for
            the accuracy of labels.
        metric: any function of a model to a number, instead of targets: only the channel's interval is known then, and
            `low`, `high` repeat it. A function to one number for each example has both intervals.
        chance: the score of a delivery of which nothing usable arrived; None for the task's floor, for labels alone one
            over the number of classes, the largest label plus one.
        precision: of the forward passes; `float32` stands for the network's own.
        images_each: score every delivery on so many of the examples, drawn at random for each alone; None for all. The
            deliveries' scores are then independent and each is, on average, that on all examples, so both intervals
            stay what they say: wider for as many deliveries, far narrower for as much time. `std` and
            `per_realization` hold the chance of the examples, too.

    Raises:
        ValueError: images_each that is not between 1 and the number of examples; neither inputs with as many targets
            nor a metric; outputs and targets of shapes that do not belong together; or the metric is not finite, or
            nothing usable arrived, in some realization and `chance` is not known.
        TypeError: a network whose answer is no tensor, or a task that cannot score.
    """
    started = time.perf_counter()
    an_object(delivery, Delivery, "delivery", "what deliver(...) returns")
    if precision not in ("float32", "bfloat16"):
        raise ValueError(f"precision must be float32 or bfloat16, got {precision!r}")
    if metric is not None and not callable(metric):
        raise TypeError(f"metric must be a function of a model, got {type(metric).__name__}: give task= for a score")
    inputs, targets = labelled(inputs, targets)
    if metric is not None:
        chance = None if chance is None else finite_number(chance, "chance", -MOST, MOST)
        scores, finite = _measured(delivery, metric, inputs, chance)
        calibrated = _most_calibrating(delivery, count(inputs)) if inputs is not None and delivery.calibrates else 0
        seconds, sample = time.perf_counter() - started, _sample(delivery, scores, chance)
        return Report.of(sample, delivery.usable, calibrated, seconds, "metric", UNBOUNDED, finite)
    if inputs is None or not isinstance(targets, Tensor) or not targets.ndim or count(inputs) != len(targets):
        found = "none" if inputs is None else count(inputs)
        told = type(targets).__name__ if not isinstance(targets, Tensor) else len(targets) if targets.ndim else "one"
        raise ValueError(f"evaluate needs inputs and as many labels or targets, or a metric, got {found} and {told}")
    score = _of_labels(targets) if task is None else task
    if not isinstance(score, Score):
        raise TypeError(f"task must be a task or a score of airdeliver.task, got {type(score).__name__}")
    checked(score)
    rows = _calibration_rows(delivery, count(inputs))
    shares = None if images_each is None else _shares(delivery, count(inputs), images_each)
    floor = None if chance is None else finite_number(chance, "chance", *score.bounds)
    found = scored(delivery, inputs, targets, rows, score, floor, precision, shares)
    sample = _sample(delivery, found.scores, found.floor, found)
    calibrates = delivery.calibrates
    return Report.of(
        sample,
        delivery.usable,
        rows.shape[1] if calibrates else 0,
        time.perf_counter() - started,
        score.metric,
        score.bounds,
        float(sample.shares @ found.finite.double()),
        _mean([extras_of(score, tally) for tally in found.tallies], sample.shares[sample.arrived]),
        rows.shape[1] / count(inputs) if calibrates else 0.0,
        _mean(found.paths, sample.shares[sample.arrived]),
    )


def _sample(delivery: Delivery, scores: Tensor, floor: float | None, judged: Scores | None = None) -> Sample:
    numbers = torch.arange(len(scores))
    evaluations, payloads = (numbers, numbers) if judged is None else (judged.evaluations, judged.payloads)
    arrived, settled = delivery.usable_realizations, delivery.settled
    return Sample(scores, arrived, settled, evaluations, payloads, floor, delivery.strata)


def _of_labels(labels: Tensor) -> Accuracy:
    """The accuracy of labels alone: as many classes as the largest says, but at least two."""
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(
            f"labels must be whole numbers, got {labels.dtype}: labels.long() makes them whole, numbers to predict "
            "need task=Explained()"
        )
    if not labels.numel() or int(labels.min()) < 0:
        least = int(labels.min()) if labels.numel() else "none"
        raise ValueError(f"labels must be from 0 on, got {least}: leave out examples without a label")
    return Accuracy(max(2, int(labels.max()) + 1))


def _mean(said: Sequence[Mapping[str, float]], shares: Tensor) -> dict[str, float]:
    """The mean of each number by its name; one that is not said of a delivery is 0."""
    weights = (shares / shares.sum()).tolist()
    names = dict.fromkeys(name for each in said for name in each)
    return {
        name: sum(weight * each.get(name, 0.0) for weight, each in zip(weights, said, strict=True)) for name in names
    }


def _most_calibrating(delivery: Delivery, n: int) -> int:
    return min(n, delivery.normalisation.calibration_inputs)


def _calibration_rows(delivery: Delivery, n: int) -> Int64[Tensor, "realizations rows"]:
    """Seeded-random rows of the inputs to be served, others for every receiver; all of them where there are no more."""
    most = _most_calibrating(delivery, n)
    if most == n:
        return torch.arange(n).expand(delivery.realizations, -1)
    numbers = range(delivery.first, delivery.first + delivery.realizations)
    orders = (torch.randperm(n, generator=stream(delivery.seed, "calibration", number)) for number in numbers)
    return torch.stack([order[:most] for order in orders])


def _shares(delivery: Delivery, n: int, each: int) -> Int64[Tensor, "realizations each"] | None:
    """The rows that each delivery is scored on: the same for every scheme, since they depend on the seed alone."""
    each = whole(each, "images_each")
    if not 1 <= each <= n:
        raise ValueError(f"images_each must be between 1 and the {n} images, got {each}")
    if each == n:
        return None
    numbers = range(delivery.first, delivery.first + delivery.realizations)
    orders = (torch.randperm(n, generator=stream(delivery.seed, "test images", number)) for number in numbers)
    device = delivery.groups[0].decoded.values.device
    return torch.stack([order[:each] for order in orders]).to(device)


def _measured(
    delivery: Delivery, metric: Callable[[Any], Any], inputs: Inputs, chance: float | None
) -> tuple[Float[Tensor, "realizations n"], float]:
    """The metric of each delivery, or its value for each example, and the share of deliveries where it is finite."""
    usable = delivery.usable_realizations
    rows = None if inputs is None else _calibration_rows(delivery, count(inputs))
    if chance is None and not bool(usable.all()):
        raise ValueError("nothing usable arrived in some realizations: give `chance`, the metric's value for those")
    values: list[Tensor | None] = []
    broken = 0
    for k, ok in enumerate(usable.tolist()):
        calibration = None if inputs is None or rows is None else taken(inputs, rows[k])
        values.append(_measurement(metric(delivery.model(k, calibration))) if ok else None)
        found = values[-1]
        if found is not None and not bool(found.isfinite().all()):
            if chance is None:
                raise ValueError(f"the metric is not finite in realization {k}: give `chance`, what that counts as")
            broken += 1
            values[-1] = torch.where(found.isfinite(), found, chance)
    known = {tuple(value.shape) for value in values if value is not None}
    if len(known) > 1 or any(len(shape) > 1 for shape in known):
        raise ValueError(f"a metric gives one number, or one for each example, got shapes {sorted(known)}")
    each = max((value.numel() for value in values if value is not None), default=1)
    rows = [torch.full((each,), float(chance or 0.0)) if value is None else value.reshape(each) for value in values]
    return torch.stack(rows), 1 - broken / len(values)


def _measurement(value: Any) -> Tensor:
    """What a metric gave: one number, or one for each example."""
    try:
        found = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"a metric gives one number, or one for each example, got {type(value).__name__}") from error
    if found.is_complex() or found.layout != torch.strided or not found.numel():
        raise TypeError(f"a metric gives real numbers, got {found.dtype} of shape {tuple(found.shape)}")
    found = found.detach().float().cpu()
    if bool((found.abs() > MOST).any()) and bool(found.isfinite().all()):
        raise ValueError(f"a metric's values must be at most {MOST:g} in size, got {float(found.abs().max()):g}")
    return found
