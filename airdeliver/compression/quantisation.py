"""Quantisation: uniform reconstruction with a dead zone, levels and steps chosen by rate and distortion together."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from airdeliver.compression.bands import Bands, bands_of
from airdeliver.compression.entropy_coding import LARGEST_LEVEL, LevelModel, fit
from airdeliver.payload import Layout, Payload

STEPS = 4096
"""Number of steps: step k is 2^((k - 2048) / 16), from 2^-128 to just below 2^128."""

DEAD_ZONE = 0.62
"""Magnitudes below this share of a step become 0 before rate and distortion are weighed (1/2 is plain rounding)."""

_FRACTIONS = np.array([2.0 ** (k / 16) for k in range(16)], dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Quantised:
    """A payload as integers: value = level times the step of its band.

    Args:
        layout: of the payload.
        levels: in band order (`Bands.order`).
        steps: step index of each band.
        models: probability model of each band.
        slope: loss that one bit was worth when the levels were chosen.
    """

    layout: Layout
    levels: Int64[np.ndarray, "n"]
    steps: tuple[int, ...]
    models: tuple[LevelModel, ...]
    slope: float = 0.0

    @property
    def bits(self) -> float:
        """What an ideal entropy coder makes of the levels under their models."""
        runs = bands_of(self.layout).split(self.levels)
        return float(sum(model.cost(run).sum() for model, run in zip(self.models, runs, strict=True)))

    def values(self) -> Float[Tensor, "n"]:
        """The payload's values as the receiver reconstructs them."""
        return dequantise(self.levels, self.steps, self.layout)


