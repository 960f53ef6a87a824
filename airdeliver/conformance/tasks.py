"""Does a task or a score keep its contract: bounds, floor, shapes, and what is not finite?"""

import math
from collections.abc import Iterator

import torch

from airdeliver.conformance.bench import Bench
from airdeliver.task import Task
from airdeliver.task.base import Score

_EXAMPLES = 16


def examine_score(score: Score) -> Iterator[str]:
    """One line for each fault of the words and numbers that tables take from a score."""
    low, high = score.bounds
    if not score.metric or not isinstance(score.metric, str):
        yield f"metric must be a name, got {score.metric!r}"
    if not low < high:
        yield f"bounds must be least and greatest, got {low:g} and {high:g}"
    elif not (low <= score.floor <= high and math.isfinite(score.floor)):
        yield f"floor is {score.floor:g}, which is not within the bounds {low:g} to {high:g}"


def examine_task(task: Task, bench: Bench) -> Iterator[str]:
    """One line for each fault of loss and score on outputs for the first test examples."""
    yield from examine_score(task)
    inputs, targets = task.dataset.test.take(torch.arange(min(_EXAMPLES, len(task.dataset.test))))
    n, shape = len(inputs), _outputs(task, len(inputs), targets)
    outputs = torch.randn(shape, generator=bench.generator(1)).requires_grad_()
    loss = task.loss(outputs, targets)
    if loss.ndim or not bool(loss.isfinite()):
        yield f"loss must be one finite number, got {loss.tolist()}"
    elif torch.autograd.grad(loss, outputs, allow_unused=True)[0] is None:
        yield "no gradient flows from the loss to the outputs"
    found = task.score(outputs.detach(), targets)
    if tuple(found.shape) != (n,):
        yield f"score is of shape {tuple(found.shape)}; expected a number for each of {n} examples"
        return
    low, high = task.bounds
    if not bool(found.isfinite().all()) or float(found.min()) < low or float(found.max()) > high:
        yield f"scores go from {float(found.min()):.3g} to {float(found.max()):.3g}, beyond {low:g} to {high:g}"
    broken = task.score(torch.full(shape, torch.nan), targets)
    if not torch.allclose(broken.double(), torch.full((n,), float(task.floor), dtype=torch.float64)):
        mean = float(broken.double().mean())
        yield f"outputs that are not finite score {mean:.3g}; expected the floor, {task.floor:g}"


def _outputs(task: Task, n: int, targets: torch.Tensor) -> tuple[int, ...]:
    """The shape of what a network says of n examples: one row each, or one map each where targets are maps."""
    return (n, task.signature.outputs, *targets.shape[1:]) if targets.ndim > 2 else (n, task.signature.outputs)
