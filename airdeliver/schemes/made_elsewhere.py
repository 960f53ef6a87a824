"""A scheme for a network that was trained elsewhere: it takes the place of clean training."""

from airdeliver.architecture import Given
from airdeliver.architecture.handed import Handed
from airdeliver.package import Package
from airdeliver.problem import Execution, Problem
from airdeliver.recipe import Recipe
from airdeliver.schemes.base import Scheme
from airdeliver.task.base import Task
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
        ValueError: a network that knows its builder, or one without inputs where the scheme prunes it.
        BudgetError: it does not fit.
    """
    if not isinstance(network.architecture, Given):
        raise ValueError(
            f"a network of {type(network.architecture).__name__} has a builder: train it as the scheme does"
        )
    execution, recipe = execution or Execution(), fine_tuning or Recipe()
    problem = Problem(task, Handed(network.architecture), recipe, recipe, execution)
    trained = {Training.clean(problem): network}
    wanted = scheme.trainings(problem, channel_uses)
    for training in wanted:
        _train(training, task, trained, execution)
    return scheme.pack(problem, trained, channel_uses)


def _train(training: Training, task: Task, trained: dict[Training, Trained], execution: Execution) -> None:
    if training in trained:
        return
    for need in training.needs:
        _train(need, task, trained, execution)
    trained[training] = training.run(task, trained, device=execution.device)
