"""Levels chosen by error and bits together: of each value by itself, once the price of every level is known."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np
from jaxtyping import Float64, Int64, Integer

from airdeliver.compression.bands import Bands, bands_of
from airdeliver.compression.codec.entropy_coding import LevelModel, fit
from airdeliver.compression.codec.levels import centre_of
from airdeliver.compression.computed import PIECE, Computed
from airdeliver.payload import Payload

DEAD_ZONE = 0.62
"""Magnitudes below this share of a step become 0 before rate and distortion are weighed (1/2 is plain rounding)."""

LONGEST = 1000
"""Levels from the centre beyond which values are rounded plainly: so fine are they that bits hardly differ."""

_Choose = Callable[[Float64[np.ndarray, "_"]], Int64[np.ndarray, "_"]]

_AT_ONCE = 1 << 14
"""Values whose levels are chosen at a time: that takes ten times their memory."""


class Pieces:
    """The values of a payload, band after band, piece by piece."""

    def __init__(self, payload: Payload) -> None:
        self._values = payload.values.detach().cpu().numpy()
        self.bands: Bands = bands_of(payload.layout)
        self._starts = (0, *accumulate(self.bands.sizes))
        self.ends = [self._range(band) for band in range(len(self.bands))]

    def scaled(self, band: int, scale: float, at_once: int = PIECE) -> Iterator[Float64[np.ndarray, "_"]]:
        """The values of a band over the step."""
        for _, place in self.bands.spans(self._starts[band], self._starts[band + 1]):
            for first in range(place.start, place.stop, at_once):
                yield self._values[first : min(first + at_once, place.stop)].astype(np.float64) / scale

    def between(
        self, first: int, end: int, scales: Sequence[float]
    ) -> Iterator[tuple[int, slice, Float64[np.ndarray, "_"]]]:
        """The values over their steps from one place in band order to another.

        Args:
            first: place of the first of them.
            end: place behind the last of them.
            scales: the step of each band.

        Yields:
            Band, places counted from `first`, and values; few at a time.
        """
        for start in range(first, end, _AT_ONCE):
            for ordered, place in self.bands.spans(start, min(start + _AT_ONCE, end)):
                # A span is one segment's: all of it is of one band.
                band = bisect_right(self._starts, ordered.start) - 1
                scaled = self._values[place].astype(np.float64) / scales[band]
                yield band, slice(ordered.start - first, ordered.stop - first), scaled

    def _range(self, band: int) -> tuple[float, float]:
        spans = self.bands.spans(self._starts[band], self._starts[band + 1])
        ends = [(self._values[place].min(), self._values[place].max()) for _, place in spans]
        return float(min(low for low, _ in ends)), float(max(high for _, high in ends))


@dataclass(frozen=True, eq=False)
class Rule:
    """How a band's level follows from a value over the step.

    Args:
        centre: of the levels.
        prices: of each level about the centre, in squared error; None to round plainly.
    """

    centre: int
    prices: Float64[np.ndarray, "levels"] | None = None

    def levels(self, scaled: Float64[np.ndarray, "n"]) -> Int64[np.ndarray, "n"]:
        """The level of each value over the step."""
        offset = scaled - self.centre
        if self.prices is None:
            return np.rint(offset).astype(np.int64) + self.centre
        return _cheapest(offset, self.prices) + self.centre


def chosen(values: Pieces, scales: Sequence[float], slopes: Sequence[float]) -> tuple[Computed, tuple[LevelModel, ...]]:
    """Levels of all bands, and the models that bits are counted with.

    Args:
        values: of the payload.
        scales: the step of each band.
        slopes: squared error, in steps, that one bit is worth in each band.
    """
    largest = max((max(map(abs, ends)) / scale for ends, scale in zip(values.ends, scales, strict=True)), default=0.0)
    found = [rule_of(values, band, *asked) for band, asked in enumerate(zip(scales, slopes, strict=True))]
    rules, dtype = [rule for rule, _ in found], smallest(largest)

    def levels(first: int, end: int) -> Integer[np.ndarray, "_"]:
        part = np.empty(end - first, dtype)
        for band, place, scaled in values.between(first, end, scales):
            part[place] = rules[band].levels(scaled)
        return part

    numbers = Computed(levels, sum(values.bands.sizes), dtype)
    each = zip(found, values.bands.places, strict=True)
    models = (model or fit(numbers[place], rule.centre) for (rule, model), place in each)
    return numbers, tuple(models)


def smallest(largest: float) -> type[np.signedinteger]:
    """The smallest integers that hold levels, which lie at most one beyond what rounding makes of the largest value."""
    return next((dtype for dtype in (np.int8, np.int16) if largest + 2 < np.iinfo(dtype).max), np.int32)


def rule_of(values: Pieces, band: int, scale: float, slope: float) -> tuple[Rule, LevelModel | None]:
    """What `choose_levels` finds, in passes over pieces of the values.

    Args:
        values: of the payload.
        band: whose levels are chosen.
        scale: its step.
        slope: squared error, in steps, that one bit is worth.

    Returns:
        How levels follow from values, and the model that bits are counted with; None where values are rounded plainly,
        so that the model follows from the levels.
    """
    centre, furthest = _centre(values.scaled(band, scale), values.bands.sizes[band])
    return _priced(lambda: values.scaled(band, scale, _AT_ONCE), centre, furthest, slope)


def choose_levels(scaled: Float64[np.ndarray, "n"], slope: float) -> tuple[Int64[np.ndarray, "n"], LevelModel]:
    """Levels of least squared error plus slope times bits, and the model that the bits are counted with.

    Each value may take the nearest level, the next towards the centre, or the centre. Model and levels are found in
    turn, twice.

    Args:
        scaled: values over the step.
        slope: squared error, in steps, that one bit is worth.
    """
    pieces = [scaled[first : first + _AT_ONCE] for first in range(0, max(1, len(scaled)), _AT_ONCE)]
    centre = centre_of(scaled)
    furthest = max(float(np.abs(part - centre).max(initial=0.0)) for part in pieces)
    levels = np.empty(len(scaled), np.int64)
    rule, model = _priced(lambda: iter(pieces), centre, furthest, slope, levels)
    if model is None:
        levels = rule.levels(scaled)
        return levels, fit(levels, centre)
    return levels + centre, model


def _priced(
    pieces: Callable[[], Iterator[Float64[np.ndarray, "_"]]],
    centre: int,
    furthest: float,
    slope: float,
    levels: Int64[np.ndarray, "n"] | None = None,
) -> tuple[Rule, LevelModel | None]:
    """See `rule_of`: of pieces of the values over the step, which are asked for three times.

    Levels about the centre are written where an array is given, and values are not rounded plainly.
    """
    if furthest > LONGEST:
        return Rule(centre), None
    reach = math.ceil(furthest) + 1
    around = np.arange(-reach, reach + 1)

    def counted(choose: _Choose, held: Int64[np.ndarray, "n"] | None = None) -> LevelModel:
        counts, first = np.zeros(len(around), np.int64), 0
        for scaled in pieces():
            found = choose(scaled - centre)
            counts += np.bincount(found + reach, minlength=len(around))
            if held is not None:
                held[first : first + len(found)] = found
                first += len(found)
        return fit(around, 0, times=counts) if counts.any() else LevelModel()

    model, prices = counted(_begun), np.zeros(0)
    for held in (None, levels):
        prices = slope * model.cost(around)
        model = counted(lambda offset, at=prices: _cheapest(offset, at), held)
    return Rule(centre, prices), replace(model, centre=centre)


def _begun(offset: Float64[np.ndarray, "n"]) -> Int64[np.ndarray, "n"]:
    return (np.sign(np.rint(offset)) * np.floor(np.abs(offset) + 1 - DEAD_ZONE)).astype(np.int64)


def _cheapest(offset: Float64[np.ndarray, "n"], prices: Float64[np.ndarray, "levels"]) -> Int64[np.ndarray, "n"]:
    """Of the nearest level, the next towards the centre, and the centre, the one of least error plus price."""
    reach, nearest = len(prices) // 2, np.rint(offset).astype(np.int64)
    nearer = nearest - np.sign(nearest)
    cost = (nearest - offset) ** 2 + prices[nearest + reach]
    other = (nearer - offset) ** 2 + prices[nearer + reach]
    best = np.where(other < cost, nearer, nearest)
    best[offset**2 + prices[reach] < np.minimum(cost, other)] = 0
    return best


def _centre(pieces: Iterator[Float64[np.ndarray, "_"]], count: int) -> tuple[int, float]:
    """See `centre_of`; and how far from it the values reach."""
    total = squares = 0.0
    low, high = math.inf, -math.inf
    for part in pieces:
        total, squares = total + float(part.sum()), squares + float(part @ part)
        low, high = min(low, float(part.min())), max(high, float(part.max()))
    if not count:
        return 0, 0.0
    mean = total / count
    deviation = math.sqrt(max(0.0, squares / count - mean * mean))
    centre = round(mean) if abs(mean) > 2 * deviation / math.sqrt(count) else 0
    return centre, max(abs(low - centre), abs(high - centre))
