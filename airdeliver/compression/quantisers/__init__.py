"""Quantisers: values to levels and back, one a file."""

from airdeliver.compression.quantisers.base import Quantiser, State
from airdeliver.compression.quantisers.lsq import LSQ
from airdeliver.compression.quantisers.rate_distortion import RateDistortion
from airdeliver.compression.quantisers.signs import Signs

__all__ = ["LSQ", "Quantiser", "RateDistortion", "Signs", "State"]
