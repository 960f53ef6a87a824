"""The task that a data set is naturally for."""

from airdeliver.data import Dataset
from airdeliver.data.targets import Classes, Masks, Numbers, Several
from airdeliver.task.base import Task
from airdeliver.task.classification import Classification
from airdeliver.task.multi_task import MultiTask
from airdeliver.task.regression import Regression
from airdeliver.task.segmentation import Segmentation

NATURAL: dict[type, type[Task]] = {
    Classes: Classification,
    Masks: Segmentation,
    Numbers: Regression,
    Several: MultiTask,
}


def task_of(dataset: Dataset) -> Task:
    """What a data set is usually for, by what its targets mean.

    Raises:
        ValueError: targets of a kind of one's own: their task has to be given.

    >>> from airdeliver.data import load_dataset
    >>> [type(task_of(load_dataset(name))).__name__ for name in ("digits", "diabetes", "digits_and_ink")]
    ['Classification', 'Regression', 'MultiTask']
    """
    kind = type(dataset.targets)
    if kind not in NATURAL:
        raise ValueError(f"targets of kind {kind.__name__} have no task of their own: give one")
    return NATURAL[kind](dataset)
