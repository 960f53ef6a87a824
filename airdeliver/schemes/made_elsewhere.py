"""A scheme for a network that was trained elsewhere: it takes the place of clean training."""

import torch
from torch import Tensor

from airdeliver.architecture import Given
from airdeliver.architecture.handed import Handed
from airdeliver.arguments import an_object, whole
from airdeliver.package import Package
from airdeliver.payload.inputs import called
from airdeliver.problem import Execution, Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.base import Scheme
from airdeliver.task.answers import described
from airdeliver.task.base import Task
from airdeliver.task.judged import judged, loss_of
from airdeliver.training import Trained, Training


def packed(
    scheme: Scheme,
    network: Trained,
    task: Task,
    channel_uses: int,
    fine_tuning: Recipe | None = None,
    execution: Execution | None = None,
) -> Package:
    """All that a scheme makes of a network that was trained elsewhere, without a builder for it.

    Where the scheme would train a network from scratch with nothing in the way, it begins with this one: it is trained
    through the link, pruned, made a spectrum, quantised, as the scheme has it.

    Args:
        scheme: the recipe.
        network: `Trained.of(model, inputs)`.
        task: its data, loss and score.
        channel_uses: the budget, side information included.
        fine_tuning: how networks are trained further; None for the default.
        execution: seed, threads and device; None for the default.

    Returns:
        What `scheme.send` sends.

    Raises:
        TypeError: an argument of another kind; a network whose answer is not one tensor.
        ValueError: a network that knows its builder, one without inputs where the scheme prunes it, one that is not
            float32, or that fails on the task's examples, in one line.
        BudgetError: it does not fit.
    """
    an_object(scheme, Scheme, "scheme", "AirNet() or another scheme")
    an_object(network, Trained, "network", "Trained.of(model, inputs)")
    an_object(task, Task, "task", "Classification(load_dataset('digits')) or another task")
    channel_uses = whole(channel_uses, "channel_uses", 1)
    if not isinstance(network.architecture, Given):
        raise ValueError(
            f"a network of {type(network.architecture).__name__} has a builder: train it as the scheme does"
        )
    _try_out(network, task)
    execution, recipe = execution or Execution(), fine_tuning or Recipe()
    problem = Problem(task, Handed(network.architecture), recipe, recipe, execution)
    trained = {Training.clean(problem): network}
    wanted = scheme.trainings(problem, channel_uses)
    for training in wanted:
        _train(training, task, trained, execution)
    return scheme.pack(problem, trained, channel_uses)


@torch.no_grad()
def _try_out(network: Trained, task: Task) -> None:
    """Two training examples through the network and into loss and score: what fails there would fail in a training."""
    model = network.model().eval()
    wrong = next(((n, p) for n, p in model.named_parameters() if p.dtype != torch.float32), None)
    if wrong is not None:
        raise ValueError(
            f"networks are trained in float32, {wrong[0]} is {wrong[1].dtype}: give Trained.of(model.float(), inputs)"
        )
    raw, targets = task.dataset.train.take(torch.arange(2))
    outputs = called(model, task.dataset.prepare(raw))
    if not isinstance(outputs, Tensor):
        raise TypeError(
            f"a network is trained by one tensor that it answers with, got {described(outputs)}: wrap it in a module "
            "that returns that tensor"
        )
    judged(task, outputs, targets)
    loss_of(task, outputs, targets)


def _train(training: Training, task: Task, trained: dict[Training, Trained], execution: Execution) -> None:
    if training in trained:
        return
    for need in training.needs:
        _train(need, task, trained, execution)
    trained[training] = training.run(task, trained, device=execution.device)
