"""Channels: physics alone. Symbols in, received samples and channel knowledge out."""

from channels.awgn import AWGN
from channels.base import Channel, ChannelState, Received
from channels.capacity import ergodic_capacity, outage_probability
from channels.fading import Nakagami, Rayleigh, Rician
from channels.multicast import Multicast
from channels.ofdm import OFDM
from channels.path_loss import UrbanMacro, UrbanMicro
from channels.ray_traced import RayTraced
from channels.recorded import Recorded

__all__ = [
    "AWGN",
    "OFDM",
    "Channel",
    "ChannelState",
    "Multicast",
    "Nakagami",
    "RayTraced",
    "Rayleigh",
    "Received",
    "Recorded",
    "Rician",
    "UrbanMacro",
    "UrbanMicro",
    "ergodic_capacity",
    "outage_probability",
]
