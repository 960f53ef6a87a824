"""Does a task or a score keep its contract: bounds, floor, shapes, and what is not finite?"""

from collections.abc import Iterator

import torch

from airdeliver.conformance.bench import Bench
from airdeliver.task import Task
from airdeliver.task.base import Score
from airdeliver.task.judged import described_faults, extras_of, judged, loss_of, tallied

_EXAMPLES = 16


def examine_score(score: Score) -> Iterator[str]:
    """One line for each fault of the words and numbers that tables take from a score."""
    yield from described_faults(score)


def examine_task(task: Task, bench: Bench) -> Iterator[str]:
    """One line for each fault of loss and score on outputs for the first test examples."""
    described = list(examine_score(task))
    if described:
        yield from described
        return
    inputs, targets = task.dataset.test.take(torch.arange(min(_EXAMPLES, len(task.dataset.test))))
    shape = _outputs(task, len(inputs), targets)
    outputs = torch.randn(shape, generator=bench.generator(1)).requires_grad_()
    try:
        loss = loss_of(task, outputs, targets)
    except ValueError as error:
        yield str(error)
    else:
        if not bool(loss.isfinite()):
            yield f"loss must be one finite number, got {loss.tolist()}"
        elif torch.autograd.grad(loss, outputs, allow_unused=True)[0] is None:
            yield "no gradient flows from the loss to the outputs"
    for what in (outputs.detach(), torch.full(shape, torch.nan)):
        try:
            judged(task, what, targets)
            extras_of(task, tallied(task, what, targets))
        except ValueError as error:
            yield str(error)
            return


def _outputs(task: Task, n: int, targets: torch.Tensor) -> tuple[int, ...]:
    """The shape of what a network says of n examples: one row each, or one map each where targets are maps."""
    return (n, task.signature.outputs, *targets.shape[1:]) if targets.ndim > 2 else (n, task.signature.outputs)
