"""Architectures: what builds a network, and its layout, from a description in bytes and nothing else."""

from airdeliver.architecture.base import Architecture
from airdeliver.architecture.drawn import DrawnResolution
from airdeliver.architecture.given import Given
from airdeliver.architecture.pruned import Pruned
from airdeliver.architecture.shaped import Shaped
from airdeliver.architecture.whole import Whole

__all__ = ["Architecture", "DrawnResolution", "Given", "Pruned", "Shaped", "Whole"]
