"""Paths of large payloads: the slope is sought on a sample, paths are found piece by piece."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Integer

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec.entropy_coding import LevelModel, fit
from airdeliver.compression.codec.lane_coding import LaneModel
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.codec.reconstruction import OnGrid, OnTrellis, step_size
from airdeliver.compression.codec.run_coding import BandModel
from airdeliver.compression.codec.trellis import FURTHEST, Trellis
from airdeliver.compression.quantisers.allocation import Allocated, sensitivities
from airdeliver.compression.quantisers.choosing import Pieces, rule_of
from airdeliver.compression.quantisers.large import Sample, seek
from airdeliver.compression.quantisers.paths import Path, Paths, centred, nearest, prices_of
from airdeliver.compression.quantisers.viterbi import best_multiples
from airdeliver.payload import Payload

_SOLUTIONS = 4


def in_pieces(
    payload: Payload,
    trellis: Trellis,
    most: float,
    size: Callable[[Levels], float],
    steps: tuple[int, ...] | None = None,
    near: Allocated | None = None,
) -> Path:
    """What `nearest` finds, but for about one percent of the size, with a few looks at all values.

    Args:
        payload: values, and their sensitivity if it is known.
        trellis: that large bands follow.
        most: that the result may take.
        size: what a result takes, in whatever unit.
        steps: index of each band's step, where a network was trained with these; None to choose them.
        near: an earlier answer for nearly the same size: its steps are kept, and its slope is nearly right.
    """
    sample = Sample.of(payload, lambda part: Paths(part, trellis))
    problem = sample.problem
    assert isinstance(problem, Paths)
    begun = None if near is None else problem.solve(near.slope, near.steps)
    goal = 2.0 * payload.layout.size if begun is None or near is None else sample.bits(begun) * most / size(near)
    return seek(
        lambda goal: nearest(problem, sample.bits, goal, steps, begun),
        lambda found: along(payload, found, trellis),
        sample,
        lambda whole: size(whole) / most,
        goal=goal,
        looks=_SOLUTIONS,
    )


def along(payload: Payload, found: Path, trellis: Trellis) -> Path:
    """The levels of all values at the slope, steps and models of a sample, with little memory beside them.

    Args:
        payload: values, and their sensitivity if it is known.
        found: of a sample of it.
        trellis: that large bands follow.
    """
    values, weights, bands = Pieces(payload), sensitivities(payload), bands_of(payload.layout)
    largest = 2 * FURTHEST + max((abs(model.centre) for model in found.models), default=0)
    for ends, kind in zip(values.ends, found.reconstructions, strict=True):
        assert isinstance(kind, OnGrid)
        largest = max(largest, max(map(abs, ends)) / step_size(kind.index))
    dtype = np.int16 if largest + 2 < np.iinfo(np.int16).max else np.int32
    numbers, first = np.empty(payload.layout.size, dtype), 0
    models: list[BandModel] = []
    each = zip(found.reconstructions, found.models, weights, bands.sizes, strict=True)
    for band, (kind, model, weight, count) in enumerate(each):
        run = numbers[first : first + count]
        assert isinstance(kind, OnGrid)
        scale = step_size(kind.index)
        slope = found.slope / (weight * scale * scale)
        if isinstance(kind, OnTrellis) and isinstance(model, LaneModel):
            models.append(_followed(values, band, scale, slope, model, run))
        else:
            models.append(_chosen(values, band, scale, slope, run))
        first += count
    return Path(payload.layout, numbers, found.reconstructions, tuple(models), slope=found.slope, chosen=found.chosen)


def _chosen(values: Pieces, band: int, scale: float, slope: float, levels: Integer[np.ndarray, "n"]) -> LevelModel:
    """Levels of a band one by one, written where they go; and their model."""
    rule, model = rule_of(values, band, scale, slope)
    first = 0
    for scaled in values.scaled(band, scale):
        levels[first : first + len(scaled)] = rule.levels(scaled)
        first += len(scaled)
    return model or fit(levels, rule.centre)


def _followed(
    values: Pieces, band: int, scale: float, slope: float, model: LaneModel, levels: Integer[np.ndarray, "n"]
) -> LaneModel:
    """Levels of a band along the trellis, written where they go; and the models of what was found."""
    assert model.trellis is not None
    prices, first, indices = slope * prices_of(model), 0, np.arange(-FURTHEST, FURTHEST + 1)
    counts = np.zeros((2, len(indices)), np.int64)
    for scaled in values.scaled(band, scale):
        # A large band is one segment, and a piece of it whole lanes.
        multiples = best_multiples(scaled - model.centre, prices, model.trellis)
        levels[first : first + len(scaled)] = multiples + model.centre
        second = model.trellis.second(multiples)
        for own, of_it in enumerate((~second, second)):
            found = model.trellis.indices(multiples, second)[of_it]
            counts[own] += np.bincount(found + FURTHEST, minlength=len(indices))
        first += len(scaled)
    both = [fit(indices, 0, times=own, fine=False) if own.any() else fit(indices[:0], 0) for own in counts]
    return LaneModel(*centred(both, model.centre), model.trellis)
