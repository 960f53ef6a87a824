"""Protections of the analog link: who gets how much of the channel."""

from airdeliver.links.analog.protection.base import UNLIMITED, Demand, Protection
from airdeliver.links.analog.protection.by_expansion import ByExpansion
from airdeliver.links.analog.protection.by_power import Both, ByPower, water_filling
from airdeliver.links.analog.protection.by_size import BySize
from airdeliver.links.analog.protection.equal import Equal

__all__ = ["UNLIMITED", "Both", "ByExpansion", "ByPower", "BySize", "Demand", "Equal", "Protection", "water_filling"]
