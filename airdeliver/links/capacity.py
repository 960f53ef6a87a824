"""The capacity link: the best that any separate source and channel code can hope for on the channel as it is."""

from dataclasses import dataclass
from typing import Literal

from airdeliver.links.digital.link import DigitalLink
from airdeliver.links.digital.physical_layer import PhysicalLayer


@dataclass(frozen=True)
class CapacityLink(DigitalLink):
    """A digital link whose channel code is ideal: `DigitalLink(phy="capacity")`."""

    phy: Literal["full", "abstraction", "capacity"] | PhysicalLayer = "capacity"
