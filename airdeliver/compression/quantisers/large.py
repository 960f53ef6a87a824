"""Rate and distortion of large payloads: the slope is sought on a sample, levels follow from it piece by piece."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.codec.reconstruction import OnGrid, step_size
from airdeliver.compression.quantisers.allocation import Allocated, Problem, bisect, sensitivities
from airdeliver.compression.quantisers.choosing import Pieces, chosen
from airdeliver.payload import Layout, Payload, Segment

LARGE = 1 << 20
"""Values from which on a payload is large."""

SAMPLE = 1 << 17
"""Values of all bands together that a slope is sought on, about."""

LEAST = 1 << 12
"""Values of each band in the sample, at least: all of those that have fewer."""

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
        whole = None  # levels may be large: those of one answer are there at a time, and not while the next is sought
        found = find(goal)
        whole = make(found)
        now = share(whole)
        if best is None or now < filled if filled > 1 else filled < now <= 1:
            best, filled = found, now
        if _ENOUGH <= now <= 1:
            break
        goal = sample.bits(found) * 0.997 / now
    assert best is not None
    if best is not found:
        whole = None
        whole = make(best)
    assert whole is not None
    return whole


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
        runs = zip(found.models, found.runs(), self.times, strict=True)
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
    """What `Problem.solve` finds; levels are worked out where they are asked for, in little memory.

    Args:
        payload: values, and their sensitivity if it is known.
        steps: index of each band's step.
        slope: loss that one bit is worth.
    """
    scales, weights = [step_size(step) for step in steps], sensitivities(payload)
    slopes = [slope / (weight * scale * scale) for weight, scale in zip(weights, scales, strict=True)]
    numbers, models = chosen(Pieces(payload), scales, slopes)
    return Allocated(payload.layout, numbers, tuple(map(OnGrid, steps)), models, slope=slope)
