"""Delivered accuracy: how good the models are that the receiver rebuilt."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from airdeliver.delivery import Delivery
from airdeliver.intervals import channel_interval, crossed_interval, shared_interval
from airdeliver.randomness import stream
from airdeliver.scoring import correctness


@dataclass(frozen=True)
class Report:
    """Delivered accuracy in 0..1 with its intervals.

    Args:
        accuracy: mean over realizations and images; a delivery of which nothing usable arrived counts as chance.
        low: lower end of the 95 % interval over new channel realizations and new test images.
        high: its upper end.
        channel_low: lower end of the 95 % interval over new channel realizations alone, the test images as given.
        channel_high: its upper end.
        std: standard deviation of the accuracy from realization to realization.
        per_realization: accuracy of each delivery.
        usable: share of deliveries of which something usable arrived.
        calibration_inputs: inputs from which the receiver re-estimated batch norm; 0 if it did not.
        evaluate_seconds: how long the evaluation took.
        scores: of each delivery on each image, 1 where it is right (or the metric's value, one a delivery); not a
            number for images that a delivery was not scored on.
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

    @classmethod
    def of(
        cls, scores: Float[Tensor, "realizations n"], usable: float, calibration_inputs: int, evaluate_seconds: float
    ) -> "Report":
        """Mean and intervals of scores; the other arguments are passed on."""
        shared = bool(scores.isnan().any())
        per_realization = scores.nanmean(1) if shared else scores.mean(1)
        channel = channel_interval(per_realization)
        crossed = shared_interval if shared else crossed_interval
        both = crossed(scores) if scores.shape[1] > 1 else channel
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
        )

    @classmethod
    def merged(cls, parts: "Sequence[Report]") -> "Report":
        """The report of several parts of one delivery, evaluated one after the other on the same images."""
        scores = torch.cat([part.scores for part in parts])
        usable = sum(part.usable * len(part.scores) for part in parts) / len(scores)
        return cls.of(scores, usable, parts[0].calibration_inputs, sum(part.evaluate_seconds for part in parts))


def evaluate(
    delivery: Delivery,
    images: Float[Tensor, "n ..."] | None = None,
    labels: Int64[Tensor, "n"] | None = None,
    *,
    metric: Callable[[nn.Module], float] | None = None,
    chance: float | None = None,
    precision: Literal["float32", "bfloat16"] = "float32",
    images_each: int | None = None,
) -> Report:
    """Accuracy of what arrived, with 95 % intervals.

    Two kinds of chance blur the mean over K realizations and N images: another channel, and other test images. The
    first interval (`low`, `high`) covers both (crossed random effects, `airdeliver.intervals.crossed_interval`); the
    second (`channel_low`, `channel_high`) only the channel's, and narrows with more realizations. Simulated over 500
    repetitions, both cover the truth in 92 to 98 % of them.

    Args:
        delivery: what arrived.
        images: prepared inputs; all are scored, and the receiver may re-estimate batch norm from some of them.
        labels: class of each image.
        metric: any function of a model to a number, instead of labels; only the channel's interval is known then, and
            `low`, `high` repeat it.
        chance: the score of a delivery of which nothing usable arrived; for accuracy by default one over the number
            of classes, the largest label plus one.
        precision: of the forward passes.
        images_each: score every delivery on so many of the images, drawn at random for each alone; None for all. The
            deliveries' accuracies are then independent and each is, on average, that on all images, so both intervals
            stay what they say: wider for as many deliveries, far narrower for as much time. `std` and
            `per_realization` hold the chance of the images, too.

    Raises:
        ValueError: images_each that is not between 1 and the number of images; neither images with as many labels
            nor a metric; or nothing usable arrived in some realization and
            the metric's chance is not known.
    """
    started = time.perf_counter()
    if metric is not None:
        scores, calibrated = _measured(delivery, metric, images, chance), 0 if images is None else len(images)
    elif images is None or labels is None or len(images) != len(labels):
        raise ValueError("evaluate needs images and as many labels, or a metric")
    else:
        calibration = _calibration_rows(delivery, len(images))
        fallback = 1 / (int(labels.max()) + 1) if chance is None else chance
        scored = None if images_each is None else _shares(delivery, len(images), images_each)
        scores = correctness(delivery, images, labels, images[calibration], fallback, precision, scored)
        calibrated = len(calibration) if delivery.calibrates else 0
    return Report.of(scores, delivery.usable, calibrated, time.perf_counter() - started)


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
    delivery: Delivery, metric: Callable[[nn.Module], float], inputs: Tensor | None, chance: float | None
) -> Tensor:
    usable = delivery.usable_realizations
    if chance is None and not bool(usable.all()):
        raise ValueError("nothing usable arrived in some realizations: give `chance`, the metric's value for those")
    values = [float(metric(delivery.model(k, inputs))) if ok else chance for k, ok in enumerate(usable.tolist())]
    return torch.tensor(values).unsqueeze(-1)
