"""How many realizations: a fixed number, or as many as it takes."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from airdeliver import Delivery, Fades, Report
from airdeliver.randomness import BLOCK


@dataclass(frozen=True)
class Realizations:
    """From `at_least` to `at_most` independent deliveries; a fixed number if these are equal.

    Args:
        at_least: the first look at the interval.
        at_most: the last.
        until: stop when half of the 95 % interval for the channel's randomness is at most this, in accuracy 0..1;
            None for a fixed number. To stop on what was seen makes the interval slightly too narrow, the less so the
            larger `at_least`: simulated, it covers 92 to 95 % from 32 on and 94 to 95 % from 64 on, least where few bad
            deliveries make the mean.
        images: test images that each delivery is scored on, drawn at random for each; None, or more than there
            are, for all. A few hundred tell more in the same time: see `airdeliver.evaluate`.
        fades: many fades of which a few are sent for all, in place of independent deliveries; None for these.

    Raises:
        ValueError: numbers out of order, no image, or not whole blocks of deliveries where the number is open.
    """

    at_least: int
    at_most: int
    until: float | None = None
    images: int | None = None
    fades: Fades | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.at_least <= self.at_most:
            raise ValueError(
                f"realizations need 1 <= at_least <= at_most, got at_least {self.at_least} and at_most {self.at_most}"
            )
        if self.images is not None and self.images < 1:
            raise ValueError(f"realizations.images must be at least 1, or null for all, got {self.images}")
        if self.until is None:
            return
        if self.fades is not None:
            raise ValueError("realizations.until is for independent deliveries: give `sent` for more of the fades")
        if not 0 < self.until < 1:
            raise ValueError(f"realizations.until must be a half-width in accuracy between 0 and 1, got {self.until}")
        if self.at_least % BLOCK or self.at_most % BLOCK:
            raise ValueError(
                f"realizations.at_least and at_most must be multiples of {BLOCK}, in which deliveries are drawn, "
                f"got {self.at_least} and {self.at_most}"
            )

    def after(self, count: int, half_width: float) -> int:
        """How many there should be, once `count` have given an interval: it narrows with their square root.

        >>> Realizations(16, 256, until=0.01).after(16, 0.02), Realizations(16, 32, until=0.01).after(16, 0.02)
        (64, 32)
        """
        if self.until is None or half_width <= self.until:
            return count
        wanted = min(count * (half_width / self.until) ** 2, self.at_most)
        return min(max(count + BLOCK, BLOCK * math.ceil(wanted / BLOCK)), self.at_most)

    def measure(
        self, deliver: Callable[[int | Fades], Delivery], evaluate: Callable[[Delivery], Report]
    ) -> tuple[Delivery, Report]:
        """Deliver and evaluate until the interval is narrow enough; what was evaluated once is not evaluated again.

        Args:
            deliver: so many realizations, of which the first are always the same; or fades.
            evaluate: any delivery.
        """
        if self.fades is not None:
            delivery = deliver(self.fades)
            return delivery, evaluate(delivery)
        parts: list[Report] = []
        count, seen = self.at_least, 0
        while True:
            delivery = deliver(count)
            parts.append(evaluate(_after(delivery, seen)))
            report = Report.merged(parts)
            seen = len(report.scores)
            wanted = self.after(count, (report.channel_high - report.channel_low) / 2)
            if wanted == count:
                return delivery, report
            count = wanted


def _after(delivery: Delivery, seen: int) -> Delivery:
    """The realizations of a delivery from number `seen` on, numbered from 0."""
    groups = [replace(g, realizations=g.realizations - seen) for g in delivery.groups if g.realizations.min() >= seen]
    return replace(delivery, groups=tuple(groups), first=delivery.first + seen)
