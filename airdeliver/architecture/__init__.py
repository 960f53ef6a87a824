"""Architectures: what builds a network, and its layout, from a description in bytes and nothing else."""

from airdeliver.architecture.base import Architecture
from airdeliver.architecture.drawn import DrawnResolution
from airdeliver.architecture.given import Given
from airdeliver.architecture.keyed import Keyed
from airdeliver.architecture.keys import Device
from airdeliver.architecture.merged import Merged
from airdeliver.architecture.pruned import Pruned
from airdeliver.architecture.shaped import Shaped
from airdeliver.architecture.whole import Whole

__all__ = ["Architecture", "Device", "DrawnResolution", "Given", "Keyed", "Merged", "Pruned", "Shaped", "Whole"]
