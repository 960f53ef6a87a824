"""Expansions of the analog link: several channel inputs for one value."""

from airdeliver.links.analog.expansion.base import Expansion, Repeated, maximal_ratio
from airdeliver.links.analog.expansion.repetition import Repetition

__all__ = ["Expansion", "Repeated", "Repetition", "maximal_ratio"]
