"""Allocation: uniform steps with a dead zone, levels and steps chosen by rate and distortion together."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from airdeliver.compression.bands import Bands, bands_of
from airdeliver.compression.codec.entropy_coding import LARGEST_LEVEL, PIECE
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.codec.reconstruction import STEPS, OnGrid, step_size
from airdeliver.compression.quantisers.choosing import choose_levels
from airdeliver.payload import Payload

FAINTEST = 2.0**-20
"""Of the largest mean square in a band: a segment of less counts as if it had so much."""


@dataclass(frozen=True, eq=False)
class Allocated(Levels):
    """Levels on steps of the grid, and what they were chosen at.

    Args:
        slope: loss that one bit was worth.
    """

    slope: float = 0.0

    @property
    def steps(self) -> tuple[int, ...]:
        """Index of each band's step."""
        return tuple(r.index for r in self.reconstructions if isinstance(r, OnGrid))


def sensitivities(payload: Payload) -> Float64[np.ndarray, "bands"]:
    """Increase of the loss per unit of squared error of a value, for each band.

    Without a measured sensitivity every segment's noise counts relative to its mean square, whatever its size: what is
    kept least is the sum of these. Of a band of several segments, those of zeros count nothing, since 0 is a level of
    any step, and faint ones no more than `FAINTEST` allows: one step for all that suits a bias of 1e-20 would take tens
    of bits for each value of the others.
    """
    bands = bands_of(payload.layout)
    if payload.sensitivity is not None:
        segment = payload.sensitivity.detach().cpu().double()
    else:
        segment = _relative(payload, bands)
    total = np.array([float(segment[list(members)].sum()) for members in bands.members])
    # float32 holds magnitudes of 1e-45 to 1e38: their squares, and the inverses of these, are within.
    return np.where(total > 0, np.clip(total, 1e-90, 1e90), 1e-60) / np.array(bands.sizes)


def _relative(payload: Payload, bands: Bands) -> Float64[Tensor, "segments"]:
    """One over the mean square of each segment; of a band of zeros alone, as of values of 1e-30."""
    parts = payload.layout.split(payload.values.detach().cpu())
    squares = torch.tensor([_mean_square(part) if len(part) else math.inf for part in parts], dtype=torch.float64)
    shares = torch.zeros_like(squares)
    for members in map(list, bands.members):
        own = squares[members]
        largest = float(own.max())
        counted = torch.where(own > 0, 1 / own.clamp(min=FAINTEST * largest), 0.0)
        shares[members] = counted if largest > 0 else 1e60
    return shares


def _mean_square(values: Float[Tensor, "n"]) -> float:
    pieces = values.split(PIECE)
    return sum(float(piece.double().square().mean()) * (len(piece) / len(values)) for piece in pieces)


def allocate(
    payload: Payload,
    bits: float,
    size: Callable[[Levels], float] | None = None,
    steps: tuple[int, ...] | None = None,
) -> Allocated:
    """Quantise a payload to a total number of bits at the least loss.

    All bands work at one slope: an additional bit lowers the loss by as much in each. The slope is bisected, with
    steps that follow from it; then, the steps fixed, the slope alone, which fits the bits more finely.

    Args:
        payload: values, and their sensitivity if it is known.
        bits: that the result may take; the cheapest result takes more if no slope meets them.
        size: what a result takes in bits; by default `Levels.bits`.
        steps: index of each band's step, where a network was trained with these; None to choose them.

    Raises:
        ValueError: steps of another number of bands.

    Source: Y. Shoham and A. Gersho, Efficient bit allocation for an arbitrary set of quantizers, IEEE Trans. ASSP
    36(9), 1988; G. J. Sullivan, Efficient scalar quantization of exponential and Laplacian random variables, IEEE
    Trans. IT 42(5), 1996.
    """
    measure = size or (lambda quantised: quantised.bits)
    problem = Problem(payload)
    if steps is not None and len(steps) != len(problem.bands):
        raise ValueError(f"the payload has {len(problem.bands)} bands, got {len(steps)} steps")
    coarse = bisect(
        lambda slope: problem.solve(slope, steps or problem.steps(slope)), problem.slopes(), bits, measure, 14
    )
    return _refine(problem, coarse, bits, measure)


