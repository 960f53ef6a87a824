"""Rate and distortion of large payloads: the slope is sought on a sample, levels are chosen piece by piece."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float64, Integer

from airdeliver.compression.bands import Bands, bands_of
from airdeliver.compression.codec.entropy_coding import LevelModel
from airdeliver.compression.codec.entropy_coding import fit as fit_model
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.codec.reconstruction import OnGrid, step_size
from airdeliver.compression.quantisers.allocation import DEAD_ZONE, LONGEST, Allocated, Problem, bisect, sensitivities
from airdeliver.payload import Layout, Payload, Segment

LARGE = 1 << 20
"""Values from which on a payload is large."""

SAMPLE = 1 << 17
"""Values of all bands together that a slope is sought on, about."""

LEAST = 1 << 12
"""Values of each band in the sample, at least: all of those that have fewer."""

PIECE = 1 << 16
"""Values that are looked at at a time."""

_AT_ONCE = 1 << 14
"""Values whose levels are chosen at a time: that takes ten times their memory."""

_SOLUTIONS, _ENOUGH = 6, 0.99

Found = TypeVar("Found", bound=Allocated)
Whole = TypeVar("Whole", bound=Allocated)


def fit(
    payload: Payload,
    most: float,
    size: Callable[[Levels], float],
    steps: tuple[int, ...] | None = None,
    near: Allocated | None = None,
) -> Allocated:
    """What `allocate` and `adjust` find, but for about one percent of the size, with a few looks at all values.

    Args:
        payload: values, and their sensitivity if it is known.
        most: that the result may take.
        size: what a result takes, in whatever unit.
        steps: index of each band's step, where a network was trained with these; None to choose them.
        near: an earlier answer for nearly the same size: its steps are kept, and its slope is nearly right.

    Raises:
        ValueError: steps of another number of bands.
    """
    sample = Sample.of(payload)
    if steps is not None and len(steps) != len(sample.problem.bands):
        raise ValueError(f"the payload has {len(sample.problem.bands)} bands, got {len(steps)} steps")
    if near is not None:
        there = sample.problem.solve(near.slope, near.steps)
        found = sample.at(sample.bits(there) * most / size(near), (near.slope / 8, near.slope * 8), near.steps)
        return quantised(payload, found.steps, found.slope)
    between = sample.problem.slopes()
    return seek(
        lambda goal: sample.at(goal, between, steps),
        lambda found: quantised(payload, found.steps, found.slope),
        sample,
        lambda whole: size(whole) / most,
        goal=2.0 * payload.layout.size,
        looks=_SOLUTIONS,
    )


def seek(
    find: Callable[[float], Found],
    make: Callable[[Found], Whole],
    sample: "Sample",
    share: Callable[[Whole], float],
    goal: float,
    looks: int,
) -> Whole:
    """The levels of all values that fill best what they may take, sought by a sample's bits.

    Sizes of the whole are taken to be in proportion to bits of the sample, and looked at again until they fit.

    Args:
        find: levels of the sample of so many bits of all values.
        make: the same of all values.
        sample: counts bits.
        share: of what all values may take.
        goal: bits of all values that are tried first.
        looks: at all values, at most.
    """
    best, whole, filled = None, None, math.inf
    for _ in range(looks):
        found = find(goal)
        del whole  # levels are large: one answer is held at a time, and the best one made again if it was not the last
        whole = make(found)
        now = share(whole)
        if best is None or now < filled if filled > 1 else filled < now <= 1:
            best, filled = found, now
        if _ENOUGH <= now <= 1:
            break
        goal = sample.bits(found) * 0.997 / now
    assert best is not None
    assert whole is not None
    return whole if best is found else make(best)


@dataclass(frozen=True, eq=False)
class Sample:
    """Some values of every band, evenly spaced, that stand for all of them.

    Args:
        problem: of the sample.
        times: how many values each value of a band stands for.
    """

    problem: Problem
    times: tuple[float, ...]

    @classmethod
    def of(cls, payload: Payload, problem: Callable[[Payload], Problem] = Problem) -> "Sample":
        """A sample of a payload; of every segment it holds the value of largest magnitude.

        Args:
            payload: all of it.
            problem: what is made of the sample.
        """
        layout, share = payload.layout, SAMPLE / payload.layout.size
        parts, segments, counts = [], [], []
        for segment, values in zip(layout.segments, layout.split(payload.values.detach()), strict=True):
            wanted = min(len(values), max(LEAST, math.ceil(share * len(values))))
            part = values[:: max(1, len(values) // max(1, wanted))].cpu().float()
            if len(part) < len(values):
                low, high = values.aminmax()
                part[0] = high if high.abs() > low.abs() else low
            parts.append(part)
            segments.append(Segment(segment.name, (len(part),), segment.transform))
            counts.append(len(part) / max(1, len(values)))
        # A value weighs what it weighs among all.
        weights = sensitivities(payload)
        bands = bands_of(layout)
        each = torch.zeros(len(layout.segments), dtype=torch.float64)
        for members, weight in zip(bands.members, weights, strict=True):
            for i in members:
                each[i] = weight * segments[i].size
        values = torch.cat(parts) if parts else torch.zeros(0)
        made = problem(Payload(values, Layout(tuple(segments)), each))
        return cls(made, tuple(1 / counts[members[0]] for members in bands.members))

    def bits(self, found: Allocated) -> float:
        """What all values would take by an ideal entropy coder."""
        runs = zip(found.models, self.problem.bands.split(found.numbers), self.times, strict=True)
        return float(sum(times * model.total(run) for model, run, times in runs))

    def at(self, bits: float, between: tuple[float, float], steps: tuple[int, ...] | None) -> Allocated:
        """The finest levels of the sample of so many bits of all values."""
        problem = self.problem
        coarse = bisect(lambda s: problem.solve(s, steps or problem.steps(s)), between, bits, self.bits, 14)
        if steps is not None:
            return coarse
        finer = (coarse.slope / 8, coarse.slope * 8)
        return bisect(lambda s: problem.solve(s, coarse.steps), finer, bits, self.bits, 8)


def quantised(payload: Payload, steps: tuple[int, ...], slope: float) -> Allocated:
    """What `Problem.solve` finds, in the smallest integers that hold it, with little memory beside them.

    Args:
        payload: values, and their sensitivity if it is known.
        steps: index of each band's step.
        slope: loss that one bit is worth.
    """
    values, weights, bands = Pieces(payload), sensitivities(payload), bands_of(payload.layout)
    scales = [step_size(step) for step in steps]
    largest = [max(map(abs, ends)) / scale for ends, scale in zip(values.ends, scales, strict=True)]
    dtype = np.int32
    for smaller in (np.int16, np.int8):
        # Levels lie at most one beyond what rounding makes of the largest value.
        dtype = smaller if max(largest, default=0.0) + 2 < np.iinfo(smaller).max else dtype
    numbers, models, first = np.empty(payload.layout.size, dtype), [], 0
    for band, (weight, scale, size) in enumerate(zip(weights, scales, bands.sizes, strict=True)):
        run = numbers[first : first + size]
        models.append(choose(lambda b=band, s=scale: values.scaled(b, s), slope / (weight * scale * scale), run))
        first += size
    return Allocated(payload.layout, numbers, tuple(map(OnGrid, steps)), tuple(models), slope=slope)


class Pieces:
    """The values of a payload, band after band, piece by piece."""

    def __init__(self, payload: Payload) -> None:
        self._values = payload.values.detach().cpu().numpy()
        self._bands: Bands = bands_of(payload.layout)
        self._starts = (0, *np.cumsum(self._bands.sizes).tolist())
        self.ends = [self._range(band) for band in range(len(self._bands))]

    def scaled(self, band: int, scale: float) -> Iterator[Float64[np.ndarray, "_"]]:
        """The values of a band over the step."""
        for _, place in self._bands.spans(self._starts[band], self._starts[band + 1]):
            for first in range(place.start, place.stop, PIECE):
                yield self._values[first : min(first + PIECE, place.stop)].astype(np.float64) / scale

    def _range(self, band: int) -> tuple[float, float]:
        spans = self._bands.spans(self._starts[band], self._starts[band + 1])
        ends = [(self._values[place].min(), self._values[place].max()) for _, place in spans]
        return float(min(low for low, _ in ends)), float(max(high for _, high in ends))


def choose(
    pieces: Callable[[], Iterator[Float64[np.ndarray, "_"]]], slope: float, levels: Integer[np.ndarray, "n"]
) -> LevelModel:
    """What `choose_levels` does, in three passes over pieces of the values.

    Args:
        pieces: values over the step; asked for at each pass.
        slope: squared error, in steps, that one bit is worth.
        levels: written.

    Returns:
        The model that bits are counted with.
    """
    centre, furthest = _centre(pieces(), len(levels))
    if furthest > LONGEST:
        for run, scaled in _along(levels, pieces()):
            run[:] = np.rint(scaled - centre) + centre
        return fit_model(levels, centre)
    reach = math.ceil(furthest) + 1
    around = np.arange(-reach, reach + 1)

    def counted(found: Iterator[Integer[np.ndarray, "_"]]) -> LevelModel:
        counts = sum((np.bincount(part + reach, minlength=len(around)) for part in found), np.zeros(len(around), int))
        return fit_model(around, 0, times=counts)

    def begun() -> Iterator[Integer[np.ndarray, "_"]]:
        for scaled in _smaller(pieces()):
            offset = scaled - centre
            yield (np.sign(np.rint(offset)) * np.floor(np.abs(offset) + 1 - DEAD_ZONE)).astype(np.int64)

    def chosen(model: LevelModel) -> Iterator[Integer[np.ndarray, "_"]]:
        prices = slope * model.cost(around)
        for run, scaled in _along(levels, _smaller(pieces())):
            offset = scaled - centre
            best = _cheapest(offset, prices, reach)
            run[:] = best + centre
            yield best

    model = counted(begun())
    for _ in range(2):
        model = counted(chosen(replace(model, centre=0)))
    return replace(model, centre=centre)


def _cheapest(
    offset: Float64[np.ndarray, "n"], prices: Float64[np.ndarray, "levels"], reach: int
) -> Integer[np.ndarray, "n"]:
    """Of the nearest level, the next towards the centre, and the centre, the one of least error plus price."""
    nearest = np.rint(offset).astype(np.int64)
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


def _smaller(pieces: Iterator[Float64[np.ndarray, "_"]]) -> Iterator[Float64[np.ndarray, "_"]]:
    for part in pieces:
        yield from (part[first : first + _AT_ONCE] for first in range(0, len(part), _AT_ONCE))


def _along(
    levels: Integer[np.ndarray, "n"], pieces: Iterator[Float64[np.ndarray, "_"]]
) -> Iterator[tuple[Integer[np.ndarray, "_"], Float64[np.ndarray, "_"]]]:
    """Pieces, and where their levels go."""
    first = 0
    for part in pieces:
        yield levels[first : first + len(part)], part
        first += len(part)
