"""A trained network as something that can be sent."""

import torch
from torch import Tensor

from airdeliver.links import Link
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice
from airdeliver.problem import Problem
from airdeliver.randomness import stream
from airdeliver.training import Trained


def choice_of(trained: Trained, link: Link, normalisation: Normalisation) -> Choice:
    """What a training made: whole, or pruned and with the description of what was kept.

    Args:
        trained: the network.
        link: that it is sent over.
        normalisation: where batch-norm statistics come from.
    """
    return Choice.of(trained, link, normalisation)


def sender_inputs(problem: Problem, normalisation: Normalisation) -> Tensor | None:
    """Seeded-random training inputs, prepared, from which the sender computes batch-norm statistics.

    Args:
        problem: whose training split, and seed.
        normalisation: how many; None are needed where the sender computes nothing.
    """
    if normalisation.kind != "sender":
        return None
    data = problem.task.dataset
    order = torch.randperm(len(data.train), generator=stream(problem.execution.seed, "calibration"))
    return data.prepare(data.train.take(order[: normalisation.calibration_inputs])[0])
