"""A score that is asked: what it answers is looked at once, so that one of a user's own need not check itself."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.arguments import number_of
from airdeliver.asked import PieceError, asked
from airdeliver.task.base import Score, Task

_WITHIN = 1e-4
"""Share of its bounds that a score may be beyond them by rounding."""


def judged(score: Score, outputs: Tensor, targets: Tensor) -> tuple[Float[Tensor, "n"], float]:
    """The score of each example, and the floor now that answers are seen.

    An example whose outputs are not finite scores that floor, whatever the score makes of them.

    Args:
        score: that is asked.
        outputs: of a network, one row an example.
        targets: what it should have said.

    Raises:
        ValueError: what the score itself refuses; scores that are not one real number within the bounds for each
            example, or a floor that is not. One line says which score.

    >>> from airdeliver.task import Accuracy
    >>> judged(Accuracy(2), torch.tensor([[0.0, 1.0], [torch.nan, 0.0]]), torch.tensor([1, 1]))
    (tensor([1.0000, 0.5000]), 0.5)
    """
    name, n = type(score).__name__, len(outputs)
    with asked(score, "floor_of"):
        floor = number_of(score.floor_of(outputs))
    low, high = score.bounds
    if floor is None or not low <= floor <= high or not math.isfinite(floor):
        raise PieceError(f"floor_of of {name} must be a number from {low:g} to {high:g}, got {floor}")
    with asked(score, "score"):
        found = score.score(outputs, targets)
    if not isinstance(found, Tensor) or found.shape != (n,) or found.is_complex():
        got = f"{found.dtype} of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise PieceError(f"score of {name} must give a tensor of a real number for each of {n} examples, got {got}")
    found = torch.where(score.unanswered(outputs), floor, found)
    if n:
        least, greatest = (float(end) for end in found.aminmax())
        spare = _WITHIN * (high - low) if math.isfinite(high - low) else _WITHIN * max(1.0, abs(floor))
        if not math.isfinite(greatest - least):
            broken = int((~found.isfinite()).sum())
            raise PieceError(
                f"score of {name} must be finite for every example whose outputs are, got NaN or infinite for {broken} "
                f"of {n}"
            )
        if not low - spare <= least <= greatest <= high + spare:
            raise PieceError(
                f"score of {name} must be from {low:g} to {high:g} for every example, got {least:g} to {greatest:g}: "
                "mend it, or its `bounds`"
            )
    return found, floor


def tallied(score: Score, outputs: Tensor, targets: Tensor) -> Float[Tensor, "counts"]:
    """The tally of some examples.

    Raises:
        ValueError: one that is no vector; one line says which score.
    """
    with asked(score, "tally"):
        found = score.tally(outputs, targets)
    if not isinstance(found, Tensor) or found.ndim != 1 or found.is_complex():
        got = f"a tensor of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise PieceError(f"tally of {type(score).__name__} must give a vector of sums over examples, got {got}")
    return found


def extras_of(score: Score, tally: Float[Tensor, "counts"]) -> dict[str, float]:
    """What else a score has to say of a network, by name.

    Raises:
        ValueError: anything but numbers by name; one line says which score.
    """
    with asked(score, "extras"):
        found = score.extras(tally)
    numbers = {key: number_of(value) for key, value in found.items()} if isinstance(found, Mapping) else {}
    if not isinstance(found, Mapping) or None in numbers.values() or not all(isinstance(key, str) for key in numbers):
        raise PieceError(f"extras of {type(score).__name__} must be numbers by name, got {found!r:.100}")
    return {key: value for key, value in numbers.items() if value is not None}


def loss_of(task: Task, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Float[Tensor, ""]:
    """The loss of a task.

    Args:
        task: that is asked.
        outputs: of a network, float32.
        targets: what it should have said.
        label_smoothing: probability spread over the other classes.

    Raises:
        ValueError: what the task itself refuses; a loss that is not one real number, or that has no gradient; one line
            says which task.
    """
    with asked(task, "loss"):
        found = task.loss(outputs, targets, label_smoothing)
    name = type(task).__name__
    if not isinstance(found, Tensor) or found.ndim or not found.is_floating_point():
        got = f"{found.dtype} of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise PieceError(f"loss of {name} must be a tensor of one real number, the mean over the batch, got {got}")
    if outputs.requires_grad and torch.is_grad_enabled() and not found.requires_grad:
        raise PieceError(f"loss of {name} has no gradient: compute it from the outputs with torch, without `detach`")
    return found


def checked(score: Score) -> Score:
    """The score as it is, if tables can be made of it.

    Raises:
        ValueError: the first of `described_faults`, with the name of the score's class.
    """
    with asked(score, "metric, bounds or floor"):
        fault = next(described_faults(score), None)
    if fault is not None:
        raise PieceError(f"{type(score).__name__}: {fault}")
    return score


def described_faults(score: Score) -> Iterator[str]:
    """One line for each fault of the words and numbers that tables take from a score: metric, bounds, floor."""
    if not isinstance(score.metric, str) or not score.metric:
        yield f"metric must be a name, got {score.metric!r}"
    ends: Any = score.bounds
    pair = tuple(map(number_of, ends)) if isinstance(ends, tuple | list) else ()
    if len(pair) != 2 or None in pair:
        yield f"bounds must be two numbers, least and greatest, got {ends!r:.60}"
        return
    (low, high), floor = pair, number_of(score.floor)
    if not low < high:  # type: ignore[operator]
        yield f"bounds must be least and greatest, got {low:g} and {high:g}"
    elif floor is None or not (low <= floor <= high and math.isfinite(floor)):  # type: ignore[operator]
        yield f"floor is {score.floor!r:.60}, which is not within the bounds {low:g} to {high:g}"
