"""Digital delivery: quantise, entropy-code, protect with 5G NR's LDPC codes, modulate."""

from airdeliver.links.digital.mcs import MCS, MCS_TABLES, transport_block_size
from airdeliver.links.digital.transport import Arrived, TransportBlock

__all__ = ["MCS", "MCS_TABLES", "Arrived", "TransportBlock", "transport_block_size"]
