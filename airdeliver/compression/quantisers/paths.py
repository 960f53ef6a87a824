"""Paths: levels of a payload whose large bands follow a trellis, at a slope, and the slope that meets a size."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64, Int64

from airdeliver.compression.codec.entropy_coding import REACH, LevelModel, fit
from airdeliver.compression.codec.lane_coding import LaneModel
from airdeliver.compression.codec.levels import centre_of
from airdeliver.compression.codec.reconstruction import STEPS, OnGrid, OnTrellis, Reconstruction, step_size
from airdeliver.compression.codec.run_coding import BandModel
from airdeliver.compression.codec.trellis import FURTHEST, Trellis
from airdeliver.compression.quantisers.allocation import Allocated, Problem, bisect, choose_levels
from airdeliver.compression.quantisers.viterbi import best_multiples
from airdeliver.payload import Payload

FINER = 18
"""Sixteenths of an octave by which a trellis has a smaller step than a plain quantiser at the same slope.

Of 0.35 to 0.85 of the plain step, 0.45 has the least error on a Gaussian source at 0.3 to 3 bits a value, within 1 % of
the best of each."""

PASSES = 4
"""How often paths and models are found in turn; never from models of other levels, which would leave their mark."""

_LEAST = 0.25
"""Magnitudes below it are 0 for the second quantiser when models are begun: 1/2, the nearest, takes more passes."""

_LOOKS = 10
_ENOUGH = 0.995
"""Share of what it may take from which on a result is not sought more closely."""


@dataclass(frozen=True, eq=False)
class Path(Allocated):
    """Levels of which some bands follow a trellis.

    Args:
        chosen: index of each band's step, whether it follows the trellis or not.
    """

    chosen: tuple[int, ...] = ()

    @property
    def steps(self) -> tuple[int, ...]:
        """Index of each band's step."""
        return self.chosen


class Paths(Problem):
    """One payload's values and weights, whose large bands follow a trellis.

    Args:
        payload: values, and their sensitivity if it is known.
        trellis: that large bands follow.
    """

    def __init__(self, payload: Payload, trellis: Trellis) -> None:
        super().__init__(payload)
        self.trellis, self._payload = trellis, payload

    @property
    def plain(self) -> Problem:
        """The same without a trellis."""
        return Problem(self._payload)

    def steps(self, slope: float) -> tuple[int, ...]:
        """The step of each band at a slope: smaller where it follows the trellis."""
        plain, small = super().steps(slope), self.bands.protected
        return (*plain[:small], *(max(0, step - FINER) for step in plain[small:]))

    def solve(self, slope: float, steps: tuple[int, ...]) -> Path:
        """Levels and models of every band at a slope."""
        found = []
        bands = zip(self.bands.split(self.values), self.weights, steps, strict=True)
        for band, (values, weight, step) in enumerate(bands):
            size = step_size(step)
            follows = band >= self.bands.protected and np.abs(values).max(initial=0) / size < 2 * FURTHEST - 2
            if follows:
                found.append((*choose_path(values / size, slope / (weight * size**2), self.trellis), step))
            else:
                found.append(_plain(values, slope / weight, step if band < self.bands.protected else step + FINER))
        numbers = np.concatenate([np.zeros(0, np.int64), *(levels for levels, *_ in found)])
        kinds = tuple(_kind(model, step) for _, model, step in found)
        return Path(self.layout, numbers, kinds, tuple(model for _, model, _ in found), slope=slope, chosen=steps)


def _plain(values: Float64[np.ndarray, "n"], slope: float, step: int) -> tuple[Int64[np.ndarray, "n"], BandModel, int]:
    """Levels of a band that does not follow the trellis: few values, or too many levels for it."""
    size = step_size(min(step, STEPS - 1))
    return *choose_levels(values / size, slope / size**2), min(step, STEPS - 1)


def _kind(model: BandModel, step: int) -> Reconstruction:
    return OnTrellis(step) if isinstance(model, LaneModel) else OnGrid(step)


