"""Delivered accuracy: how good the models are that the receiver rebuilt."""

import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.arguments import an_object, finite_number, whole
from airdeliver.delivery import Delivery
from airdeliver.intervals import Bounds
from airdeliver.payload.inputs import Inputs, broken_example, count, taken
from airdeliver.payload.labelled import labelled
from airdeliver.randomness import stream
from airdeliver.report import Report, weighted_mean
from airdeliver.sample import Sample
from airdeliver.scoring import Scores, scored
from airdeliver.task.accuracy import Accuracy
from airdeliver.task.base import Score
from airdeliver.task.judged import checked, extras_of

UNBOUNDED: Bounds = (-torch.inf, torch.inf)

MOST = 1e15
"""Size of a metric's values whose squares and differences single and double precision still tell apart."""


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
            nor a metric; inputs that are not finite and outputs that are not either; outputs and targets of shapes that
            do not belong together; or the metric is not finite, or nothing usable arrived, in some realization and
            `chance` is not known.
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
        told = _number_of(targets)
        raise ValueError(f"evaluate needs inputs and as many labels or targets, or a metric, got {found} and {told}")
    score = _of_labels(targets) if task is None else task
    if not isinstance(score, Score):
        raise TypeError(f"task must be a task or a score of airdeliver.task, got {type(score).__name__}")
    checked(score)
    rows = _calibration_rows(delivery, count(inputs))
    shares = None if images_each is None else _shares(delivery, count(inputs), images_each)
    floor = None if chance is None else finite_number(chance, "chance", *score.bounds)
    found = scored(delivery, inputs, targets, rows, score, floor, precision, shares)
    broken = None if bool(found.finite.all()) else broken_example(inputs)
    if broken is not None:
        raise ValueError(f"inputs must be finite, example {broken} is not, and neither are the outputs: leave it out")
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
        weighted_mean([extras_of(score, tally) for tally in found.tallies], sample.shares[sample.arrived]),
        rows.shape[1] / count(inputs) if calibrates else 0.0,
        weighted_mean(found.paths, sample.shares[sample.arrived]),
    )


def _number_of(targets: Any) -> str:
    """How many targets there are, or what was given instead, in words."""
    if isinstance(targets, Tensor):
        return str(len(targets)) if targets.ndim else "one"
    kind = type(targets).__name__
    return "none" if targets is None else f"{kind}: targets are numbers in a tensor, an array or a list"


def _sample(delivery: Delivery, scores: Tensor, floor: float | None, judged: Scores | None = None) -> Sample:
    numbers = torch.arange(len(scores))
    evaluations, payloads = (numbers, numbers) if judged is None else (judged.evaluations, judged.payloads)
    arrived, settled = delivery.usable_realizations, delivery.settled
    by_example = judged is not None or scores.shape[1] > 1
    return Sample(scores, arrived, settled, evaluations, payloads, floor, delivery.strata, by_example)


def _of_labels(labels: Tensor) -> Accuracy:
    """The accuracy of labels alone: as many classes as the largest says, but at least two."""
    if not labels.numel():
        raise ValueError("there is no example: give at least one input with its label")
    if labels.is_floating_point() or labels.is_complex():
        raise ValueError(
            f"labels must be whole numbers, got {labels.dtype}: labels.long() makes them whole, numbers to predict "
            "need task=Explained()"
        )
    if int(labels.min()) < 0:
        raise ValueError(f"labels must be from 0 on, got {int(labels.min())}: leave out examples without a label")
    return Accuracy(max(2, int(labels.max()) + 1))


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
