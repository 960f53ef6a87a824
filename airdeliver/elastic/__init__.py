"""Elastic networks: one set of parameters, many networks, of which AirNet's spectrum is one kind."""

from airdeliver.elastic.architecture import ElasticArchitecture
from airdeliver.elastic.base import Elastic, ElasticBuilder, Member
from airdeliver.elastic.layers import LayeredArchitecture, Layers, layers_of
from airdeliver.elastic.nested import Nested, NestedBuilder
from airdeliver.elastic.resized import AtResolution, Resized
from airdeliver.elastic.samplers import Every, Ordered, Sampler, Sandwich
from airdeliver.elastic.slimmable import Slimmable, SlimmableBuilder
from airdeliver.elastic.statistics import Statistics

__all__ = [
    "AtResolution",
    "Elastic",
    "ElasticArchitecture",
    "ElasticBuilder",
    "Every",
    "LayeredArchitecture",
    "Layers",
    "Member",
    "Nested",
    "NestedBuilder",
    "Ordered",
    "Resized",
    "Sampler",
    "Sandwich",
    "Slimmable",
    "SlimmableBuilder",
    "Statistics",
    "layers_of",
]
