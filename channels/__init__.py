"""Channels: physics alone. Symbols in, received samples and channel knowledge out."""

from channels.awgn import AWGN
from channels.base import Channel, ChannelState, Received

__all__ = ["AWGN", "Channel", "ChannelState", "Received"]
