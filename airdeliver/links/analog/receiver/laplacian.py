"""The receiver that knows that weights have a Laplacian distribution."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from airdeliver.links.analog.receiver.base import Receiver

NOISIEST = 300.0
"""Noise variance above which every prior of unit variance gives the linear estimate, within 1 %."""

QUIETEST = 1e-12
"""Noise variance below which there is none."""

_LEAST = -9.0
"""Below, erfcx is beyond float32, and the other sign impossible."""


@dataclass(frozen=True)
class Laplacian(Receiver):
    r"""Posterior mean under a Laplacian prior of unit variance: small observations shrink more than large ones.

    With the prior's rate $\lambda = \sqrt 2$ and noise of variance $\sigma^2$,
    $\hat v = r + \lambda\sigma^2 (w_- - w_+) / (w_- + w_+)$, where the value is positive with odds $w_+ : w_-$ and
    $w_\pm = \mathrm{erfcx}((\lambda\sigma \mp r / \sigma) / \sqrt 2)$, the scaled complementary error function. It
    needs no side information: the scale of a segment says all.

    Source: E. P. Simoncelli and E. H. Adelson, Noise removal via Bayesian wavelet coring, ICIP 1996 (posterior means
    under Laplacian priors); the closed form follows by completing the square.

    >>> Laplacian().estimate(torch.tensor([[0.5, 3.0]]), torch.tensor([[0.5]]))
    tensor([[0.2446, 2.2934]])
    """

    def estimate(  # noqa: D102
        self,
        observed: Float[Tensor, "realizations n"],
        noise_variance: Float[Tensor, "realizations #n"],
        prior: UInt8[Tensor, "#n numbers"] | None = None,
    ) -> Float[Tensor, "realizations n"]:
        rate, bounded = math.sqrt(2), noise_variance.clamp(QUIETEST, NOISIEST)
        deviation = bounded.sqrt()
        step, relative = rate * deviation, observed / deviation
        positive = torch.special.erfcx(((step - relative) / math.sqrt(2)).clamp(min=_LEAST))
        negative = torch.special.erfcx(((step + relative) / math.sqrt(2)).clamp(min=_LEAST))
        estimate = observed + rate * bounded * (negative - positive) / (negative + positive)
        return torch.where(noise_variance < NOISIEST, estimate, observed / (1 + noise_variance))
