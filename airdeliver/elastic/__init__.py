"""Elastic networks: one set of parameters, many networks, of which AirNet's spectrum is one kind."""

from airdeliver.elastic.architecture import ElasticArchitecture
from airdeliver.elastic.base import Elastic, ElasticBuilder, Member
from airdeliver.elastic.nested import Nested, NestedBuilder

__all__ = ["Elastic", "ElasticArchitecture", "ElasticBuilder", "Member", "Nested", "NestedBuilder"]
