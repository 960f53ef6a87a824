"""Spectrum: one parameter set that holds many networks, of which the channel picks one."""

from airdeliver.spectrum.base import Member, Spectrum, SpectrumBuilder
from airdeliver.spectrum.file import cut, load, load_member, save, save_member, summaries
from airdeliver.spectrum.nested import Nested, NestedBuilder
from airdeliver.spectrum.package import SelectingPackage, SpectrumPackage
from airdeliver.spectrum.selection import AccuracyTable, Selection
from airdeliver.spectrum.training import SpectrumTraining

__all__ = [
    "AccuracyTable",
    "Member",
    "Nested",
    "NestedBuilder",
    "SelectingPackage",
    "Selection",
    "Spectrum",
    "SpectrumBuilder",
    "SpectrumPackage",
    "SpectrumTraining",
    "cut",
    "load",
    "load_member",
    "save",
    "save_member",
    "summaries",
]
