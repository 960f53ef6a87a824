"""How many realizations: a fixed number, or as many as it takes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from airdeliver import Delivery, Report
from airdeliver.randomness import BLOCK


@dataclass(frozen=True)
class Realizations:
    """From `at_least` to `at_most` independent deliveries; a fixed number if these are equal.

    Args:
        at_least: the first look at the interval.
        at_most: the last.
        until: stop when half of the 95 % interval for the channel's randomness is at most this, in accuracy 0..1;
            None for a fixed number. To stop on what was seen makes the interval slightly too narrow, the less so the
            larger `at_least`.

    Raises:
        ValueError: numbers out of order, or not whole blocks of deliveries where the number is open.
    """

    at_least: int
    at_most: int
    until: float | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.at_least <= self.at_most:
            raise ValueError(
                f"realizations need 1 <= at_least <= at_most, got at_least {self.at_least} and at_most {self.at_most}"
            )
        if self.until is None:
            return
        if not 0 < self.until < 1:
            raise ValueError(f"realizations.until must be a half-width in accuracy between 0 and 1, got {self.until}")
        if self.at_least % BLOCK or self.at_most % BLOCK:
            raise ValueError(
                f"realizations.at_least and at_most must be multiples of {BLOCK}, in which deliveries are drawn, "
                f"got {self.at_least} and {self.at_most}"
            )

    def counts(self) -> Iterator[int]:
        """The numbers at which to look.

        >>> list(Realizations(16, 64, until=0.01).counts()), list(Realizations(10, 10).counts())
        ([16, 32, 48, 64], [10])
        """
        return iter(range(self.at_least, self.at_most + 1, BLOCK))

    def measure(
        self, deliver: Callable[[int], Delivery], evaluate: Callable[[Delivery], Report]
    ) -> tuple[Delivery, Report]:
        """Deliver and evaluate until the interval is narrow enough; what was evaluated once is not evaluated again.

        Args:
            deliver: so many realizations, of which the first are always the same.
            evaluate: any delivery.
        """
        parts: list[Report] = []
        for count in self.counts():
            delivery = deliver(count)
            parts.append(evaluate(_after(delivery, sum(len(part.scores) for part in parts))))
            report = Report.merged(parts)
            if self.until is not None and (report.channel_high - report.channel_low) / 2 <= self.until:
                break
        return delivery, report


def _after(delivery: Delivery, seen: int) -> Delivery:
    """The realizations of a delivery from number `seen` on, numbered from 0."""
    groups = [replace(g, realizations=g.realizations - seen) for g in delivery.groups if g.realizations.min() >= seen]
    return replace(delivery, groups=tuple(groups))
