"""A payload as integers: what a quantiser makes and a codec carries."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Integer
from torch import Tensor

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec.entropy_coding import PIECE, fit
from airdeliver.compression.codec.reconstruction import Reconstruction
from airdeliver.compression.codec.run_coding import BandModel
from airdeliver.payload import Layout


@dataclass(frozen=True, eq=False)
class Levels:
    """A payload as integers.

    Args:
        layout: of the payload.
        numbers: the levels in band order (`Bands.order`), in any signed integer type that holds them.
        reconstructions: what those of each band stand for.
        models: probability model of each band.
        groups: number of consecutive bands in each group of packets, which are sent at a grade of their own; empty for
            two, the protected bands and the others.
    """

    layout: Layout
    numbers: Integer[np.ndarray, "n"]
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
        """
        runs = bands_of(layout).split(numbers)
        models = [fit(run, c, r.paired) for run, c, r in zip(runs, centres, reconstructions, strict=True)]
        return cls(layout, numbers, tuple(reconstructions), tuple(models), groups)

    @property
    def bits(self) -> float:
        """What an ideal entropy coder makes of the levels under their models."""
        runs = bands_of(self.layout).split(self.numbers)
        return float(sum(model.total(run) for model, run in zip(self.models, runs, strict=True)))

    def values(self) -> Float[Tensor, "n"]:
        """The payload's values as the receiver reconstructs them."""
        bands, values, first = bands_of(self.layout), np.empty(self.layout.size, np.float32), 0
        for size, reconstruction in zip(bands.sizes, self.reconstructions, strict=True):
            for start in range(first, first + size, PIECE):
                for ordered, place in bands.spans(start, min(start + PIECE, first + size)):
                    run = self.numbers[ordered].astype(np.int64, copy=False)
                    values[place] = reconstruction.stretch(run, ordered.start - first, size)
            first += size
        return torch.from_numpy(values)


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
