"""Rounds of one container: what receivers have gathered, at each depth of the physical layer."""

from airdeliver.links.digital.gathering.base import VERSIONS, Combining, Gathered, versions

__all__ = ["VERSIONS", "Combining", "Gathered", "versions"]
