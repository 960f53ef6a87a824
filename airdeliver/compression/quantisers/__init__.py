"""Quantisers: values to levels and back, one a file."""

from airdeliver.compression.quantisers.apot import APoT
from airdeliver.compression.quantisers.base import Quantiser, State
from airdeliver.compression.quantisers.dorefa import DoReFa
from airdeliver.compression.quantisers.dsq import DSQ
from airdeliver.compression.quantisers.hardware import PROFILES, hardware
from airdeliver.compression.quantisers.lsq import LSQ
from airdeliver.compression.quantisers.lsq_plus import LSQPlus
from airdeliver.compression.quantisers.qil import QIL
from airdeliver.compression.quantisers.rate_distortion import RateDistortion
from airdeliver.compression.quantisers.signs import Signs
from airdeliver.compression.quantisers.trellis_coded import TrellisCoded
from airdeliver.compression.quantisers.vertical import Vertical

__all__ = [
    "DSQ",
    "LSQ",
    "PROFILES",
    "QIL",
    "APoT",
    "DoReFa",
    "LSQPlus",
    "Quantiser",
    "RateDistortion",
    "Signs",
    "State",
    "TrellisCoded",
    "Vertical",
    "hardware",
]
