"""The path through a trellis of least squared error plus bits, for many lanes at once."""

import numpy as np
from jaxtyping import Float64, Int64

from airdeliver.compression.codec.trellis import FURTHEST, Lanes, Trellis

AT_ONCE = 1 << 16
"""Values whose paths are sought at a time, a multiple of a lane."""

_OFFSETS = np.array([[0, 2], [-1, 1]])
"""Each quantiser's multiples with an even and with an odd index are these plus four times a number from 0 on; the
second's first even one is 0 instead of -1."""


def best_multiples(
    scaled: Float64[np.ndarray, "n"], prices: Float64[np.ndarray, "2 indices"], trellis: Trellis
) -> Int64[np.ndarray, "n"]:
    """Of all paths of each lane, the multiples of the one of least squared error plus price.

    Every value may take, of each quantiser and parity, the nearest multiple, the next towards 0, and 0. All is
    symmetric: magnitudes are chosen, signs are those of the values.

    Args:
        scaled: values over the step; the first begins a band.
        prices: of indices 0 to 127 of both quantisers, in squared steps.
        trellis: which multiples may follow each other.

    Source: A. J. Viterbi, Error bounds for convolutional codes and an asymptotically optimum decoding algorithm, IEEE
    Trans. IT 13(2), 1967.
    """
    found = np.zeros(len(scaled), np.int64)
    for first in range(0, len(scaled), AT_ONCE):
        part = scaled[first : first + AT_ONCE]
        found[first : first + len(part)] = np.sign(part).astype(np.int64) * _magnitudes(np.abs(part), prices, trellis)
    return found


def _magnitudes(
    values: Float64[np.ndarray, "n"], prices: Float64[np.ndarray, "2 indices"], trellis: Trellis
) -> Int64[np.ndarray, "n"]:
    lanes = Lanes(0, len(values))
    table, there = lanes.of(values), lanes.there()
    each = [_cheapest(table, prices, second, parity) for second in (0, 1) for parity in (0, 1)]
    multiples = np.stack([multiple for multiple, _ in each], 1)
    # Behind the end of a band every path costs the same.
    costs = np.stack([np.where(there, cost, 0.0) for _, cost in each], 1)
    before, parities = trellis.before[..., 0], trellis.before[..., 1]
    branches = 2 * trellis.quantisers[before] + parities
    reached = np.full((trellis.states, lanes.shape[1]), np.inf)
    reached[0] = 0
    taken = np.zeros((lanes.shape[0], trellis.states, lanes.shape[1]), bool)
    for row, cost in enumerate(costs):
        ways = reached[before] + cost[branches]
        taken[row] = ways[:, 1] < ways[:, 0]
        reached = ways.min(1)
    state, lane = reached.argmin(0), np.arange(lanes.shape[1])
    path = np.zeros(lanes.shape, np.int64)
    for row in range(lanes.shape[0] - 1, -1, -1):
        way = taken[row, state, lane].astype(np.int64)
        path[row] = multiples[row, branches[state, way], lane]
        state = before[state, way]
    return lanes.back(path)


def _cheapest(
    values: Float64[np.ndarray, "rows lanes"], prices: Float64[np.ndarray, "2 indices"], second: int, parity: int
) -> tuple[Int64[np.ndarray, "rows lanes"], Float64[np.ndarray, "rows lanes"]]:
    """The magnitude, among those of one quantiser and parity, of least error plus price; and both together."""
    offset, most = int(_OFFSETS[second, parity]), (FURTHEST - parity) // 2
    steps = np.arange(most + 1)
    magnitudes, price = np.maximum(4 * steps + offset, 0), prices[second, 2 * steps + parity]
    nearest = np.rint((values - offset) / 4).astype(np.int64).clip(0, most)
    best = nearest
    least = (values - magnitudes[nearest]) ** 2 + price[nearest]
    for other in (np.maximum(nearest - 1, 0), np.zeros_like(nearest)) if not parity else (np.maximum(nearest - 1, 0),):
        cost = (values - magnitudes[other]) ** 2 + price[other]
        best, least = np.where(cost < least, other, best), np.minimum(cost, least)
    return magnitudes[best], least
