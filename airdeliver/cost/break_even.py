"""Break-even: after how many inferences what costs more once, and less each time, is the cheaper one."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Price:
    """What something costs once and with every inference, in one unit: channel uses, milliseconds, joules.

    Args:
        once: before the first inference.
        each: with every inference.

    Raises:
        ValueError: a negative cost.

    >>> Price(1000.0, 0.0).after(10), Price(100.0, 32.0).after(10)
    (1000.0, 420.0)
    """

    once: float | int
    each: float | int

    def __post_init__(self) -> None:
        if not (self.once >= 0 and self.each >= 0):
            raise ValueError(f"costs must be 0 or more, got {self.once} once and {self.each} each")

    def after(self, inferences: int) -> float | int:
        """All that it has cost after so many inferences."""
        return self.once + inferences * self.each


def break_even(whole: Price, split: Price) -> float:
    r"""Inferences up to which a network that is split is cheaper than one that is delivered whole.

    $N^* = (U_\mathrm{whole} - U_\mathrm{split}) / (u_\mathrm{split} - u_\mathrm{whole})$: infinite where the split one
    is cheaper however many there are, 0 where it never is.

    Args:
        whole: of the network that is delivered whole.
        split: of the one of which the device holds the first layers.

    >>> break_even(Price(1000.0, 0.0), Price(100.0, 30.0))
    30.0
    >>> break_even(Price(1000.0, 1.0), Price(100.0, 0.5)), break_even(Price(100.0, 0.0), Price(1000.0, 1.0))
    (inf, 0.0)
    """
    saved, lost = whole.once - split.once, split.each - whole.each
    if lost <= 0:
        return math.inf if saved >= 0 else 0.0
    return max(0.0, saved / lost)
