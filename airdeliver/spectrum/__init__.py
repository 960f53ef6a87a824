"""AirNet's spectrum at the sender: which member for which channel, and all members in one file."""

from airdeliver.spectrum.file import cut, load, load_member, save, save_member, summaries
from airdeliver.spectrum.package import SelectingPackage, SpectrumPackage
from airdeliver.spectrum.selection import AccuracyTable, Selection

__all__ = [
    "AccuracyTable",
    "SelectingPackage",
    "Selection",
    "SpectrumPackage",
    "cut",
    "load",
    "load_member",
    "save",
    "save_member",
    "summaries",
]
