"""Quantisers: values to levels and back, one a file."""

from airdeliver.compression.quantisers.base import Quantiser, State
from airdeliver.compression.quantisers.rate_distortion import RateDistortion

__all__ = ["Quantiser", "RateDistortion", "State"]
