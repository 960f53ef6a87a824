"""Receivers of the analog link: an observed value and its noise in, an estimate out."""

from airdeliver.links.analog.receiver.base import Receiver
from airdeliver.links.analog.receiver.linear import MMSE, ZeroForcing

__all__ = ["MMSE", "Receiver", "ZeroForcing"]
