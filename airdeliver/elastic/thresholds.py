"""Thresholds of early exits: as many examples as possible leave early, at a score that the last exit nearly has."""

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.elastic.depths import LEVELS


def thresholds_for(
    confidences: Float[Tensor, "exits n"], scores: Float[Tensor, "exits n"], tolerance: float
) -> tuple[float, ...]:
    """Of each exit but the last the lowest threshold that costs no more than its part of the tolerance.

    Exits are looked at one after the other, from the first; each may use up an equal part of what the score may lose
    against the last exit. Above a threshold no other one costs more, so that what was measured by chance at one level
    opens no door. A threshold of 1 lets nobody leave.

    Args:
        confidences: of each exit for each example; what the last one's are does not matter.
        scores: what each exit's answer to each example is worth.
        tolerance: by how much the mean score may be below that of the last exit.

    Returns:
        Whole parts of `LEVELS`, as a description tells them.

    >>> confidences = torch.tensor([[0.9, 0.6, 0.4], [0.0, 0.0, 0.0]])
    >>> scores = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    >>> [round(threshold, 2) for threshold in thresholds_for(confidences, scores, 0.0)]
    [0.4]
    """
    levels = torch.arange(LEVELS + 1, dtype=torch.float64) / LEVELS
    *early, last = scores.double()
    inside, gained, found = torch.ones_like(last, dtype=torch.bool), torch.zeros_like(last), []
    for number, score in enumerate(early, 1):
        leaving = inside & (confidences[number - 1].double() > levels.unsqueeze(1))
        means = torch.where(leaving, score, torch.where(inside, last, gained)).mean(1)
        enough = means >= last.mean() - tolerance * number / len(early) - 1e-12
        lowest = int(enough.flip(0).long().cumprod(0).sum())
        level = levels[LEVELS + 1 - lowest] if lowest else levels[LEVELS]
        leaves = inside & (confidences[number - 1].double() > level)
        gained, inside = torch.where(leaves, score, gained), inside & ~leaves
        found.append(float(level))
    return tuple(found)
