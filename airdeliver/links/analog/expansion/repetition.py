"""Repetition: every value is sent several times."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from airdeliver.links.analog.expansion.base import Expansion, maximal_ratio


@dataclass(frozen=True)
class Repetition(Expansion):
    r"""Every value is sent `copies` times and combined by maximal-ratio combining.

    Without fading the error of a value of unit variance is $1 / (1 + k\,\mathrm{SNR})$ for k copies.

    Args:
        copies: k; 1 sends every value once.

    Raises:
        ValueError: copies below 1.

    Source: repetition as bandwidth expansion: M. Jankowski, D. Gündüz and K. Mikolajczyk, AirNet, arXiv 2105.11166.

    >>> import torch
    >>> Repetition(2).expand(torch.tensor([1.0, -1.0])).tolist()
    [[1.0, -1.0], [1.0, -1.0]]
    >>> Repetition(2).uses_per_value, round(Repetition(2).error(snr=10.0), 4)
    (1.0, 0.0476)
    """

    copies: int = 2
    isometric: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.copies < 1:
            raise ValueError(f"copies must be at least 1, got {self.copies}")

    @property
    def inputs(self) -> int:  # noqa: D102
        return self.copies

    def expand(self, values: Float[Tensor, "n"]) -> Float[Tensor, "inputs n"]:  # noqa: D102
        return values.expand(self.copies, -1)

    def combine(  # noqa: D102
        self,
        observed: Float[Tensor, "realizations inputs n"],
        noise_variance: Float[Tensor, "realizations #inputs #n"],
    ) -> tuple[Float[Tensor, "realizations n"], Float[Tensor, "realizations #n"]]:
        if self.copies == 1:
            return observed.squeeze(1), noise_variance.squeeze(1)
        return maximal_ratio(observed, noise_variance)

    def error(self, snr: float) -> float:  # noqa: D102
        return 1 / (1 + self.copies * snr)

    def at(self, inputs: int) -> "Repetition":  # noqa: D102
        return Repetition(inputs)
