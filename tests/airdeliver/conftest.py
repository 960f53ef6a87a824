"""A problem small enough to train many times."""

import pytest

from airdeliver import Problem
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.task import Classification, Task
from airdeliver.training import Trained, Training


@pytest.fixture(scope="session")
def problem() -> Problem:
    """Digits and a small CNN, three epochs."""
    recipe = Recipe(epochs=3, batch_size=64, learning_rate=0.05)
    task = Classification(load_dataset("digits"))
    return Problem(task, CNN(), recipe, Recipe(epochs=2, batch_size=64, learning_rate=0.02))


@pytest.fixture(scope="session")
def task(problem: Problem) -> Task:
    """The task of the problem."""
    return problem.task


@pytest.fixture(scope="session")
def clean(problem: Problem) -> dict[Training, Trained]:
    """The problem's clean network."""
    training = Training.clean(problem)
    return {training: training.run(problem.task, {})}
