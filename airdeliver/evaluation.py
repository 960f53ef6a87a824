"""Delivered accuracy: how good the models are that the receiver rebuilt."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.delivery import Delivery
from airdeliver.intervals import ACCURACY, Bounds, channel_interval, crossed_interval, shared_interval
from airdeliver.payload.inputs import Inputs, count, taken
from airdeliver.randomness import stream
from airdeliver.scoring import scored
from airdeliver.task.accuracy import Accuracy
from airdeliver.task.base import Score

UNBOUNDED: Bounds = (-torch.inf, torch.inf)


@dataclass(frozen=True)
class Report:
    """The mean score of what arrived, called accuracy whatever the task is, with its intervals.

    Args:
        accuracy: mean over realizations and examples; a delivery of which nothing usable arrived counts as the floor
            (chance), and so do outputs that are not finite.
        low: lower end of the 95 % interval over new channel realizations and new test examples.
        high: its upper end.
        channel_low: lower end of the 95 % interval over new channel realizations alone, the test examples as given.
        channel_high: its upper end.
        std: standard deviation of the mean score from realization to realization.
        per_realization: mean score of each delivery.
        usable: share of deliveries of which something usable arrived.
        calibration_inputs: inputs from which the receiver re-estimated batch norm; 0 if it did not.
        evaluate_seconds: how long the evaluation took.
        scores: of each delivery on each example (or the metric's value, one a delivery); not a number for examples
            that a delivery was not scored on.
        metric: what the score is called.
        bounds: least and greatest possible score.
        finite: share of deliveries without outputs that are not finite; below 1 where what arrived is a broken network.
        extras: what else the task says of networks, the mean over usable deliveries, by name.
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
    scores: Float[Tensor, "realizations n"] = field(repr=False)
    metric: str = "accuracy"
    bounds: Bounds = ACCURACY
    finite: float = 1.0
    extras: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        scores: Float[Tensor, "realizations n"],
        usable: float,
        calibration_inputs: int,
        evaluate_seconds: float,
        metric: str = "accuracy",
        bounds: Bounds = ACCURACY,
        finite: float = 1.0,
        extras: Mapping[str, float] | None = None,
    ) -> "Report":
        """Mean and intervals of scores; the other arguments are passed on."""
        shared = bool(scores.isnan().any())
        per_realization = scores.nanmean(1) if shared else scores.mean(1)
        channel = channel_interval(per_realization, bounds=bounds)
        crossed = shared_interval if shared else crossed_interval
        both = crossed(scores, bounds=bounds) if scores.shape[1] > 1 else channel
        return cls(
            accuracy=channel.mean,
            low=both.low,
            high=both.high,
            channel_low=channel.low,
            channel_high=channel.high,
            std=float(per_realization.std()) if len(per_realization) > 1 else 0.0,
            per_realization=per_realization,
            usable=usable,
            calibration_inputs=calibration_inputs,
            evaluate_seconds=evaluate_seconds,
            scores=scores,
            metric=metric,
            bounds=bounds,
            finite=finite,
            extras=dict(extras or {}),
        )

    @classmethod
    def merged(cls, parts: "Sequence[Report]") -> "Report":
        """The report of several parts of one delivery, evaluated one after the other on the same examples."""
        scores = torch.cat([part.scores for part in parts])
        usable, finite = (
            sum(share * len(part.scores) for share, part in zip(shares, parts)) / len(scores)
            for shares in ([part.usable for part in parts], [part.finite for part in parts])
        )
        arrived = [part.usable * len(part.scores) for part in parts]
        names = {name: None for part in parts for name in part.extras}
        extras = {
            name: sum(n * part.extras[name] for n, part in zip(arrived, parts) if name in part.extras) / sum(arrived)
            for name in names
        }
        seconds = sum(part.evaluate_seconds for part in parts)
        first = parts[0]
        return cls.of(scores, usable, first.calibration_inputs, seconds, first.metric, first.bounds, finite, extras)


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
        inputs: prepared inputs, a tensor, a tuple or a mapping of tensors; all are scored, and the receiver may
            re-estimate batch norm from some of them.
        targets: class of each (or of each pixel), or whatever the task's targets are.
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
    inputs, targets = (torch.from_numpy(a) if isinstance(a, np.ndarray) else a for a in (inputs, targets))
    if metric is not None:
        calibration = None if inputs is None else taken(inputs, _calibration_rows(delivery, count(inputs)))
        scores, finite = _measured(delivery, metric, calibration, chance)
        calibrated = count(calibration) if inputs is not None and delivery.calibrates else 0
        seconds = time.perf_counter() - started
        return Report.of(scores, delivery.usable, calibrated, seconds, "metric", UNBOUNDED, finite)
    if inputs is None or not isinstance(targets, Tensor) or count(inputs) != len(targets):
        found = "none" if inputs is None else count(inputs)
        told = len(targets) if isinstance(targets, Tensor) else type(targets).__name__
        raise ValueError(f"evaluate needs inputs and as many labels or targets, or a metric, got {found} and {told}")
    score = _of_labels(targets) if task is None else task
    if not isinstance(score, Score):
        raise TypeError(f"task must be a task or a score of airdeliver.task, got {type(score).__name__}")
    rows = _calibration_rows(delivery, count(inputs))
    shares = None if images_each is None else _shares(delivery, count(inputs), images_each)
    floor = score.floor if chance is None else chance
    judged = scored(delivery, inputs, targets, taken(inputs, rows), score, floor, precision, shares)
    return Report.of(
        judged.scores,
        delivery.usable,
        len(rows) if delivery.calibrates else 0,
        time.perf_counter() - started,
        score.metric,
        score.bounds,
        float(judged.finite.float().mean()),
        _mean([score.extras(tally) for tally in judged.tallies]),
    )


