"""What a network is worth that arrives quantised to some rate, measured on validation inputs."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from airdeliver.links import DigitalLink, Worth
from airdeliver.normalisation import Normalisation, batch_norms, estimate_statistics
from airdeliver.package import Choice
from airdeliver.payload import Model
from airdeliver.problem import Problem

UNTRAINED = (0.3, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0, 6.0)
"""Bits per value at which a network is tried out that was trained for none."""

VALIDATION_IMAGES = 1024


@dataclass(frozen=True, eq=False)
class Validation:
    """Validation examples that networks are scored on before anything is sent.

    Args:
        problem: task and device.
        normalisation: where batch-norm statistics come from.
        inputs: prepared.
        targets: of each.
    """

    problem: Problem
    normalisation: Normalisation
    inputs: Tensor
    targets: Tensor

    @classmethod
    def of(cls, problem: Problem, normalisation: Normalisation) -> "Validation":
        """The first `VALIDATION_IMAGES` of the task."""
        data, device = problem.task.dataset, problem.execution.device
        raw, targets = data.validation.take(torch.arange(min(VALIDATION_IMAGES, len(data.validation))))
        return cls(problem, normalisation, data.prepare(raw.to(device)), targets.to(device))

    def received(self, model: Model) -> nn.Module:
        """The network as a receiver has it: batch-norm statistics are estimated if they are not sent."""
        assert isinstance(model, nn.Module)
        model.to(self.inputs.device).eval()
        if not self.normalisation.sends_statistics and batch_norms(model):
            estimate_statistics(model, self.inputs[: self.normalisation.calibration_inputs])
        return model

    @torch.no_grad()
    def score(self, model: Model) -> float:
        """Mean score of a network as a receiver has it."""
        outputs = self.received(model)(self.inputs)
        return float(self.problem.task.score(outputs.float(), self.targets).mean())


@torch.no_grad()
def worth_of(choice: Choice, problem: Problem, normalisation: Normalisation, rates: Iterable[float]) -> Worth:
    """Validation score of what a receiver has, of values quantised to several rates; never less at more bits.

    Args:
        choice: that is sent over a digital link.
        problem: task and device.
        normalisation: where batch-norm statistics come from.
        rates: bits per value, rising.
    """
    validation, fallback = Validation.of(problem, normalisation), choice.fallback()
    chance = problem.task.floor if fallback is None else validation.score(fallback)
    points, best = [], problem.task.bounds[0]
    assert isinstance(choice.link, DigitalLink)
    for rate in rates:
        values = choice.link.reconstructed(choice.payload, rate)
        best = max(best, validation.score(choice.receive(values)))
        points.append((rate, best))
    return Worth(tuple(points), chance)
