"""What most quantisers of the literature share: large bands by a rule of theirs, small ones uniform, scales learned."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.compression.bands import bands_of, ends_of
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.codec.reconstruction import MidRise, MidRisePerChannel, MidTread, PerChannel, Reconstruction
from airdeliver.compression.quantisers.base import Quantiser, State
from airdeliver.compression.quantisers.octaves import SMALLEST
from airdeliver.compression.quantisers.uniform import uniform
from airdeliver.payload import Layout

Rows = Float[Tensor, "rows n"]
"""Values of one band: a row for all of it, or one for each channel."""


@dataclass(frozen=True)
class PerBand(Quantiser):
    """Each large band is quantised by the subclass's rule, with scales of its own, learned or not.

    The small bands (scales, biases, normalisation, small convolutions) and, as is usual, the first and the last weights
    of the network have uniform levels over their range, straight through. What a training sees is, bit for bit, what
    arrives.

    Args:
        bits: of a level of the large bands.
        small_bits: of a level of the small bands, and of the first and last weights.
        per_channel: whether each output channel of a large band has a scale of its own.

    Raises:
        ValueError: bits out of range.
    """

    bits: int = 4
    small_bits: int = 8
    per_channel: bool = False

    least: ClassVar[int] = 2
    names: ClassVar[tuple[str, ...]] = ()
    """Of what is learned, a number for each row."""

    def __post_init__(self) -> None:
        if not self.least <= self.bits <= 16 or not 2 <= self.small_bits <= 16:
            raise ValueError(
                f"bits must be {self.least} to 16 and small_bits 2 to 16, got {self.bits} and {self.small_bits}"
            )

    @abstractmethod
    def begin(self, rows: Rows) -> tuple[Float[Tensor, "rows"], ...]:
        """What is learned, in the order of `names`, as it suits the values of a band."""

    @abstractmethod
    def soft(self, rows: Rows, *learned: Float[Tensor, "rows 1"]) -> Rows:
        """What the values become, for the sake of its gradients: `quantise` has the values of `numbers`."""

    @abstractmethod
    def numbers(self, rows: Rows, *learned: Float[Tensor, "rows 1"]) -> tuple[Int64[Tensor, "rows n"], Reconstruction]:
        """The level of each value, and what levels stand for."""

    def init(self, values: Float[Tensor, "n"], layout: Layout) -> State:  # noqa: D102
        begun = [self.begin(rows) for _, rows in self._large(values.detach(), layout)]
        tensors = {
            name: torch.cat([values.new_zeros(0), *(learned[i] for learned in begun)]).requires_grad_()
            for i, name in enumerate(self.names)
        }
        return State(tensors)

    def quantise(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, "n"]:  # noqa: D102
        bands, order = bands_of(layout), torch.from_numpy(bands_of(layout).order).to(values.device)
        parts = list(values[order].split(bands.sizes))
        hard = self._hard(values.detach(), layout, state)
        for (band, rows), learned in zip(self._large(values, layout), self._learned(layout, state), strict=True):
            soft = self.soft(rows, *(tensor.to(values.device) for tensor in learned))
            parts[band] = soft.reshape(-1)
        through = torch.empty_like(values)
        through[order] = torch.cat([values[:0], *parts])
        return through + (hard - through).detach()

    @torch.no_grad()
    def levels(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Levels:  # noqa: D102
        runs, reconstructions = self._integers(values.detach(), layout, state)
        large = self._rows(layout)
        centres = [self.centre(r) if band in large else None for band, r in enumerate(reconstructions)]
        return Levels.fitted(layout, np.concatenate([np.zeros(0, np.int64), *runs]), reconstructions, centres)

    def centre(self, reconstruction: Reconstruction) -> int | None:
        """The level that replaces what is lost; None for the median."""
        return 0

    def restore(self, plain: Mapping[str, Any], layout: Layout) -> State:  # noqa: D102
        state, count = super().restore(plain, layout), sum(self._rows(layout).values())
        for name in self.names:
            if name not in state.tensors or len(state.tensors[name]) != count:
                raise ValueError(f"the payload needs {count} numbers {name!r}: was it trained with another quantiser?")
        return State({name: state.tensors[name].requires_grad_() for name in self.names}, state.settings)

    @torch.no_grad()
    def _hard(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, "n"]:
        """What arrives."""
        bands = bands_of(layout)
        runs, reconstructions = self._integers(values, layout, state)
        found = np.empty(layout.size, np.float32)
        parts = [r.values(run) for r, run in zip(reconstructions, runs, strict=True)]
        found[bands.order] = np.concatenate([np.zeros(0, np.float32), *parts])
        return torch.from_numpy(found).to(values)

    def _integers(
        self, values: Float[Tensor, "n"], layout: Layout, state: State
    ) -> tuple[list[Int64[np.ndarray, "_"]], list[Reconstruction]]:
        """Levels and reconstruction of each band."""
        values = values.float().cpu()
        bands, ordered = bands_of(layout), values.numpy()[bands_of(layout).order]
        found: dict[int, tuple[Int64[np.ndarray, "_"], Reconstruction]] = {}
        for (band, rows), learned in zip(self._large(values, layout), self._learned(layout, state), strict=True):
            numbers, reconstruction = self.numbers(rows, *(tensor.detach().cpu() for tensor in learned))
            found[band] = numbers.flatten().numpy(), reconstruction
        for band, part in enumerate(bands.split(ordered)):
            if band not in found:
                found[band] = uniform(part, self.small_bits)
        return [found[band][0] for band in range(len(bands))], [found[band][1] for band in range(len(bands))]

    def _large(self, values: Float[Tensor, "n"], layout: Layout) -> Iterator[tuple[int, Rows]]:
        """Number and rows of each band that is quantised by the rule."""
        bands = bands_of(layout)
        parts = values[torch.from_numpy(bands.order).to(values.device)].split(bands.sizes)
        for band, rows in self._rows(layout).items():
            yield band, parts[band].view(rows, -1)

    def _rows(self, layout: Layout) -> dict[int, int]:
        """Rows of each of them: large bands, but for the first and the last weights."""
        bands, ends = bands_of(layout), ends_of(layout)
        return {
            band: layout.segments[bands.members[band][0]].shape[0] if self.per_channel else 1
            for band in range(bands.protected, len(bands))
            if not ends & set(bands.members[band])
        }

    def _learned(self, layout: Layout, state: State) -> Iterator[tuple[Float[Tensor, "rows 1"], ...]]:
        """What is learned, of each large band."""
        counts = list(self._rows(layout).values())
        parts = [state.tensors[name].split(counts) for name in self.names]
        for band in range(len(counts)):
            yield tuple(part[band][:, None] for part in parts)


def rounded(value: Tensor) -> Tensor:
    """The nearest integer, ties to even, straight through."""
    return value + (value.round() - value).detach()


def held(steps: Tensor) -> Tensor:
    """As bfloat16 holds them, above 0, straight through.

    >>> held(torch.tensor([-0.1, 0.0])).gt(0).all()
    tensor(True)
    """
    kept = steps.detach().clamp(min=SMALLEST).to(torch.bfloat16).to(steps.dtype)
    # Not steps + (kept - steps): below 0 that is 0, which no step may be.
    return kept + (steps - steps.detach())


def scaled(tensor: Tensor, factor: float) -> Tensor:
    """The tensor, whose gradient is multiplied by a factor."""
    return tensor * factor + (tensor - tensor * factor).detach()


def tread(steps: Float[Tensor, "rows 1"]) -> Reconstruction:
    """Mid-tread of one step, or one each row."""
    found = steps.flatten().tolist()
    return MidTread(found[0]) if len(found) == 1 else PerChannel(tuple(found))


def rise(steps: Float[Tensor, "rows 1"]) -> Reconstruction:
    """Mid-rise of one step, or one each row."""
    found = steps.flatten().tolist()
    return MidRise(found[0]) if len(found) == 1 else MidRisePerChannel(tuple(found))
