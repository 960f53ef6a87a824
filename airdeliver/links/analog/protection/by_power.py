"""Protection by power: sensitive segments are sent louder."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from airdeliver.links.analog.allocation import POWER_LEVELS, POWER_STEP_DB, Allocation
from airdeliver.links.analog.protection.base import Demand, Protection
from airdeliver.links.analog.protection.by_expansion import greedy_allocations

LEAST = 0.25
"""Least energy of a value, relative to the mean of all.

Loss that is linear in the error holds for small errors alone. Where it gives a whole layer nothing, at -5 dB say, no
network is left: on the digits chance, against 47 % with channel uses alone.
"""


@dataclass(frozen=True)
class ByPower(Protection):
    """Equally many channel uses for all, transmit power where it lowers the loss most.

    Powers are told to the receiver in steps of 1.5 dB, two segments a byte. If that costs more than it gains, power
    stays equal.

    Args:
        least: energy that every value gets, relative to the mean of all; 0 for plain water-filling.

    Raises:
        ValueError: a share that is not from 0 to 1.
    """

    least: float = LEAST

    def __post_init__(self) -> None:
        if not 0 <= self.least <= 1:
            raise ValueError(f"least must be a share from 0 to 1 of the mean energy, got {self.least}")

    def table(self, segments: int) -> int:  # noqa: D102
        return len(Allocation((1,) * segments, power=(1,) * segments).to_bytes())

    def allocate(self, demand: Demand) -> Allocation:  # noqa: D102
        return demand.best([demand.published, powered(demand.published, demand, self.least)])


@dataclass(frozen=True)
class Both(ByPower):
    """Channel uses and power where they lower the loss most: the best of all that the other protections offer."""

    def allocate(self, demand: Demand) -> Allocation:  # noqa: D102
        allocations = [demand.published, *filter(demand.fits, greedy_allocations(demand))]
        return demand.best([*allocations, *(powered(allocation, demand, self.least) for allocation in allocations)])


def powered(allocation: Allocation, demand: Demand, least: float = 0.0) -> Allocation:
    """An allocation with the powers that lower the expected loss most, in steps that a table can tell."""
    inputs, extra = allocation.filled(demand.sizes, demand.reals(demand.table(allocation)))
    reals = [n * k + more for n, k, more in zip(demand.sizes, inputs, extra)]
    energy = water_filling(demand.sizes, demand.weight, float(sum(reals)), demand.snr, least)
    power = [n * e / r for n, e, r in zip(demand.sizes, energy, reals)]
    levels = tuple(_level(p / max(power)) for p in power)
    return replace(allocation, power=levels) if len(set(levels)) > 1 else allocation


def water_filling(
    sizes: Sequence[int], weight: Sequence[float], total: float, snr: float, least: float = 0.0
) -> list[float]:
    r"""Energy of each value that minimises the expected loss.

    Minimises $\sum_i w_i / (1 + q_i\,\mathrm{SNR})$ subject to $\sum_i n_i q_i = N$ and $q_i \ge q_0$, by
    $q_i = \max(q_0, \sqrt{w_i / (n_i \lambda\,\mathrm{SNR})} - 1 / \mathrm{SNR})$ with the multiplier λ that spends all
    energy.

    Args:
        sizes: n, values of each segment.
        weight: w, loss increase if nothing arrives of a segment.
        total: N, energy in all.
        snr: linear, above 0.
        least: q_0, energy that every value gets, relative to the mean of all, from 0 to 1.

    Returns:
        q, energy of each value of a segment; equal where all weights are 0.

    Source: S. Boyd and L. Vandenberghe, Convex Optimization, 2004, section 5.5.3 (the conditions of Karush, Kuhn and
    Tucker, and water-filling).

    >>> [round(q, 2) for q in water_filling([10, 10], [4.0, 1.0], total=20.0, snr=1.0)]
    [1.67, 0.33]
    >>> [round(q, 2) for q in water_filling([10, 10], [4.0, 0.0], total=20.0, snr=1.0, least=0.25)]
    [1.75, 0.25]
    """
    floor = least * total / sum(sizes)
    amplitude = [math.sqrt(w / n) for w, n in zip(weight, sizes, strict=True)]
    if not any(amplitude):
        return [total / sum(sizes)] * len(sizes)
    served = sorted(range(len(sizes)), key=lambda i: -amplitude[i])
    while True:
        # The level that spends on the segments served all that the floor leaves; the least of them must get more.
        values = sum(sizes[i] for i in served)
        left = total - floor * (sum(sizes) - values)
        level = (left + values / snr) / sum(sizes[i] * amplitude[i] for i in served)
        if len(served) == 1 or amplitude[served[-1]] * level - 1 / snr > floor:
            break
        served.pop()
    chosen = set(served)
    return [a * level - 1 / snr if i in chosen else floor for i, a in enumerate(amplitude)]


def _level(relative: float) -> int:
    """Power relative to the greatest, as a step of the table; 0 for none at all."""
    if relative <= 0:
        return 0
    return max(1, POWER_LEVELS + round(10 * math.log10(relative) / POWER_STEP_DB))
