"""Do pieces of one's own keep their contracts? Channels, links and their parts, quantisers, schemes, tasks."""

from airdeliver.conformance.bench import Bench
from airdeliver.conformance.check import FAMILIES, check, faults, parts
from channels.conformance import ConformanceError

__all__ = ["FAMILIES", "Bench", "ConformanceError", "check", "faults", "parts"]