def choose_path(
    scaled: Float64[np.ndarray, "n"], slope: float, trellis: Trellis
) -> tuple[Int64[np.ndarray, "n"], LaneModel]:
    """Multiples of the step, of least squared error plus slope times bits, and the models that bits are counted with.

    Args:
        scaled: values over the step.
        slope: squared error, in steps, that one bit is worth.
        trellis: which multiples may follow each other.
    """
    centre = 2 * centre_of(scaled / 2)
    offset = scaled - centre
    first, second = _begun(np.abs(offset))
    multiples = np.zeros(len(scaled), np.int64)
    for _ in range(PASSES):
        multiples = best_multiples(offset, slope * prices_of(LaneModel(first, second, trellis)), trellis)
        of_second = trellis.second(multiples)
        indices = trellis.indices(multiples, of_second)
        first, second = (fit(indices[own], 0, fine=False) for own in (~of_second, of_second))
    return multiples + centre, LaneModel(*centred((first, second), centre), trellis)


def prices_of(model: LaneModel) -> Float64[np.ndarray, "2 128"]:
    """Bits of the indices 0 to 127 of both quantisers."""
    return np.stack([each.bits()[REACH : 2 * REACH + 1] for each in model.models])


def centred(models: Sequence[LevelModel], centre: int) -> tuple[LevelModel, LevelModel]:
    """The models of both quantisers about another level."""
    first, second = (replace(model, centre=centre) for model in models)
    return first, second


def _begun(magnitudes: Float64[np.ndarray, "n"]) -> tuple[LevelModel, LevelModel]:
    """Models of what the two quantisers make of values that are rounded one by one."""
    even = np.rint(magnitudes / 2)
    odd = np.where(magnitudes < _LEAST, 0, np.rint((magnitudes + 1) / 2).clip(1))
    first, second = (fit(part.clip(max=FURTHEST).astype(np.int64), 0, fine=False) for part in (even, odd))
    return first, second


def nearest(
    problem: Paths,
    size: Callable[[Allocated], float],
    most: float,
    steps: tuple[int, ...] | None = None,
    near: Allocated | None = None,
) -> Path:
    """The finest levels that are not too large, or the coarsest if all are.

    What a plain quantiser needs tells about where the slope lies, at a fraction of the time. From there on it is sought
    by its last two looks, with steps that follow from it; then, the steps fixed, the slope alone.

    Args:
        problem: the payload's.
        size: of levels, in whatever unit.
        most: that it may be.
        steps: index of each band's step; None to choose them.
        near: an earlier answer for nearly the same size: its steps are kept.
    """
    if near is not None:
        kept = near.steps
        return _sought(lambda slope: problem.solve(slope, kept), near.slope, size, most, problem)
    plain = problem.plain
    slope = bisect(lambda s: plain.solve(s, plain.steps(s)), plain.slopes(), most, size, 14).slope
    found = _sought(lambda s: problem.solve(s, steps or problem.steps(s)), slope, size, most, problem)
    if steps is not None or size(found) / most >= _ENOUGH:
        return found
    fixed = found.steps
    finer = _sought(lambda s: problem.solve(s, fixed), found.slope, size, most, problem)
    return max((path for path in (found, finer) if size(path) <= most), key=size, default=finer)


def _sought(
    solve: Callable[[float], Path], slope: float, size: Callable[[Allocated], float], most: float, problem: Paths
) -> Path:
    """A result that takes nearly what it may; the coarsest if none fits."""
    # Sizes fall with slopes: on logarithmic scales, a line through the nearest two on either side.
    above, below, best = None, None, None  # logarithms of slope and share that is too much, and that fits
    at, goal, stride = math.log(slope), math.log(_ENOUGH) / 2, 1.0
    for look in range(_LOOKS):
        found = solve(math.exp(at))
        share = math.log(max(size(found), 1e-9) / most)
        if share > 0:
            above = (at, share)
        else:
            below, best = (at, share), found if best is None or size(found) > size(best) else best
            if share >= math.log(_ENOUGH):
                return found
        if above is None or below is None:
            at += max(-2.0, min(2.0, stride * (share - goal))) + math.copysign(0.02, share)
            stride *= 2
        else:  # a line, and every third time the middle, as sizes may jump
            part = 0.5 if look % 3 == 2 else (above[1] - goal) / max(1e-9, above[1] - below[1])
            at = above[0] + (below[0] - above[0]) * min(0.9, max(0.1, part))
    return solve(problem.slopes()[1]) if best is None else best
