"""Channels: physics alone. Symbols in, received samples and channel knowledge out."""

from channels.awgn import AWGN
from channels.base import Channel, ChannelState, Received
from channels.fading import Nakagami, Rayleigh, Rician
from channels.ofdm import OFDM

__all__ = ["AWGN", "OFDM", "Channel", "ChannelState", "Nakagami", "Rayleigh", "Received", "Rician"]
