"""Protection by size: small segments are sent louder, which costs little and needs no table."""

from dataclasses import dataclass
from typing import ClassVar

from airdeliver.links.analog.allocation import Allocation
from airdeliver.links.analog.protection.base import Demand, Protection


@dataclass(frozen=True)
class BySize(Protection):
    """Power in proportion to one over the square root of a segment's size, by the published recipe.

    The first convolution and the norms of a network are a hundredth of its values and most of its sensitivity. The
    receiver knows the sizes, so that nothing is measured, told or charged; see `Allocation.by_size` for the optimum
    that it is.
    """

    by_size: ClassVar[bool] = True

    def allocate(self, demand: Demand) -> Allocation:  # noqa: D102
        return demand.published
