"""Payload: a model's learned values as one real vector with a layout of named segments, and back. Knows no link."""

from airdeliver.payload.flattened import Flattened
from airdeliver.payload.folding import Folded
from airdeliver.payload.layout import Layout, Payload, Segment
from airdeliver.payload.model import Model, architecture_of, is_keras, layout_of, load, payload_of, values_of, write
from airdeliver.payload.published import published
from airdeliver.payload.state import load_tensors

__all__ = [
    "Flattened",
    "Folded",
    "Layout",
    "Model",
    "Payload",
    "Segment",
    "architecture_of",
    "is_keras",
    "layout_of",
    "load",
    "load_tensors",
    "payload_of",
    "published",
    "values_of",
    "write",
]