def adjust(payload: Payload, quantised: Allocated, bits: float, size: Callable[[Levels], float]) -> Allocated:
    """Another result of `allocate` for nearly the same number of bits, with the same steps."""
    return _refine(Problem(payload), quantised, bits, size)


def requantise(payload: Payload, before: tuple[int, ...], slope: float) -> Allocated:
    """Quantise new values of the same layout at a given slope.

    Args:
        payload: with the new values.
        before: index of each band's step so far.
        slope: loss that one bit is worth.

    Steps stay as they were until they are more than a sixteenth of an octave off, and then change no further than to
    that, so that a training that does this in every step sees no flicker.
    """
    problem = Problem(payload)
    return problem.solve(slope, followed(before, problem.steps(slope)))


def followed(before: tuple[int, ...], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """Steps as they were, but for those that are more than a sixteenth of an octave off."""
    return tuple(min(max(old, new - 1), new + 1) for old, new in zip(before, wanted, strict=True))


def _refine(problem: "Problem", quantised: Allocated, bits: float, size: Callable[[Levels], float]) -> Allocated:
    between = (quantised.slope / 8, quantised.slope * 8)
    return bisect(lambda slope: problem.solve(slope, quantised.steps), between, bits, size, 8)


def bisect(
    solve: Callable[[float], Allocated],
    between: tuple[float, float],
    bits: float,
    size: Callable[[Allocated], float],
    halvings: int,
) -> Allocated:
    """The result of the smallest slope found that fits; that of the largest slope if none does.

    Args:
        solve: the result at a slope.
        between: smallest and largest slope.
        bits: that a result may take.
        size: what a result takes.
        halvings: of the range of slopes, on a logarithmic scale.
    """
    low, high = (math.log(slope) for slope in between)
    best = None
    for _ in range(halvings):
        middle = (low + high) / 2
        quantised = solve(math.exp(middle))
        if size(quantised) <= bits:
            best, high = quantised, middle
        else:
            low = middle
        del quantised  # what does not fit is not held while the next is sought
    return solve(math.exp(high)) if best is None else best


class Problem:
    """One payload's values and weights, in band order."""

    def __init__(self, payload: Payload) -> None:
        self.layout = payload.layout
        self.bands: Bands = bands_of(payload.layout)
        values = payload.values.detach().cpu().numpy()
        self.values = np.empty(len(values), np.float64)
        for ordered, place in self.bands.spans(0, len(values)):
            self.values[ordered] = values[place]
        self.weights = sensitivities(payload)

    def slopes(self) -> tuple[float, float]:
        """Slopes between which steps go from 2^-22 of the smallest band's largest value to several times it."""
        largest = self._largest()
        each = self.weights * largest**2
        return float(each.min(initial=1.0)) * 2.0**-46, float(each.max(initial=1.0)) * 16

    def steps(self, slope: float) -> tuple[int, ...]:
        """The step of each band at a slope: at high rate the derivative of w step^2 / 12 by the bits is the slope."""
        wanted = np.sqrt(6 * slope / (self.weights * math.log(2)))
        smallest = np.ceil(16 * np.log2(self._largest() / LARGEST_LEVEL))
        index = np.maximum(np.rint(16 * np.log2(wanted)), smallest) + 2048
        return tuple(int(i) for i in np.clip(index, 0, STEPS - 1))

    def _largest(self) -> Float64[np.ndarray, "bands"]:
        largest = [1.1 * np.abs(part).max() for part in self.bands.split(self.values)]
        return np.maximum(np.array(largest, dtype=np.float64), 1e-38)

    def solve(self, slope: float, steps: tuple[int, ...]) -> Allocated:
        """Levels and models of every band at a slope."""
        numbers, models = np.empty(len(self.values), np.int64), []
        bands = zip(self.bands.split(self.values), self.bands.split(numbers), self.weights, steps, strict=True)
        for values, run, weight, step in bands:
            size = step_size(step)
            run[:], model = choose_levels(values / size, slope / (weight * size * size))
            models.append(model)
        return Allocated(self.layout, numbers, tuple(map(OnGrid, steps)), tuple(models), slope=slope)
