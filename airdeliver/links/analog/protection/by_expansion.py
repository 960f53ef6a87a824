"""Protection by expansion: channel uses go where they lower the loss most."""

import heapq
from dataclasses import dataclass

from airdeliver.links.analog.allocation import EVENLY, MOST_INPUTS, Allocation
from airdeliver.links.analog.protection.base import Demand, Protection

MOST_BITS = 6
"""Bits of a segment's entry in the finest table that is considered."""


@dataclass(frozen=True)
class ByExpansion(Protection):
    """Every value travels at least once; further inputs go, segment by segment, to the greatest marginal gain.

    The gain of one more input for all values of a segment, per input, is weight / n (error(k) - error(k + 1)). For
    repetition it falls with every step, so that the greedy choice is the best one up to the last segment served, a
    part of which gets what is left. A finer table costs more channel uses: the one with the least expected loss is
    taken, equal protection, which needs none, included.

    Source: greedy marginal allocation: B. Fox, Discrete optimization via marginal analysis, Management Science 13(3),
    1966.
    """

    def allocate(self, demand: Demand) -> Allocation:  # noqa: D102
        return demand.best([demand.published, *greedy_allocations(demand)])


def greedy_allocations(demand: Demand) -> list[Allocation]:
    """The greedy allocation for each fineness of the table; they need not fit."""
    return [_greedy(demand, bits) for bits in range(1, MOST_BITS + 1)]


def _greedy(demand: Demand, bits: int) -> Allocation:
    """The greedy allocation whose table tells the inputs of a segment with so many bits."""
    sizes, most = demand.sizes, min(MOST_INPUTS, 1 << bits)
    table = Allocation((1,) * (len(sizes) - 1) + (most,), rest=0)
    left = demand.reals(len(table.to_bytes())) - sum(sizes)
    inputs, rest = [1] * len(sizes), EVENLY
    gains = [(-_gain(demand, i, 1), i) for i in range(len(sizes))]
    heapq.heapify(gains)
    while gains and left > 0:
        _, i = heapq.heappop(gains)
        if inputs[i] == most:
            continue
        if sizes[i] > left:
            rest = i
            break
        inputs[i] += 1
        left -= sizes[i]
        heapq.heappush(gains, (-_gain(demand, i, inputs[i]), i))
    return Allocation(tuple(inputs), rest)


def _gain(demand: Demand, segment: int, inputs: int) -> float:
    """Loss that one more input for all its values takes away, per channel input."""
    fall = demand.error(inputs, demand.snr) - demand.error(inputs + 1, demand.snr)
    return demand.weight[segment] / demand.sizes[segment] * fall
