"""Schemes: whole recipes of how to train, prune, protect and send."""

from airdeliver.schemes.base import Scheme
from airdeliver.schemes.clean import Clean
from airdeliver.schemes.digital import Digital
from airdeliver.schemes.noise import Noise

__all__ = ["Clean", "Digital", "Noise", "Scheme"]
