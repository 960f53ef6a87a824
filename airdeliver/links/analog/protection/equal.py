"""Equal protection: every value is worth the same."""

from dataclasses import dataclass

from airdeliver.links.analog.allocation import Allocation
from airdeliver.links.analog.protection.base import Demand, Protection


@dataclass(frozen=True)
class Equal(Protection):
    """All segments alike; what is left over repeats a part of each, in proportion to its size.

    The receiver needs no table: how much is repeated it sees from how many symbols arrive.
    """

    def allocate(self, demand: Demand) -> Allocation:  # noqa: D102
        return demand.published
