"""Receivers of the analog link: an observed value and its noise in, an estimate out."""

from airdeliver.links.analog.receiver.base import Receiver
from airdeliver.links.analog.receiver.compensated import Compensated
from airdeliver.links.analog.receiver.laplacian import Laplacian
from airdeliver.links.analog.receiver.linear import MMSE, ZeroForcing
from airdeliver.links.analog.receiver.mixture import Mixture

__all__ = ["MMSE", "Compensated", "Laplacian", "Mixture", "Receiver", "ZeroForcing"]
