"""The contract of an analog receiver."""

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor


class Receiver(ABC):
    """Estimates values of zero mean and unit variance from noisy observations of them.

    A receiver of one's own is a frozen dataclass with one method.
    """

    @abstractmethod
    def estimate(
        self, observed: Float[Tensor, "realizations n"], noise_variance: Float[Tensor, "realizations #n"]
    ) -> Float[Tensor, "realizations n"]:
        """Estimate values from `observed = value + noise`.

        Args:
            observed: unbiased observations, per real value.
            noise_variance: variance of the noise per real value, relative to the values' unit variance; infinite
                where nothing arrived (the observation is 0 there).
        """
