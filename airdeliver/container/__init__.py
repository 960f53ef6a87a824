"""The container of the digital link as a file format: any network's weights, quantised and entropy-coded."""

from airdeliver.container.file import Inspection, inspect, pack, unpack

__all__ = ["Inspection", "inspect", "pack", "unpack"]
