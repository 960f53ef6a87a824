"""What sender and receiver agree on for a delivery, and what all of it costs."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airdeliver.budget import BudgetError
from airdeliver.payload import Layout


@dataclass(frozen=True)
class Plan(ABC):
    """What each segment gets, and the side information that tells the receiver so.

    Args:
        layout: the payload's segments: published recipe, but for its description, which is sent.
        side_information_rate: bits per channel use at which the side information is sent.
    """

    layout: Layout
    side_information_rate: float

    @property
    @abstractmethod
    def payload_symbols(self) -> int:
        """Complex symbols that carry the payload's values."""

    @abstractmethod
    def to_bytes(self) -> bytes:
        """The side information: all that the receiver needs beyond the layout and the values."""

    def table(self) -> Sequence[Any]:
        """What each segment gets, one dataclass a segment, for people to read; empty where segments do not differ."""
        return ()

    @property
    def side_information_symbols(self) -> int:
        """Complex symbols that the side information takes at its robust rate, the layout's description included."""
        return math.ceil(8 * (len(self.layout.description) + len(self.to_bytes())) / self.side_information_rate)

    @property
    def symbols(self) -> int:
        """All complex symbols of one delivery."""
        return self.payload_symbols + self.side_information_symbols

    def check_budget(self, symbols: int | None) -> None:
        """Refuse a plan that does not fit into `symbols`; None for a budget without bound.

        Raises:
            BudgetError: naming the minimum.
        """
        if symbols is not None and self.symbols > symbols:
            raise BudgetError(
                f"the payload needs {self.symbols} symbols ({self.payload_symbols} for {self.layout.size} values and "
                f"{self.side_information_symbols} for side information) but only {symbols} fit: give at least "
                f"{self.symbols} channel uses (more where the channel has pilots), or send a smaller model"
            )
