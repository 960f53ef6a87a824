"""Schemes: whole recipes of how to train, prune, protect and send."""

from airdeliver.schemes.airnet import AirNet
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.clean import Clean
from airdeliver.schemes.digital import Digital
from airdeliver.schemes.noise import Noise

__all__ = ["AirNet", "Clean", "Digital", "Noise", "Scheme"]