def _of_labels(labels: Tensor) -> Accuracy:
    """The accuracy of labels alone: as many classes as the largest says."""
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(f"labels must be whole numbers, got {labels.dtype}: numbers to predict need task=Explained()")
    if not labels.numel() or int(labels.min()) < 0:
        least = int(labels.min()) if labels.numel() else "none"
        raise ValueError(f"labels must be from 0 on, got {least}: leave out examples without a label")
    return Accuracy(int(labels.max()) + 1)


def _mean(extras: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(each[name] for each in extras) / len(extras) for name in (extras[0] if extras else ())}


def _calibration_rows(delivery: Delivery, n: int) -> Tensor:
    """Seeded-random rows of the inputs to be served; the same for every realization."""
    order = torch.randperm(n, generator=stream(delivery.seed, "calibration"))
    return order[: delivery.normalisation.calibration_inputs]


def _shares(delivery: Delivery, n: int, each: int) -> Int64[Tensor, "realizations each"] | None:
    """The rows that each delivery is scored on: the same for every scheme, since they depend on the seed alone."""
    if not 1 <= each <= n:
        raise ValueError(f"images_each must be between 1 and the {n} images, got {each}")
    if each == n:
        return None
    numbers = range(delivery.first, delivery.first + delivery.realizations)
    orders = (torch.randperm(n, generator=stream(delivery.seed, "test images", number)) for number in numbers)
    device = delivery.groups[0].decoded.values.device
    return torch.stack([order[:each] for order in orders]).to(device)


def _measured(
    delivery: Delivery, metric: Callable[[Any], Any], calibration: Inputs, chance: float | None
) -> tuple[Float[Tensor, "realizations n"], float]:
    """The metric of each delivery, or its value for each example, and the share of deliveries where it is finite."""
    usable = delivery.usable_realizations
    if chance is None and not bool(usable.all()):
        raise ValueError("nothing usable arrived in some realizations: give `chance`, the metric's value for those")
    values: list[Tensor | None] = []
    broken = 0
    for k, ok in enumerate(usable.tolist()):
        values.append(torch.as_tensor(metric(delivery.model(k, calibration))).detach().float().cpu() if ok else None)
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
