"""The condition that a network is made for: a link, a channel, an SNR and a budget."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from airdeliver.conversion import Converted, converted, real, tuple_of
from airdeliver.links.base import Knowledge, Link
from airdeliver.links.plan import Plan
from airdeliver.payload import Layout, Payload
from channels import Channel

SNR = float | int | Sequence[float]
"""An SNR in dB, or the ends of a range."""


def level_or_range(snr_db: Any) -> float | tuple[float, float]:
    """An SNR in dB as float, or a range as lowest and highest.

    >>> level_or_range(5), level_or_range([0, 10])
    (5.0, (0.0, 10.0))
    """
    if not isinstance(snr_db, Iterable):
        return real(snr_db)
    ends = tuple_of(real)(snr_db)
    if len(ends) != 2 or ends[0] > ends[1]:
        raise ValueError(f"must be a number or a range [low, high] in dB, got {list(ends)}")
    return ends[0], ends[1]


@dataclass(frozen=True)
class Condition:
    """The link, the channel and the SNR that a network is trained through, and the budget that it is made for.

    Args:
        link: whose own perturbation is used; there is no second implementation for training.
        channel: physics.
        snr_db: mean SNR in dB, or a range `(low, high)` of which every step draws one uniformly.
        symbols: complex symbols that the link may spend, for a network that is made for one budget; None for what its
            expansion needs and no more.

    Raises:
        ValueError: a range that is not low to high.
    """

    link: Link
    channel: Channel
    snr_db: Converted[SNR, float | tuple[float, float]] = converted(level_or_range)
    symbols: int | None = None

    @property
    def range_db(self) -> tuple[float, float]:
        """Lowest and highest SNR in dB."""
        return self.snr_db if isinstance(self.snr_db, tuple) else (self.snr_db, self.snr_db)

    @property
    def middle_db(self) -> float:
        """SNR in dB in the middle of the range."""
        return sum(self.range_db) / 2

    def draw_snr_db(self, generator: Generator) -> float:
        """The SNR of one step."""
        low, high = self.range_db
        if low == high:
            return low
        return low + (high - low) * float(torch.rand((), generator=generator, device=generator.device))

    @torch.no_grad()
    def arrival(
        self, plan: Plan, values: Float[Tensor, "n"], layout: Layout, generator: Generator
    ) -> tuple[Plan, Float[Tensor, "n"]]:
        """One draw of what would arrive of a network's values in a step of its training.

        Args:
            plan: of the step before.
            values: of the payload, now.
            layout: their segments.
            generator: of the SNR and the noise.

        Returns:
            The plan refreshed for these values, and what arrives of them.
        """
        plan = self.link.refresh(plan, Payload(values, layout))
        snr_db = self.draw_snr_db(generator)
        return plan, self.link.perturb(values, plan, self.channel, snr_db, generator)

    def knowledge(self) -> Knowledge:
        """What the sender plans with: the channel and the middle of the SNR range."""
        return Knowledge("average", self.middle_db, self.channel)
