"""Tasks: what networks are for."""

from airdeliver.task.accuracy import Accuracy
from airdeliver.task.base import Purpose, Score, Signature, Task
from airdeliver.task.classification import Classification
from airdeliver.task.multi_task import MultiTask, SomeTasks
from airdeliver.task.natural import task_of
from airdeliver.task.regression import Explained, Regression
from airdeliver.task.segmentation import Segmentation

__all__ = [
    "Accuracy",
    "Classification",
    "Explained",
    "MultiTask",
    "Purpose",
    "Regression",
    "Score",
    "Segmentation",
    "Signature",
    "SomeTasks",
    "Task",
    "task_of",
]
