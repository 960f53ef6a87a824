"""A task small enough to train many times."""

import pytest

from airdeliver import Task
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.training import Trained, Training


@pytest.fixture(scope="session")
def task() -> Task:
    """Digits and a small CNN, three epochs."""
    recipe = Recipe(epochs=3, batch_size=64, learning_rate=0.05)
    return Task(load_dataset("digits"), CNN(), recipe, Recipe(epochs=2, batch_size=64, learning_rate=0.02))


@pytest.fixture(scope="session")
def clean(task: Task) -> dict[Training, Trained]:
    """The task's clean network."""
    training = Training.clean(task)
    return {training: training.run(task, {})}
