"""Codecs: levels to packets and back. Knows of no link; docs/container.md has every byte."""

from airdeliver.compression.codec.base import Codec, Container, Contents
from airdeliver.compression.codec.bitstream import DecodeError
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.codec.planes import BitPlanes
from airdeliver.compression.codec.range_coded import RangeCoded
from airdeliver.compression.codec.reconstruction import (
    Codebook,
    DeadZone,
    MidRise,
    MidRisePerChannel,
    MidTread,
    OnGrid,
    OnTrellis,
    PerChannel,
    Reconstruction,
)

__all__ = [
    "BitPlanes",
    "Codebook",
    "Codec",
    "Container",
    "Contents",
    "DeadZone",
    "DecodeError",
    "Levels",
    "MidRise",
    "MidRisePerChannel",
    "MidTread",
    "OnGrid",
    "OnTrellis",
    "PerChannel",
    "RangeCoded",
    "Reconstruction",
]
