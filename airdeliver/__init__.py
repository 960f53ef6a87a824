"""airdeliver: which neural network arrives, and how good is it, when its parameters are sent over a radio link?"""

from airdeliver.neighbours import check_channels

check_channels()  # before anything asks it for what it does not have

# isort: split
from airdeliver import zoo
from airdeliver.capability import Capability
from airdeliver.delivery import Delivery, deliver
from airdeliver.evaluation import Report, evaluate
from airdeliver.fades import Fades
from airdeliver.links import AnalogLink, BudgetError, CapacityLink, DigitalLink, Link
from airdeliver.normalisation import Normalisation, recalibrate
from airdeliver.problem import Execution, Problem
from airdeliver.task import Task
from airdeliver.training import Trained
from airdeliver.training.made_elsewhere import prune

__version__ = "0.1.0"

__all__ = [
    "AnalogLink",
    "BudgetError",
    "Capability",
    "CapacityLink",
    "Delivery",
    "DigitalLink",
    "Execution",
    "Fades",
    "Link",
    "Normalisation",
    "Problem",
    "Report",
    "Task",
    "Trained",
    "deliver",
    "evaluate",
    "prune",
    "recalibrate",
    "zoo",
]
