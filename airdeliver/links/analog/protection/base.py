"""The contract of a protection: who gets how much of the channel."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from airdeliver.links.analog.allocation import Allocation
from airdeliver.links.analog.expansion import Expansion

UNLIMITED = 1 << 48
"""A budget of so many symbols is none: nothing is left over, because nothing is scarce."""


@dataclass(frozen=True, eq=False)
class Demand:
    """What is known when the channel is shared out.

    Args:
        sizes: values of each segment that travels.
        weight: loss increase if nothing arrives of a segment, so that the noise on it is its own variance: its
            sensitivity times its variance, 0 or more.
        expansion: published recipe.
        published: what all get by the published recipe; it needs no table.
        snr: assumed signal-to-noise ratio, linear.
        reals: real channel inputs that fit beside a table of so many bytes.
    """

    sizes: tuple[int, ...]
    weight: tuple[float, ...]
    expansion: Expansion
    published: Allocation
    snr: float
    reals: Callable[[int], int]

    def table(self, allocation: Allocation) -> int:
        """Bytes that tell the receiver of an allocation."""
        return 0 if allocation == self.published else len(allocation.to_bytes())

    def fits(self, allocation: Allocation) -> bool:
        """Whether an allocation and its table fit."""
        return allocation.needed(self.sizes) <= self.reals(self.table(allocation))

    def errors(self, allocation: Allocation, reals: int | None = None) -> list[float]:
        """Expected mean squared error on each segment, relative to its variance.

        Args:
            allocation: of the segments that travel.
            reals: real channel inputs of the delivery; None for all that fit beside the table.
        """
        inputs, extra = allocation.filled(self.sizes, reals or self.reals(self.table(allocation)))
        powers = allocation.powers([n * k + more for n, k, more in zip(self.sizes, inputs, extra)])
        errors = []
        for n, k, more, power in zip(self.sizes, inputs, extra, powers):
            plain = self.error(k, power * self.snr)
            errors.append(plain + more / n * (self.error(k + 1, power * self.snr) - plain) if more else plain)
        return errors

    def error(self, inputs: int, snr: float) -> float:
        """Expected squared error of a value of unit variance that gets so many channel inputs."""
        key = (inputs, snr)
        if key not in self._known:
            self._known[key] = self.expansion.at(inputs).error(snr) if snr > 0 else 1.0
        return self._known[key]

    @cached_property
    def _known(self) -> dict[tuple[int, float], float]:
        return {}

    def loss(self, allocation: Allocation) -> float:
        """Expected loss increase."""
        return float(np.dot(self.weight, self.errors(allocation)))

    def best(self, allocations: list[Allocation]) -> Allocation:
        """The one that fits and has the least expected loss; the first of equals."""
        return min(filter(self.fits, allocations), key=self.loss)


class Protection(ABC):
    """Shares the channel out among segments.

    A protection of one's own is a frozen dataclass with one method.

    Attributes:
        by_size: whether the published recipe sends small segments louder, before anything is allocated.
    """

    by_size: ClassVar[bool] = False

    def table(self, segments: int) -> int:
        """Bytes of a table that pruning to a budget leaves room for; 0 for a protection that finds room itself."""
        return 0

    @abstractmethod
    def allocate(self, demand: Demand) -> Allocation:
        """What each segment that travels gets; `demand.published` always fits."""
