"""Orthogonal spreading: every value is spread over many channel inputs by a code of its own."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.links.analog.expansion.base import Expansion, maximal_ratio


@dataclass(frozen=True)
class Hadamard(Expansion):
    r"""Blocks of `length` values are spread by Walsh codes over as many chips, each of which is sent `copies` times.

    Without fading the error is that of repetition. With it, the chips of a block meet different gains and all its
    values share them: none is lost to a deep fade. The receiver combines the copies of a chip, estimates the chips by
    linear MMSE and despreads them, which is linear MMSE for the values, since codes are orthogonal: with shrinkage
    $a_c = 1 / (1 + \sigma_c^2)$ of chip c and mean $\bar a$ over a block, the error is $1 - \bar a$ for each of its
    values. Values that do not fill a block are repeated plainly.

    Args:
        copies: of every chip; 1 takes no more channel uses than plain sending.
        length: of the codes, a power of two.

    Raises:
        ValueError: copies below 1, or a length that is no power of two.

    Source: S. Hara and R. Prasad, Overview of multicarrier CDMA, IEEE Communications Magazine 35(12), 1997 (MMSE
    combining).

    >>> Hadamard(copies=1, length=2).expand(torch.tensor([1.0, 0.0, 1.0])).round(decimals=3)
    tensor([[0.7070, 0.7070, 1.0000]])
    """

    copies: int = 1
    length: int = 64
    isometric: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.copies < 1:
            raise ValueError(f"copies must be at least 1, got {self.copies}")
        if self.length < 1 or self.length & (self.length - 1):
            raise ValueError(f"length must be a power of two, got {self.length}")

    @property
    def inputs(self) -> int:  # noqa: D102
        return self.copies

    def at(self, inputs: int) -> "Hadamard":  # noqa: D102
        return Hadamard(inputs, self.length)

    def expand(self, values: Float[Tensor, "n"]) -> Float[Tensor, "inputs n"]:  # noqa: D102
        return self._coded(values).expand(self.copies, -1)

    def combine(  # noqa: D102
        self,
        observed: Float[Tensor, "realizations inputs n"],
        noise_variance: Float[Tensor, "realizations #inputs #n"],
    ) -> tuple[Float[Tensor, "realizations n"], Float[Tensor, "realizations #n"]]:
        chips, noise = maximal_ratio(observed, noise_variance.expand(-1, self.copies, -1))
        if noise.shape[-1] == 1:
            return self._coded(chips), noise
        shrinkage = 1 / (1 + noise)
        whole = self._whole(chips.shape[-1])
        blocks = shrinkage[:, :whole].unflatten(-1, (self.length, -1))
        mean = torch.cat([blocks.mean(1, keepdim=True).expand_as(blocks).flatten(1), shrinkage[:, whole:]], -1)
        arrived = mean > 0
        inverse = torch.where(arrived, 1 / torch.where(arrived, mean, 1.0), 0.0)
        despread = self._coded(chips * shrinkage) * inverse
        return despread, torch.where(arrived, (1 - mean) * inverse, torch.inf)

    def error(self, snr: float) -> float:  # noqa: D102
        return 1 / (1 + self.copies * snr)

    def _whole(self, n: int) -> int:
        """Values in whole blocks."""
        return n // self.length * self.length

    def _coded(self, values: Float[Tensor, "*batch n"]) -> Float[Tensor, "*batch n"]:
        """Values to chips, and chips to values: the matrix is symmetric, and its own inverse.

        A block takes every B-th of B blocks' values, so that its chips are spread over the whole delivery.
        """
        whole = self._whole(values.shape[-1])
        if not whole:
            return values
        blocks = values[..., :whole].unflatten(-1, (self.length, -1))
        coded = _matrix(self.length).to(values.device) @ blocks
        return torch.cat([coded.flatten(-2), values[..., whole:]], -1)


@lru_cache(maxsize=16)
def _matrix(length: int) -> Float[Tensor, "length length"]:
    """Sylvester's construction: each doubling is [[H, H], [H, -H]]."""
    matrix = torch.ones(1, 1)
    while len(matrix) < length:
        matrix = torch.kron(torch.tensor([[1.0, 1.0], [1.0, -1.0]]), matrix)
    return matrix / math.sqrt(length)
