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
    falls = _Falls(demand)
    return [_greedy(demand, bits, falls) for bits in range(1, MOST_BITS + 1)]


class _Falls(dict[int, float]):
    """What one more input takes off the expected error, by the inputs before."""

    def __init__(self, demand: Demand) -> None:
        self.demand = demand

    def __missing__(self, inputs: int) -> float:
        self[inputs] = self.demand.error(inputs, self.demand.snr) - self.demand.error(inputs + 1, self.demand.snr)
        return self[inputs]


def _greedy(demand: Demand, bits: int, falls: _Falls) -> Allocation:
    """The greedy allocation whose table tells the inputs of a segment with so many bits."""
    sizes, most = demand.sizes, min(MOST_INPUTS, 1 << bits)
    table = Allocation((1,) * (len(sizes) - 1) + (most,), rest=0)
    left = demand.reals(len(table.to_bytes())) - sum(sizes)
    inputs, rest = [1] * len(sizes), EVENLY
    # Loss that falls with the error, per channel input; below 0, since heaps begin with the least.
    worth = [-weight / size for weight, size in zip(demand.weight, sizes)]
    gains = [(each * falls[1], i) for i, each in enumerate(worth)]
    heapq.heapify(gains)
    while gains and left > 0:
        _, i = gains[0]
        if inputs[i] == most:
            heapq.heappop(gains)
            continue
        if sizes[i] > left:
            rest = i
            break
        inputs[i] += 1
        left -= sizes[i]
        heapq.heapreplace(gains, (worth[i] * falls[inputs[i]], i))
    return Allocation(tuple(inputs), rest)
