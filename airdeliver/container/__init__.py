"""Quantised weights as small files: `pack`, `unpack` and `inspect`, also `python -m airdeliver.container`."""

from airdeliver.container.errors import relative_errors
from airdeliver.container.file import Inspection, inspect, pack, unpack

__all__ = ["Inspection", "inspect", "pack", "relative_errors", "unpack"]
