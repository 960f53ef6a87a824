"""Elastic networks: one set of parameters, many networks, of which AirNet's spectrum is one kind."""

from airdeliver.elastic.architecture import ElasticArchitecture
from airdeliver.elastic.base import Elastic, ElasticBuilder, Member
from airdeliver.elastic.depths import Depths, EarlyExits, ExitsBuilder
from airdeliver.elastic.layers import LayeredArchitecture, Layers, layers_of
from airdeliver.elastic.nested import Nested, NestedBuilder
from airdeliver.elastic.pruned_bases import PrunedBasesBuilder
from airdeliver.elastic.resized import AtResolution, Resized
from airdeliver.elastic.samplers import Every, Ordered, Sampler, Sandwich
from airdeliver.elastic.slimmable import Slimmable, SlimmableBuilder
from airdeliver.elastic.statistics import Statistics
from airdeliver.elastic.switches import InParts, Switches, SwitchesBuilder

__all__ = [
    "AtResolution",
    "Depths",
    "EarlyExits",
    "Elastic",
    "ElasticArchitecture",
    "ElasticBuilder",
    "Every",
    "ExitsBuilder",
    "InParts",
    "LayeredArchitecture",
    "Layers",
    "Member",
    "Nested",
    "NestedBuilder",
    "Ordered",
    "PrunedBasesBuilder",
    "Resized",
    "Sampler",
    "Sandwich",
    "Slimmable",
    "SlimmableBuilder",
    "Statistics",
    "Switches",
    "SwitchesBuilder",
    "layers_of",
]
