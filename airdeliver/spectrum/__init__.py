"""Spectrum: one parameter set that holds many networks, of which the channel picks one."""

from airdeliver.spectrum.base import Member, Spectrum, SpectrumBuilder
from airdeliver.spectrum.nested import Nested, NestedBuilder
from airdeliver.spectrum.package import SelectingPackage
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
    "SpectrumTraining",
]
