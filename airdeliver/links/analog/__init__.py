"""The analog link: the parameters themselves are the symbols."""

from airdeliver.links.analog.link import AnalogLink
from airdeliver.links.analog.plan import AnalogPlan
from airdeliver.links.analog.receiver import MMSE, Receiver, ZeroForcing

__all__ = ["MMSE", "AnalogLink", "AnalogPlan", "Receiver", "ZeroForcing"]
