"""What a network is worth that arrives quantised to some rate, measured on validation inputs."""

from collections.abc import Iterable

import torch
from torch import nn

from airdeliver.links import DigitalLink, Worth
from airdeliver.normalisation import Normalisation, batch_norms, estimate_statistics
from airdeliver.package import Choice
from airdeliver.problem import Problem

UNTRAINED = (0.3, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0, 6.0)
"""Bits per value at which a network is tried out that was trained for none."""

VALIDATION_IMAGES = 1024


@torch.no_grad()
def worth_of(choice: Choice, problem: Problem, normalisation: Normalisation, rates: Iterable[float]) -> Worth:
    """Validation score of what a receiver has, of values quantised to several rates; never less at more bits.

    Args:
        choice: that is sent over a digital link.
        problem: task and device.
        normalisation: where batch-norm statistics come from.
        rates: bits per value, rising.
    """
    task, device = problem.task, problem.execution.device
    rows = torch.arange(min(VALIDATION_IMAGES, len(task.dataset.validation)))
    raw, targets = task.dataset.validation.take(rows)
    inputs, targets = task.dataset.prepare(raw.to(device)), targets.to(device)

    def score(model: nn.Module) -> float:
        model.to(device).eval()
        if not normalisation.sends_statistics and batch_norms(model):
            estimate_statistics(model, inputs[: normalisation.calibration_inputs])
        return float(task.score(model(inputs).float(), targets).mean())

    fallback = choice.fallback()
    chance = task.floor if fallback is None else score(fallback)
    points, best = [], task.bounds[0]
    for rate in rates:
        best = max(best, score(_received(choice, rate)))
        points.append((rate, best))
    return Worth(tuple(points), chance)


def _received(choice: Choice, rate: float) -> nn.Module:
    """The network as it arrives over a channel that carries so many bits a value."""
    assert isinstance(choice.link, DigitalLink)
    model = choice.receive(choice.link.reconstructed(choice.payload, rate))
    assert isinstance(model, nn.Module)
    return model
