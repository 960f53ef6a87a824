"""Digital delivery: quantise, entropy-code, protect with 5G NR's LDPC codes, modulate."""

from airdeliver.compression.codec import DecodeError
from airdeliver.links.digital.abstraction import Abstraction
from airdeliver.links.digital.adaptation import Adaptation, Adaptive, FixedErrorRate, FixedGrade, Worth
from airdeliver.links.digital.bits import BitsDelivered, deliver_bits
from airdeliver.links.digital.full import Full
from airdeliver.links.digital.ideal import Ideal
from airdeliver.links.digital.link import DigitalLink
from airdeliver.links.digital.mcs import MCS, MCS_TABLES, transport_block_size
from airdeliver.links.digital.outer_loop import OuterLoop
from airdeliver.links.digital.outlook import Outlook
from airdeliver.links.digital.physical_layer import PhysicalLayer
from airdeliver.links.digital.plan import DigitalPlan
from airdeliver.links.digital.transport import Arrived, TransportBlock

__all__ = [
    "MCS",
    "MCS_TABLES",
    "Abstraction",
    "Adaptation",
    "Adaptive",
    "Arrived",
    "BitsDelivered",
    "DecodeError",
    "DigitalLink",
    "DigitalPlan",
    "FixedErrorRate",
    "FixedGrade",
    "Full",
    "Ideal",
    "OuterLoop",
    "Outlook",
    "PhysicalLayer",
    "TransportBlock",
    "Worth",
    "deliver_bits",
    "transport_block_size",
]
