"""The analog link: the parameters themselves are the symbols."""

from airdeliver.links.analog.expansion import Expansion, Hadamard, Repetition, Spiral
from airdeliver.links.analog.link import AnalogLink
from airdeliver.links.analog.plan import AnalogPlan
from airdeliver.links.analog.protection import Both, ByExpansion, ByPower, BySize, Equal, Protection
from airdeliver.links.analog.receiver import MMSE, Compensated, Laplacian, Mixture, Receiver, ZeroForcing
from airdeliver.links.analog.table import Row, render

__all__ = [
    "MMSE",
    "AnalogLink",
    "AnalogPlan",
    "Both",
    "ByExpansion",
    "ByPower",
    "BySize",
    "Compensated",
    "Equal",
    "Expansion",
    "Hadamard",
    "Laplacian",
    "Mixture",
    "Protection",
    "Receiver",
    "Repetition",
    "Row",
    "Spiral",
    "ZeroForcing",
    "render",
]
