"""The receiver with compensated shrinkage of Shao, Liew and Gündüz."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from airdeliver.links.analog.receiver.base import Receiver


@dataclass(frozen=True)
class Compensated(Receiver):
    r"""Linear estimation with a population and a bias compensator, $\mathrm{MMSE}_{pb}$.

    Least squared error shrinks all weights, and a whole population of weights that are too small is worse for a
    network than single weights that are off. With values of unit variance and noise of variance $\sigma^2$, so that
    the paper's weight-to-noise ratio is $\eta = 1 / \sigma^2$,
    $\hat v = (\eta r + \beta) / (\eta + 1 - \lambda) = (r + \beta\sigma^2) / (1 + (1 - \lambda)\sigma^2)$. λ = 0 and
    β = 0 is linear MMSE, λ = 1 and β = 0 is zero forcing. The paper finds both by search on validation data.

    Args:
        population: λ, at most 1.
        bias: β, in standard deviations of a segment's values.

    Raises:
        ValueError: λ above 1, where the estimate is not bounded at low SNR, or numbers that are not finite.

    Source: Y. Shao, S. C. Liew and D. Gündüz, Denoising noisy neural networks: a Bayesian approach with compensation,
    arXiv 2105.10699 and IEEE Transactions on Signal Processing 71, 2023; form and signs as in the authors' published
    code.

    >>> Compensated(population=0.0).estimate(torch.tensor([[1.0]]), torch.tensor([[1.0]])).item()
    0.5
    """

    population: float = 0.5
    bias: float = 0.0

    def __post_init__(self) -> None:
        if not (self.population <= 1 and math.isfinite(self.population) and math.isfinite(self.bias)):
            raise ValueError(
                f"population must be at most 1 and bias finite, got {self.population} and {self.bias}: "
                "0 and 0 is linear MMSE"
            )

    def estimate(  # noqa: D102
        self,
        observed: Float[Tensor, "realizations n"],
        noise_variance: Float[Tensor, "realizations #n"],
        prior: UInt8[Tensor, "#n numbers"] | None = None,
    ) -> Float[Tensor, "realizations n"]:
        arrived = noise_variance < torch.inf
        noise = torch.where(arrived, noise_variance, 0.0)
        estimate = (observed + self.bias * noise) / (1 + (1 - self.population) * noise)
        return torch.where(arrived, estimate, 0.0)
