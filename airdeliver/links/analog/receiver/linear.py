"""The two linear receivers: least error, and no bias."""

from dataclasses import dataclass

from jaxtyping import Float, UInt8
from torch import Tensor

from airdeliver.links.analog.receiver.base import Receiver


@dataclass(frozen=True)
class MMSE(Receiver):
    r"""Linear minimum mean squared error: $\hat v = r / (1 + \sigma^2)$, with error variance 1 / (1 + SNR).

    Source: D. Tse and P. Viswanath, Fundamentals of Wireless Communication, 2005, appendix A.3.
    """

    def estimate(  # noqa: D102
        self,
        observed: Float[Tensor, "realizations n"],
        noise_variance: Float[Tensor, "realizations #n"],
        prior: UInt8[Tensor, "#n numbers"] | None = None,
    ) -> Float[Tensor, "realizations n"]:
        return observed / (1 + noise_variance)


@dataclass(frozen=True)
class ZeroForcing(Receiver):
    r"""No shrinkage: $\hat v = r$, unbiased, with error variance 1 / SNR."""

    def estimate(  # noqa: D102
        self,
        observed: Float[Tensor, "realizations n"],
        noise_variance: Float[Tensor, "realizations #n"],
        prior: UInt8[Tensor, "#n numbers"] | None = None,
    ) -> Float[Tensor, "realizations n"]:
        return observed
