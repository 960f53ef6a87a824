"""Training: the making of one network, through the link if it will travel over it."""

from airdeliver.recipe import Recipe
from airdeliver.training.checkpoint import Checkpoint
from airdeliver.training.through import SNR, Through
from airdeliver.training.training import Trained, Training

__all__ = ["SNR", "Checkpoint", "Recipe", "Through", "Trained", "Training"]
