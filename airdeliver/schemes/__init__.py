"""Schemes: whole recipes of how to train, prune, protect and send."""

from airdeliver.schemes.about import About
from airdeliver.schemes.airnet import AirNet
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.clean import Clean
from airdeliver.schemes.digital import Digital
from airdeliver.schemes.noise import Noise
from airdeliver.schemes.spectrum import AirNetSpectrum, SeparateNetworks

__all__ = ["About", "AirNet", "AirNetSpectrum", "Clean", "Digital", "Noise", "Scheme", "SeparateNetworks"]
