"""Expansions of the analog link: several channel inputs for one value."""

from airdeliver.links.analog.expansion.base import Expansion, Repeated, maximal_ratio
from airdeliver.links.analog.expansion.choice import least_error
from airdeliver.links.analog.expansion.hadamard import Hadamard
from airdeliver.links.analog.expansion.repetition import Repetition
from airdeliver.links.analog.expansion.spiral import Spiral

__all__ = ["Expansion", "Hadamard", "Repeated", "Repetition", "Spiral", "least_error", "maximal_ratio"]
