"""What a network is worth that arrives quantised to some rate, measured on validation inputs."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor, nn

from airdeliver.links import DigitalLink, Worth
from airdeliver.normalisation import Normalisation, batch_norms, estimate_statistics
from airdeliver.package import Choice
from airdeliver.payload import Model
from airdeliver.problem import Problem
from airdeliver.task.judged import judged

UNTRAINED = (0.3, 0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.2, 3.0, 4.0, 6.0)
"""Bits per value at which a network is tried out that was trained for none."""

VALIDATION_IMAGES = 1024

LOWER, LEAST, LOWEST = 0.7, 0.1, 0.02
"""Below the rates that a network is tried out at further ones follow, each so much lower, until it is worth no more
over chance than so large a share of the most, or the rate is the lowest. Rates that nobody tried had been taken to be
on a line to chance at 0 bits: far above what a network does there that was trained for more."""


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
        return float(judged(self.problem.task, outputs.float(), self.targets)[0].mean())


@torch.no_grad()
def worth_of(choice: Choice, problem: Problem, normalisation: Normalisation, rates: Iterable[float]) -> Worth:
    """Validation score of what a receiver has, of values quantised to several rates; never less at more bits.

    Args:
        choice: that is sent over a digital link.
        problem: task and device.
        normalisation: where batch-norm statistics come from.
        rates: bits per value that it is tried out at, rising; lower ones follow, as far down as it is worth something.
    """
    validation, fallback = Validation.of(problem, normalisation), choice.fallback()
    chance = problem.task.floor if fallback is None else validation.score(fallback)
    link = choice.link
    assert isinstance(link, DigitalLink)

    def score(rate: float) -> float:
        return validation.score(choice.receive(link.reconstructed(choice.payload, rate)))

    scores = {rate: score(rate) for rate in rates}
    most, rate = max(scores.values()), min(scores)
    while rate > LOWEST and scores[rate] - chance > LEAST * (most - chance):
        rate *= LOWER
        scores[rate] = score(rate)
    rising = sorted(scores)
    points = zip(rising, accumulate((scores[rate] for rate in rising), max), strict=True)
    return Worth(tuple(points), chance)
