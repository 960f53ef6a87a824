"""Training: the making of one network, through the link if it will travel over it."""

from airdeliver.recipe import Recipe
from airdeliver.training.checkpoint import Checkpoint
from airdeliver.training.trained import Trained
from airdeliver.training.training import Training

__all__ = ["Checkpoint", "Recipe", "Trained", "Training"]
