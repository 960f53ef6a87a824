"""A payload as integers: what a quantiser makes and a codec carries."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Integer
from torch import Tensor

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec.entropy_coding import LARGEST_LEVEL, PIECE, fit, pieces_of
from airdeliver.compression.codec.reconstruction import KINDS, Reconstruction
from airdeliver.compression.codec.run_coding import BandModel
from airdeliver.compression.computed import Computed, LevelArray
from airdeliver.payload import Layout


@dataclass(frozen=True, eq=False)
class Levels:
    """A payload as integers.

    Args:
        layout: of the payload.
        numbers: the levels in band order (`Bands.order`), in any signed integer type that holds them; a large payload's
            may be worked out where they are asked for.
        reconstructions: what those of each band stand for.
        models: probability model of each band.
        groups: number of consecutive bands in each group of packets, which are sent at a grade of their own; empty for
            two, the protected bands and the others.
    """

    layout: Layout
    numbers: LevelArray
    reconstructions: tuple[Reconstruction, ...]
    models: tuple[BandModel, ...]
    groups: tuple[int, ...] = ()

    @classmethod
    def fitted(
        cls,
        layout: Layout,
        numbers: Integer[np.ndarray, "n"],
        reconstructions: Sequence[Reconstruction],
        centres: Sequence[int | None],
        groups: tuple[int, ...] = (),
    ) -> "Levels":
        """With the cheapest models.

        Args:
            layout: of the payload.
            numbers: the levels in band order.
            reconstructions: what those of each band stand for.
            centres: the level that replaces what is lost, in each band; None for the median.
            groups: number of consecutive bands in each group.

        Raises:
            ValueError: levels that are no signed integers, one for each value.
        """
        fault = _no_integers(numbers, layout)
        if fault is not None:
            raise ValueError(f"levels {fault}")
        runs = bands_of(layout).split(numbers)
        models = [fit(run, c, r.paired) for run, c, r in zip(runs, centres, reconstructions, strict=True)]
        return cls(layout, numbers, tuple(reconstructions), tuple(models), groups)

    @property
    def bits(self) -> float:
        """What an ideal entropy coder makes of the levels under their models."""
        return float(sum(model.total(run) for model, run in zip(self.models, self.runs(), strict=True)))

    def runs(self) -> list[LevelArray]:
        """The levels of each band."""
        return [self.numbers[place] for place in bands_of(self.layout).places]

    def values(self) -> Float[Tensor, "n"]:
        """The payload's values as the receiver reconstructs them."""
        values = np.empty(self.layout.size, np.float32)
        for place, part in self._parts():
            values[place] = part
        return torch.from_numpy(values)

    def faults(self, layout: Layout) -> Iterator[str]:
        """Why no container carries these levels, each in words that go on from "levels"; nothing where one does.

        Args:
            layout: that they should be of.
        """
        numbers, count = self.numbers, len(bands_of(layout))
        if self.layout is not layout and self.layout != layout:
            yield "are of another layout than the values that they are for"
        elif (fault := _no_integers(numbers, layout)) is not None:
            yield fault
        elif max(map(abs, ends := _ends(numbers))) > LARGEST_LEVEL:
            yield f"must be at most 2^30 in magnitude, got {ends[0]} to {ends[1]}"
        elif len(self.reconstructions) != count or len(self.models) != count:
            yield (
                f"need a reconstruction and a model for each of {count} bands, got {len(self.reconstructions)} and "
                f"{len(self.models)}"
            )
        elif self.groups and (min(self.groups) < 0 or sum(self.groups) != count):
            yield f"must have groups that hold all {count} bands, got {list(self.groups)}"
        elif unknown := {type(r).__name__ for r in self.reconstructions if type(r) not in KINDS}:
            yield f"stand for what no receiver knows: {', '.join(sorted(unknown))}"
        elif unknown := {type(m).__name__ for m in self.models if not isinstance(m, BandModel)}:
            yield f"have models that no receiver knows: {', '.join(sorted(unknown))}"
        else:
            try:
                finite = all(bool(np.isfinite(part).all()) for _, part in self._parts())
            except ValueError as error:
                yield f"stand for nothing: {error}"
            else:
                if not finite:
                    yield "stand for values beyond the range of binary32"

    def _parts(self) -> Iterator[tuple[slice, Float32[np.ndarray, "_"]]]:
        """Where values lie in the payload, and the values, some at a time."""
        bands, first = bands_of(self.layout), 0
        for size, reconstruction in zip(bands.sizes, self.reconstructions, strict=True):
            for start in range(first, first + size, PIECE):
                for ordered, place in bands.spans(start, min(start + PIECE, first + size)):
                    run = self.numbers[ordered].astype(np.int64, copy=False)
                    yield place, reconstruction.stretch(run, ordered.start - first, size)
            first += size


def centre_of(scaled: Float[np.ndarray, "n"]) -> int:
    """The level that best replaces what is lost: the mean, unless it is within its own uncertainty of 0.

    Args:
        scaled: values in units of the step.
    """
    if not len(scaled):
        return 0
    mean = float(scaled.mean())
    centre = round(mean)
    return centre if centre and abs(mean) > 2 * float(scaled.std()) / np.sqrt(len(scaled)) else 0


def _ends(numbers: LevelArray) -> tuple[int, int]:
    """The least and the largest level; 0 for both where two bytes hold each, which a container carries in any case."""
    if numbers.dtype.itemsize <= 2 or not len(numbers):
        return 0, 0
    ends = [(int(part.min()), int(part.max())) for part in map(np.asarray, pieces_of(numbers))]
    return min(low for low, _ in ends), max(high for _, high in ends)


def _no_integers(numbers: object, layout: Layout) -> str | None:
    """Why an array cannot be levels, in words that go on from "levels"; None where it can."""
    array = isinstance(numbers, np.ndarray | Computed)
    if array and numbers.shape == (layout.size,) and numbers.dtype.kind == "i":
        return None
    got = f"{numbers.dtype} of shape {numbers.shape}" if array else type(numbers).__name__
    return f"must be an array of {layout.size} signed integers, got {got}"
