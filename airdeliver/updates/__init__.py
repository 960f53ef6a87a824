"""Updates: what is sent to a receiver that holds an earlier version of a network."""

from airdeliver.updates.architecture import Update
from airdeliver.updates.base import Form
from airdeliver.updates.difference import Difference
from airdeliver.updates.last_layers import LastLayers
from airdeliver.updates.low_rank import LowRank
from airdeliver.updates.most_changed import MostChanged

__all__ = ["Difference", "Form", "LastLayers", "LowRank", "MostChanged", "Update"]
