"""The capacity link: the best that any separate source and channel code can hope for on the channel as it is."""

from dataclasses import dataclass, field
from typing import Literal

from airdeliver.links.digital.ideal import Ideal
from airdeliver.links.digital.link import DigitalLink
from airdeliver.links.digital.physical_layer import PhysicalLayer


@dataclass(frozen=True)
class CapacityLink(DigitalLink):
    """A digital link whose channel code is ideal: another name for `DigitalLink(phy="capacity")`, which it becomes.

    >>> CapacityLink() == DigitalLink("capacity")
    True
    """

    phy: Literal["full", "abstraction", "capacity"] | PhysicalLayer = field(default_factory=Ideal)

    def __post_init__(self) -> None:
        super().__post_init__()
        # What identifies a link is its class and its fields: under two names it would be trained and kept twice.
        object.__setattr__(self, "__class__", DigitalLink)
