"""A trained network as something that can be sent."""

import torch
from torch import Tensor

from airdeliver.architecture import Pruned, Whole
from airdeliver.architecture.whole import layout_of_fresh
from airdeliver.budget import BudgetError
from airdeliver.compression.pruning import Pruning
from airdeliver.links import Knowledge, Link
from airdeliver.links.base import generic
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice
from airdeliver.problem import Problem
from airdeliver.randomness import stream
from airdeliver.training import Trained
from channels import AWGN

CLEAR_DB = 100.0
"""SNR in dB at which a budget is asked about: what does not fit then never does."""


def choice_of(trained: Trained, link: Link, normalisation: Normalisation) -> Choice:
    """What a training made: whole, or pruned and with the description of what was kept.

    Args:
        trained: the network.
        link: that it is sent over.
        normalisation: where batch-norm statistics come from.
    """
    return Choice.of(trained, link, normalisation)


def whole_misfit(problem: Problem, link: Link, normalisation: Normalisation, symbols: int) -> str | None:
    """Why the unpruned network cannot be sent in so many symbols, at whatever SNR; None if it can.

    What a network takes depends on its architecture alone: generic values stand for those that are to be trained.

    Args:
        problem: whose model.
        link: that it is sent over.
        normalisation: whether statistics are sent too.
        symbols: complex symbols that fit.
    """
    layout = layout_of_fresh(Whole.of(problem.task, problem.model), normalisation.sends_statistics)
    try:
        link.plan(generic(layout), symbols, Knowledge("average", CLEAR_DB, AWGN()))
    except BudgetError as error:
        return str(error)
    except ValueError:  # a plan that needs to know more; sending says what
        return None
    return None


def pruned_misfit(problem: Problem, pruning: Pruning) -> str | None:
    """Why not even the smallest network that pruning can leave fits; None if it does.

    Args:
        problem: whose model.
        pruning: budget, price and statistics.
    """
    try:
        pruning.check(Pruned(Whole.of(problem.task, problem.model)))
    except BudgetError as error:
        return str(error)
    except ValueError:  # a network that cannot be pruned at all; training says why
        return None
    return None


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
