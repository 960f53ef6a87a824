"""What schemes that serve several tasks share."""

from dataclasses import replace

from airdeliver.data.views import Views
from airdeliver.models.several import Served
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.task import MultiTask, SomeTasks, Task


def served(problem: Problem, tasks: int) -> Served:
    """The first tasks of a problem.

    Args:
        problem: of several tasks, each of which has an image of its own in every input.
        tasks: how many.

    Raises:
        ValueError: a problem of one task, or of fewer.
    """
    task = problem.task
    if not isinstance(task, MultiTask) or not isinstance(task.dataset.inputs, Views):
        raise ValueError(
            "several tasks need a data set in which each has an image of its own, such as digits_tasks, got "
            f"{task.dataset.name}"
        )
    return Served(tuple(range(tasks)), tuple(part.outputs for part in task.kind.parts))


def scored(task: Task, chosen: tuple[int, ...]) -> Task:
    """Some tasks of several, as what counts."""
    if not isinstance(task, MultiTask):
        return task  # a training says what is wrong
    return SomeTasks(task.dataset, task.weights, chosen)


def for_each(recipe: Recipe, tasks: int) -> Recipe:
    """As many epochs for each task."""
    return replace(recipe, epochs=tasks * recipe.epochs)


def check_tasks(tasks: int) -> None:
    """Refuse no task.

    Raises:
        ValueError: fewer than one.
    """
    if tasks < 1:
        raise ValueError(f"tasks must be at least 1, got {tasks}")