def step_size(index: int) -> float:
    """The step of an index, 2^((index - 2048) / 16), exactly the same float32 on every platform.

    Raises:
        ValueError: an index out of range.

    >>> step_size(2048), step_size(2064)
    (1.0, 2.0)
    """
    if not 0 <= index < STEPS:
        raise ValueError(f"a step has an index of 0 to {STEPS - 1}, got {index}")
    return math.ldexp(float(_FRACTIONS[index % 16]), index // 16 - 128)


def dequantise(levels: Int64[np.ndarray, "n"], steps: tuple[int, ...], layout: Layout) -> Float[Tensor, "n"]:
    """Levels in band order to values in the payload's order; infinite beyond the range of binary32."""
    bands = bands_of(layout)
    values = np.empty(layout.size, np.float32)
    with np.errstate(over="ignore"):
        values[bands.order] = levels * np.repeat([step_size(step) for step in steps], bands.sizes)
    return torch.from_numpy(values)


def sensitivities(payload: Payload) -> Float64[np.ndarray, "bands"]:
    """Increase of the loss per unit of squared error of a value, for each band.

    Without a measured sensitivity every segment's noise counts relative to its mean square, whatever its size.
    """
    bands = bands_of(payload.layout)
    if payload.sensitivity is not None:
        segment = payload.sensitivity.detach().cpu().double()
    else:
        parts = payload.layout.split(payload.values.detach().cpu().double())
        segment = torch.tensor(
            [1 / (float(part.square().mean()) + 1e-60) if len(part) else 0.0 for part in parts], dtype=torch.float64
        )
    total = np.array([float(segment[list(members)].sum()) for members in bands.members])
    return np.clip(total, 1e-60, 1e60) / np.array(bands.sizes)


def allocate(
    payload: Payload,
    bits: float,
    size: Callable[[Quantised], float] | None = None,
    steps: tuple[int, ...] | None = None,
) -> Quantised:
    """Quantise a payload to a total number of bits at the least loss.

    All bands work at one slope: an additional bit lowers the loss by as much in each. The slope is bisected, with
    steps that follow from it; then, the steps fixed, the slope alone, which fits the bits more finely.

    Args:
        payload: values, and their sensitivity if it is known.
        bits: that the result may take; the cheapest result takes more if no slope meets them.
        size: what a result takes in bits; by default `Quantised.bits`.
        steps: index of each band's step, where a network was trained with these; None to choose them.

    Raises:
        ValueError: steps of another number of bands.

    Source: Y. Shoham and A. Gersho, Efficient bit allocation for an arbitrary set of quantizers, IEEE Trans. ASSP
    36(9), 1988; G. J. Sullivan, Efficient scalar quantization of exponential and Laplacian random variables, IEEE
    Trans. IT 42(5), 1996.
    """
    measure = size or (lambda quantised: quantised.bits)
    problem = _Problem(payload)
    if steps is not None and len(steps) != len(problem.bands):
        raise ValueError(f"the payload has {len(problem.bands)} bands, got {len(steps)} steps")
    coarse = _bisect(
        lambda slope: problem.solve(slope, steps or problem.steps(slope)), problem.slopes(), bits, measure, 14
    )
    return _refine(problem, coarse, bits, measure)


def adjust(payload: Payload, quantised: Quantised, bits: float, size: Callable[[Quantised], float]) -> Quantised:
    """Another result of `allocate` for nearly the same number of bits, with the same steps."""
    return _refine(_Problem(payload), quantised, bits, size)


def requantise(payload: Payload, before: Quantised, slope: float) -> Quantised:
    """Quantise new values of the same layout at a given slope.

    Steps stay as they were until they are more than a sixteenth of an octave off, and then change no further than to
    that, so that a training that does this in every step sees no flicker.
    """
    problem = _Problem(payload)
    wanted = problem.steps(slope)
    steps = tuple(min(max(old, new - 1), new + 1) for old, new in zip(before.steps, wanted, strict=True))
    return problem.solve(slope, steps)


def _refine(problem: "_Problem", quantised: Quantised, bits: float, size: Callable[[Quantised], float]) -> Quantised:
    between = (quantised.slope / 8, quantised.slope * 8)
    return _bisect(lambda slope: problem.solve(slope, quantised.steps), between, bits, size, 8)


def _bisect(
    solve: Callable[[float], Quantised],
    between: tuple[float, float],
    bits: float,
    size: Callable[[Quantised], float],
    halvings: int,
) -> Quantised:
    """The result of the smallest slope found that fits; that of the largest slope if none does."""
    low, high = (math.log(slope) for slope in between)
    best = solve(math.exp(high))
    for _ in range(halvings):
        middle = (low + high) / 2
        quantised = solve(math.exp(middle))
        if size(quantised) <= bits:
            best, high = quantised, middle
        else:
            low = middle
    return best


class _Problem:
    """One payload's values and weights, in band order."""

    def __init__(self, payload: Payload) -> None:
        self.layout = payload.layout
        self.bands: Bands = bands_of(payload.layout)
        self.values = payload.values.detach().cpu().numpy().astype(np.float64)[self.bands.order]
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

    def solve(self, slope: float, steps: tuple[int, ...]) -> Quantised:
        """Levels and models of every band at a slope."""
        levels, models = [], []
        for values, weight, step in zip(self.bands.split(self.values), self.weights, steps, strict=True):
            size = step_size(step)
            chosen, model = choose_levels(values / size, slope / (weight * size * size))
            levels.append(chosen)
            models.append(model)
        return Quantised(self.layout, np.concatenate([np.zeros(0, np.int64), *levels]), steps, tuple(models), slope)


def choose_levels(scaled: Float64[np.ndarray, "n"], slope: float) -> tuple[Int64[np.ndarray, "n"], LevelModel]:
    """Levels of least squared error plus slope times bits, and the model that the bits are counted with.

    Each value may take the nearest level, the next towards the centre, or the centre. Model and levels are found in
    turn, twice.

    Args:
        scaled: values over the step.
        slope: squared error, in steps, that one bit is worth.
    """
    centre = _centre(scaled)
    offset = scaled - centre
    nearest = np.rint(offset).astype(np.int64)
    levels = np.sign(nearest) * np.floor(np.abs(offset) + 1 - DEAD_ZONE).astype(np.int64)
    if abs(offset).max(initial=0) > 1000:
        return nearest + centre, fit(nearest + centre, centre)
    candidates = np.stack([nearest, nearest - np.sign(nearest), np.zeros_like(nearest)])
    errors = (candidates - offset) ** 2
    for _ in range(2):
        costs = replace(fit(levels, 0), centre=0).cost(candidates)
        levels = np.take_along_axis(candidates, (errors + slope * costs).argmin(0)[None], 0)[0]
    return levels + centre, fit(levels + centre, centre)


def _centre(scaled: Float64[np.ndarray, "n"]) -> int:
    """The level that replaces what is lost: the mean, unless it is within its own uncertainty of 0."""
    if not len(scaled):
        return 0
    mean = float(scaled.mean())
    return round(mean) if abs(mean) > 2 * float(scaled.std()) / math.sqrt(len(scaled)) else 0
