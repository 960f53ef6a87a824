"""Pruning to a number of values, for links whose cost is not a matter of how many values there are."""

from dataclasses import dataclass

from airdeliver.compression.pruning import Pruning
from airdeliver.links import BudgetError
from airdeliver.payload import Layout


@dataclass(frozen=True)
class PruningToSize(Pruning):
    """Removal of whole channels until the payload has at most twice `symbols` values, side information left aside.

    A digital link can send any network at any budget, with few bits a value; how large the network should be then is a
    choice, not a consequence of the budget.
    """

    def _plan(self, layout: Layout, symbols: int) -> None:
        if layout.size > 2 * symbols:
            raise BudgetError(f"{layout.size:,} values do not fit in {symbols:,} symbols, give at least {layout.size}")
